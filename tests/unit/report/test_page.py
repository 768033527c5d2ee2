from __future__ import annotations

import base64
import hashlib
import re

import msgspec
import pytest

from harness.oracle.expect import state
from harness.report.known import parse
from harness.report.run_folder import SERVER, VIRTUAL
from harness.spec.profiles import MQTT_5
from harness.trace import What
from tests.unit.oracle.story import LOGGED_IN, Story
from tests.unit.report.page_rig import INFO, Element, html_of, page_of, read, story_called

INTERRUPTED = state("RECONNECTING", "INTERRUPTED", "CONNECTED-3")
LOSS = "test_connected.py::test_a_visible_loss"


def passed(name: str = "test_connecting.py::test_a_login", phase: str = "login") -> Story:
    return story_called(name, "CONNECTING-1", phase=phase).logged_in().expects(*LOGGED_IN)


def late(name: str = LOSS, *, interrupted_s: float = 7.5) -> Story:
    story = story_called(name, "CONNECTED-3").logged_in()
    cut = story.fault(2.0, 2.001)
    story.switched(interrupted_s, "RECONNECTING", "INTERRUPTED")
    return story.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=cut))


def broken(name: str = "test_logout.py::test_a_logout") -> Story:
    story = story_called(name, "CONNECTED-6", phase="logout").logged_in()
    story.put(5, "scenario", What.ERROR, "AdapterError", text="adapter: it is gone\n  why: it fell", blame="adapter")
    return story


def story_in(page: Element, verdict: str) -> Element:
    return page.one("details", class_="story", **{"data-verdict": verdict})


def test_the_head_says_how_it_came_out_and_what_was_run() -> None:
    page = page_of(passed(), late())
    assert page.one("head").one("title").text == "FAIL: my-sdk 2.1, linkproof"
    assert page.one("h1").words == "✗ FAIL my-sdk 2.1"
    assert [each.words for each in page.one("ul", class_="counts").all("li")] == ["✗ FAIL 1", "✓ PASS 1"]
    facts = {each.one("dt").text: each.one("dd").text for each in page.one("dl").all("div")}
    assert facts["Profile"] == "rtm-1.0"
    assert facts["When"] == "2026-01-01T00:00:00+00:00"
    assert facts["Time"].startswith("12.0 s in all")
    assert facts["Times are known to"] == "0.016 s (median of 1), 0.016 s at worst"


def test_a_server_under_test_is_what_the_page_is_about() -> None:
    info = msgspec.structs.replace(INFO, under_test=SERVER, server={"name": "my-server"}, server_command=["srv", "a b"])
    page = page_of(passed(), info=info)
    facts = {each.one("dt").text: each.one("dd").text for each in page.one("dl").all("div")}
    assert page.one("h1").words == "✓ PASS my-server"
    assert (facts["Command"], facts["Against"]) == ("srv 'a b'", "my-sdk 2.1")


def test_each_rule_that_was_looked_at_has_a_row_the_broken_ones_first() -> None:
    page = page_of(passed(), late())
    rows = [[cell.words for cell in row.all("td")] for row in page.one("table", class_="rules").one("tbody").all("tr")]
    ids = [row["id"] for row in page.one("table", class_="rules").one("tbody").all("tr")]
    assert ids[0] == "CONNECTED-3"
    assert rows[0][0] == "✗ FAIL"
    assert {row[0] for row in rows[1:]} == {"✓ PASS"}
    assert rows[ids.index("CONNECTING-1")][1:] == ["4", "2"]


def test_what_went_wrong_is_gathered_whichever_scenario_it_was_and_known_by_no_time() -> None:
    page = page_of(late("t.py::test_a"), late("t.py::test_b", interrupted_s=7.6), passed())
    (wrong,) = page.one("section", class_="wrong").all("li")
    assert wrong.words == "✗ FAIL RECONNECTING / INTERRUPTED came late, in 2 scenarios: a, b"
    assert [link["href"] for link in wrong.all("a")] == ["#t.a", "#t.b"]


def test_a_run_in_which_nothing_went_wrong_says_nothing_of_that() -> None:
    assert page_of(passed()).all("section", class_="wrong") == []


def test_scenarios_stand_in_the_order_of_their_gravity_and_the_first_to_read_is_open() -> None:
    page = page_of(passed(), broken(), late())
    stories = page.all("details", class_="story")
    assert [story["data-verdict"] for story in stories] == ["FAIL", "ERROR", "PASS"]
    assert ["open" in story.attributes for story in stories] == [True, True, False]


def test_a_scenario_says_by_what_it_is_to_be_found() -> None:
    story = story_in(page_of(late(), passed()), "FAIL")
    assert story["id"] == "test_connected.a_visible_loss"
    assert "|CONNECTED-3|" in story["data-clauses"]
    assert story["data-faults"] == "|cut|"
    assert story["data-phase"] == "idle"
    assert story_in(page_of(passed()), "PASS")["data-faults"] == "|-|"


def test_each_choice_of_a_filter_finds_a_scenario() -> None:
    page = page_of(late(), passed(), broken())
    stories = page.all("details", class_="story")
    for name in ("verdict", "clause", "fault", "phase"):
        options = [each.attributes.get("value", each.text) for each in page.one("select", name=name).all("option")]
        assert options[0] == ""
        for option in options[1:]:
            kept = f"data-{name}" if name in ("verdict", "phase") else f"data-{name}s"
            found = [story for story in stories if option in story[kept].strip("|").split("|")]
            assert found, (name, option)


def test_each_link_within_the_page_leads_somewhere_and_no_two_places_share_a_name() -> None:
    page = page_of(late("a/t.py::test_x[1/b]"), late("a/t.py::test_x[1.b]"), late("a/t.py::test_x[1 b]"), passed())
    ids = [each["id"] for each in page.walk() if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"] for link in page.all("a")} <= {f"#{name}" for name in ids}


def test_the_two_columns_have_every_row_and_the_faulty_one_its_number() -> None:
    table = story_in(page_of(late()), "FAIL").one("table", class_="columns")
    rows = [[cell.words for cell in row.all("td")] for row in table.one("tbody").all("tr")]
    assert table.one("caption").words == "alice"
    assert [row[1] for row in rows] == [
        "CONNECTING / LOGIN",
        "onLoginSuccess()",
        "CONNECTED / LOGIN_SUCCESS",
        "RECONNECTING / INTERRUPTED 4 s after alice's cut",
    ]
    assert rows[-1][0] == "1"
    assert rows[-1][2].startswith("7.500 s RECONNECTING / INTERRUPTED late by 1.4")
    assert [row[0] for row in rows[:-1]] == ["✓", "✓", "✓"]


def test_what_nobody_expected_in_particular_is_not_called_right() -> None:
    story = story_called(LOSS, "CONNECTED-3").logged_in()
    story.put(90, "scenario", What.RULES_ALONE, "rules_alone")
    table = page_of(story).one("table", class_="columns")
    assert [row.all("td")[0].words for row in table.one("tbody").all("tr")] == ["·", "·", "·"]


def test_a_failure_is_told_in_words_when_it_was_due_and_when_it_came() -> None:
    told = story_in(page_of(late()), "FAIL").one("ol", class_="flaws").words
    assert re.match(
        r"alice was to see RECONNECTING / INTERRUPTED 4 s after alice's cut, due from 5\.98\d s to 6\.01\d s; "
        r"it came at 7\.500 s: late by 1\.4",
        told,
    )


@pytest.mark.parametrize(
    ("options", "line"), [([], ""), (["--virtual", "--core", "a b:C"], " --virtual --core 'a b:C'")]
)
def test_the_command_that_plays_it_again_is_there(options: list[str], line: str) -> None:
    page = page_of(late(), info=msgspec.structs.replace(INFO, options=options))
    assert page.one("p", class_="again").one("code").text == f"linkproof certify{line} -k 'test_a_visible_loss'"


def test_a_run_in_virtual_time_says_first_of_all_that_it_certifies_nothing() -> None:
    page = page_of(passed(), info=msgspec.structs.replace(INFO, world=VIRTUAL))
    assert page.one("p", class_="banner").one("strong").text == "This certifies nothing"
    assert page_of(passed()).all("p", class_="banner") == []


def test_a_first_result_that_could_not_tell_stands_beside_the_second() -> None:
    first = story_called(LOSS, "CONNECTED-3").logged_in()
    cut = first.fault(2.0, 2.001)
    first.delayed(5.9, 400_000_000)
    first.switched(7.0, "RECONNECTING", "INTERRUPTED")
    first.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=cut))
    again = story_called(LOSS, "CONNECTED-3", attempt=2).logged_in()
    cut = again.fault(2.0, 2.001)
    again.switched(6.0, "RECONNECTING", "INTERRUPTED")
    again.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=cut))
    story = page_of(first, again).one("details", class_="story")
    heads = [section.one("h3").words for section in story.one("div", class_="times").all("section")]
    assert story["data-verdict"] == "PASS"
    assert heads == ["At first: ? INCONCLUSIVE", "Again, on its own: ✓ PASS"]


def test_what_was_selected_and_did_not_run_is_named() -> None:
    page = page_of(passed(), selected=["test_x.py::test_lost"])
    assert page.one("section", class_="missing").one("li").text == "test_x.py::test_lost"
    assert page.one("h1").words.startswith("! ERROR")


def test_a_known_failure_is_shown_as_one_and_is_not_what_went_wrong() -> None:
    text = f'[[known]]\nscenario = "{LOSS}"\nexplanation = "INTERRUPTED"\nreason = "of old"\n'
    page = page_of(late(), passed(), known=parse(text, "known.toml"))
    assert page.one("h1").words.startswith("✓ PASS")
    assert page.all("section", class_="wrong") == []
    assert page.one("p", class_="known").words.startswith("A known failure, not counted: of old")
    assert [story["data-verdict"] for story in page.all("details", class_="story")] == ["PASS", "FAIL"]


def test_a_profile_without_a_table_has_a_page_too() -> None:
    story = Story("MQTT-3.1.4-5")
    story.trace[0].args["profile"] = MQTT_5.name
    story.declared()
    story.switched(1, "CONNECTING", "LOGIN")
    trace = story.expects(state("CONNECTING", "LOGIN", "MQTT-3.1.4-5")).ended()
    page = read(html_of(trace, info=msgspec.structs.replace(INFO, profile=MQTT_5.name), profile=MQTT_5))
    assert page.one("tr", id="MQTT-3.1.4-5").all("td")[0].words == "✓ PASS"
    assert [band["class"] for band in page.all("rect", class_="band")][:2] == ["band DISCONNECTED", "band CONNECTING"]


def test_a_run_of_nothing_is_a_page_too() -> None:
    page = page_of()
    assert page.one("ul", class_="counts").words == "no scenario ran to its end"
    assert page.all("details", class_="story") == []


def test_the_page_needs_nothing_else_and_its_policy_names_its_own_script_and_style_alone() -> None:
    html = html_of(late().ended())
    page = page_of(late())
    assert not re.findall(r'(?:src|href)="(?!#)', html)
    assert "://" not in html.replace("http-equiv", "")
    policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"})["content"]
    for part in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.one(part).text.encode()).digest()).decode()
        assert f"{part}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert not [each for each in page.walk() if "style" in each.attributes]
    assert not [name for each in page.walk() for name in each.attributes if name.startswith("on")]


def test_each_picture_and_each_table_can_be_read_by_a_program() -> None:
    page = page_of(late(), passed(), broken())
    pictures = page.all("svg", class_="lanes")
    assert len(pictures) == 4  # of three scenarios, and the close-up of one
    for picture in pictures:
        (title,) = [each for each in picture.children if isinstance(each, Element) and each.name == "title"]
        assert picture["role"] == "img"
        assert picture["aria-labelledby"] == f"{title['id']} {picture.one('desc')['id']}"
    assert "RECONNECTING from 7.5 s" in pictures[0].one("desc").text
    assert "wrong at 7.500 s: late by 1.4" in pictures[0].one("desc").text
    heads = [head for table in page.all("table") for head in table.all("th")]
    assert heads
    assert {head.attributes.get("scope") for head in heads} <= {"col", "row"}
    assert page.one("p", role="status")["aria-live"] == "polite"
