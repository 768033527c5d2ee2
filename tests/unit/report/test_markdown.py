from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.oracle.verdict import Column, Row
from harness.report.known import parse
from harness.report.markdown import LIMIT_BYTES, markdown
from harness.report.results import results
from harness.report.run_folder import VIRTUAL, Played, RunInfo
from harness.report.summary import summarise
from harness.spec.profiles import RTM_1_0
from tests.unit.report.test_results import INFO, KNOWN, again, late, passed, unclear

HOSTILE = "</summary></details><script>x</script> | `a` ``` \\| [x](javascript:y) @user #1 \x1b[2J \u202eevil\n\n# head"
GITHUB = MarkdownIt("commonmark").enable("table")


def page(
    *played: Played, known: str = "", missing: str = "", info: RunInfo = INFO, limit_bytes: int = LIMIT_BYTES
) -> str:
    judgements = [each.judgement for each in played]
    selected = [*(each.scenario for each in judgements), *filter(None, [missing])]
    summary = summarise(judgements, selected, parse(known, "known-failures.toml"))
    return markdown(results(info, summary, played, RTM_1_0), summary, limit_bytes=limit_bytes)


def told(reason: str, name: str = "test_late") -> Played:
    """A scenario that failed for this reason, and saw this."""
    played = late(name)
    columns = [Column("alice", [Row("A / B", reason, "extra")])]
    return Played(played.trace, msgspec.structs.replace(played.judgement, reason=reason, columns=columns))


def test_the_first_line_is_the_verdict() -> None:
    assert page(passed()).splitlines()[0] == "## PASS: `sdk 1.2` against rtm-1.0: 1 PASS"
    assert page(late(), passed()).splitlines()[0] == "## FAIL: `sdk 1.2` against rtm-1.0: 1 FAIL, 1 PASS"
    nameless = RunInfo("0.1.0", "rtm-1.0", "now")
    assert page(info=nameless).splitlines()[0] == "## ERROR: the client against rtm-1.0: no scenario ran"


def test_a_run_in_virtual_time_says_that_it_certifies_nothing() -> None:
    virtual = page(passed(), info=msgspec.structs.replace(INFO, world=VIRTUAL))
    assert "in virtual time" in virtual.splitlines()[0]
    assert "**This certifies nothing**" in virtual
    assert "certifies nothing" not in page(passed())


def test_rules_that_do_not_hold_come_first_and_all_of_them_are_folded_below() -> None:
    text = page(late(), passed())
    above, _, below = text.partition("<summary><code>all ")
    assert re.findall(r"^\| ([A-Z]+-\d+) \| \*\*([A-Z]+)\*\*", above, re.MULTILINE) == [("CONNECTED-3", "FAIL")]
    folded = dict(re.findall(r"^\| ([A-Z]+-\d+) \| \*\*([A-Z]+)\*\*", below, re.MULTILINE))
    assert folded["CONNECTED-3"] == "FAIL"
    assert folded["CONNECTING-1"] == "PASS"
    assert "| rule |" not in page(passed()).partition("<details>")[0]


def test_what_failed_has_its_two_columns_and_the_command_that_repeats_it() -> None:
    text = page(late(), passed())
    (story,) = re.findall(r"<details open>(.*?)</details>", text, re.DOTALL)
    assert story.startswith("<summary><code>FAIL test_late</code></summary>")
    assert "!! RECONNECTING / INTERRUPTED" in story
    assert "```sh\nlinkproof certify -k 'test_late'\n```" in story
    assert "test_passed" not in text


def test_of_several_that_failed_the_first_is_open() -> None:
    text = page(late("test_a"), late("test_b"))
    assert re.findall(r"<details( open)?><summary><code>FAIL (\w+)", text) == [(" open", "test_a"), ("", "test_b")]


def test_what_is_known_is_a_line_and_no_story() -> None:
    text = page(late(), passed(), known=KNOWN)
    assert text.splitlines()[0] == "## PASS: `sdk 1.2` against rtm-1.0: 1 PASS, 1 FAIL (known)"
    assert "### Known failures" in text
    assert "tolerated: `ticket 17` (known-failures.toml:2)" in text
    assert "| CONNECTED-3 | **FAIL** (known) |" in text
    assert "!!" not in text


def test_what_does_not_fit_what_is_known_is_there() -> None:
    text = page(passed("test_late"), known=KNOWN)
    assert text.startswith("## FAIL")
    assert "- `unexpected pass: test_late passes`; where: `known-failures.toml:2`; mend: take the entry out" in text


def test_what_is_missing_and_what_could_not_tell_at_first_is_there() -> None:
    text = page(unclear("test_again"), again(passed("test_again")), missing="test_gone")
    assert "### Selected, and not run to its end\n\n- `test_gone`\n" in text
    assert re.search(r"### Inconclusive at first.*\n\n- `test_again`: `.* on this host", text)


# ---------------------------------------------------------------------------------------------------- room


def test_what_has_no_room_is_left_out_and_the_page_says_so() -> None:
    several = [late(f"test_{number}") for number in range(30)]
    whole = page(*several)
    assert "left out" not in whole
    for limit_bytes in (len(whole.encode()) - 1, 5_000, 1_000):
        short = page(*several, limit_bytes=limit_bytes)
        assert len(short.encode()) <= limit_bytes
        assert re.search(r"\d+ parts? (is|are) left out here, for want of room", short)
        assert short.splitlines()[0] == whole.splitlines()[0]


def test_a_page_of_very_much_stays_within_what_github_shows() -> None:
    text = page(*(told("x" * 20_000, f"test_{number}") for number in range(60)))
    assert LIMIT_BYTES - 50_000 < len(text.encode()) <= LIMIT_BYTES
    assert "parts are left out here" in text


def test_one_that_is_too_large_takes_no_room_from_the_others() -> None:
    text = page(told("x" * LIMIT_BYTES, "test_a"), late("test_b"))
    assert "1 part is left out here" in text
    assert "FAIL test_b" in text


# ---------------------------------------------------------------------------------------------------- escaping


def code_of(text: str) -> tuple[str, str]:
    """What a page shows as code, and all the rest of it as HTML."""
    code, rest = [], []
    for block in GITHUB.parse(text):
        if block.type == "fence":
            code.append(block.content)
        elif block.type == "html_block":
            rest.append(re.sub(r"<summary><code>.*</code></summary>", "", block.content))
        for each in block.children or ():
            (code if each.type == "code_inline" else rest).append(each.content)
    return "\n".join(code), "\n".join(rest)


@example(text="\n```\n# head\n")
@given(text=st.one_of(st.just(HOSTILE), st.text(alphabet="`~ab \n|\\<>*_[]()#", min_size=1).filter(str.strip)))
def test_whatever_an_adapter_says_is_shown_as_code_and_means_nothing(text: str) -> None:
    mark = f"MARK{text}KRAM"
    info = msgspec.structs.replace(INFO, client={"name": mark, "version": ""})
    played = [told(mark), told(mark, "test_known")]
    known = KNOWN.replace("test_late", "test_known").replace("CONNECTED-3", "MARK")
    code, rest = code_of(page(*played, known=known, info=info))
    assert "MARK" not in rest
    assert "KRAM" not in rest
    assert code.count("MARK") == 4  # the name, the reason and what was seen, and the reason of what is known
    assert not re.search(r"<(?!/?details)", rest)


@pytest.mark.parametrize("reason", ["`x`", "x`", " x ", "``", "` `", "a ``b`` c"])
def test_a_span_shows_each_backtick_and_each_space(reason: str) -> None:
    known = KNOWN.replace("CONNECTED-3", reason)
    inline = [each.content for block in GITHUB.parse(page(told(reason), known=known)) for each in block.children or ()]
    assert inline.count(reason) == 1


@pytest.mark.parametrize("sign", ["\x1b", "\u202e", "\x07"])
def test_what_would_order_a_reader_about_is_spelled_out(sign: str) -> None:
    text = page(told(f"one {sign} two"))
    assert sign not in text
    assert repr(sign)[1:-1] in text


def test_a_scenario_is_named_in_html_as_it_is_called() -> None:
    assert "<code>FAIL test_x[&lt;b&gt;]</code>" in page(late("test_x[<b>]"))
