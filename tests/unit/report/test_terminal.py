from __future__ import annotations

from io import StringIO
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from harness.oracle.expect import callback, one_of, state
from harness.oracle.verdict import Check, Judgement, Measured, Verdict
from harness.report.known import UNEXPLAINED, parse
from harness.report.run_folder import VIRTUAL, RunInfo
from harness.report.summary import summarise
from harness.report.terminal import print_summary
from harness.spec.clauses import CLAUSES
from harness.trace import What
from tests.unit.oracle.story import LOGGED_IN, Story

SDK: dict[str, object] = {"name": "[red]sdk[/red]", "version": "1.2 :warning:"}
INFO = RunInfo("0.1.0", "rtm-1.0", "now", client=SDK, setup_s=1.0, wall_s=12.0, longest_s=10.0, longest="a[bold]b")


def printed(
    *judgements: Judgement, selected: tuple[str, ...] = (), info: RunInfo = INFO, known: str = ""
) -> tuple[str, str]:
    """What a run looks like, as plain text and with its styles."""
    console = Console(record=True, width=160, file=StringIO(), force_terminal=True, color_system="standard")
    summary = summarise(judgements, [*(each.scenario for each in judgements), *selected], parse(known, "known.toml"))
    print_summary(console, summary, info, Path("runs/[7] :bug:"), CLAUSES)
    return console.export_text(clear=False), console.export_text(styles=True)


def passed() -> Judgement:
    accepted = one_of("OPEN-10", none=(), both=(callback("onTokenExpired"),))
    return Story("CONNECTING-1").logged_in().expects(*LOGGED_IN, accepted).judged()


def failed() -> Judgement:
    story = Story("CONNECTED-3").logged_in()
    story.said(5, "onMessageReceivedFromPeer", peer="[red]", text="[/bold] :warning: [link=x]")
    return story.expects(*LOGGED_IN, state("RECONNECTING", "INTERRUPTED", "CONNECTED-3")).judged()


def broken() -> Judgement:
    story = Story("CONNECTED-6")
    story.put(5, "scenario", What.ERROR, "AdapterError", text="adapter: said [/] and [red]", blame="adapter")
    return story.judged()


def test_a_run_that_passed_is_a_line_for_each_rule_that_was_looked_at_and_a_closing_line() -> None:
    text, _ = printed(passed())
    lines = [line.split() for line in text.splitlines() if line.strip()]
    assert lines[0] == ["rule", "verdict", "checks", "what", "it", "says"]
    assert [line[:3] for line in lines[1:8]] == [
        ["GENERAL-1", "PASS", "1"],
        ["GENERAL-3", "PASS", "1"],
        ["DISCONNECTED-2", "PASS", "1"],
        ["CONNECTING-1", "PASS", "2"],
        ["CONNECTING-2", "PASS", "1"],
        ["CONNECTING-5", "PASS", "1"],
        ["OPEN-10", "PASS", "1"],
    ]
    assert "(seen: none)" in text
    assert "52 rules were not looked at by this selection" in text
    assert text.splitlines()[-1] == "PASS  [red]sdk[/red] 1.2 :warning: against rtm-1.0: 1 PASS"
    assert "12.0 s in all: 1.0 s of set-up, then 11.0 s, 1.10 times the longest scenario (10.0 s, a[bold]b)" in text
    assert "FAIL" not in text


def test_a_run_that_failed_shows_what_was_expected_beside_what_was_seen() -> None:
    text, _ = printed(failed())
    assert text.startswith("FAIL  test_story\n  CONNECTED-3: alice: onMessageReceivedFromPeer(peer=[red],")
    assert "blame: implementation" in text
    assert "!! RECONNECTING / INTERRUPTED   -   << missing" in text
    assert text.splitlines()[-1].startswith("FAIL  ")


def test_a_rule_that_was_not_reached_is_shown_as_that_and_does_not_close_the_run() -> None:
    story = Story("CONNECTED-3", "RECONNECTING-10").logged_in()
    judgement = story.expects(*LOGGED_IN, state("RECONNECTING", "INTERRUPTED", "CONNECTED-3")).judged()
    text, styled = printed(judgement)
    (row,) = [line.split() for line in text.splitlines() if line.startswith("RECONNECTING-10 ")]
    assert row[1:4] == ["NOT", "REACHED", "0"]
    assert "\x1b[33mNOT REACHED" in styled
    assert text.splitlines()[-1] == "FAIL  [red]sdk[/red] 1.2 :warning: against rtm-1.0: 1 FAIL"


def test_a_run_on_a_disturbed_host_says_so_and_how_late_it_was() -> None:
    story = Story("CONNECTED-3").logged_in()
    story.delayed(2, 200_000_000)
    text, _ = printed(story.expects(*LOGGED_IN, state("RECONNECTING", "INTERRUPTED", "CONNECTED-3")).judged())
    assert text.startswith("INCONCLUSIVE  test_story\n  CONNECTED-3: alice: RECONNECTING / INTERRUPTED never came; ")
    assert "but on this host things may have been 800 ms late\n  blame: host\n" in text
    assert text.splitlines()[-1].startswith("INCONCLUSIVE  ")


def test_what_a_client_says_cannot_order_the_terminal_about() -> None:
    story = Story("CONNECTED-3").logged_in()
    story.said(5, "onMessageReceivedFromPeer", peer="\x1b[2J", text="\x1b]0;mine\x07")
    text, styled = printed(story.expects(*LOGGED_IN).judged())
    assert r"onMessageReceivedFromPeer(peer=\x1b[2J, text=\x1b]0;mine\x07)" in text
    assert not set("\x1b\x07") & set(text)
    assert "\x1b[2J" not in styled


def test_a_run_that_was_broken_off_says_by_whom() -> None:
    text, _ = printed(broken())
    assert "ERROR  test_story\n  adapter: said [/] and [red]\n  blame: adapter\n" in text
    assert text.splitlines()[-1].startswith("ERROR  ")


def test_what_was_selected_and_did_not_run_is_named() -> None:
    text, _ = printed(passed(), selected=("test_x[red]",))
    assert "selected, and not run to its end: test_x[red]\n" in text
    assert text.splitlines()[-1].startswith("ERROR  ")


def test_a_run_of_nothing_says_so() -> None:
    text, _ = printed(info=RunInfo("0.1.0", "rtm-1.0", "now"))
    assert text.splitlines()[-1] == "ERROR  the client against rtm-1.0: no scenario ran"
    assert "times the longest scenario" not in text


@pytest.mark.parametrize(
    "text", ["[red]sdk[/red]", "1.2 :warning:", "evidence: runs/[7] :bug:", "peer=[red]", "[/bold] :warning: [link=x]"]
)
def test_what_comes_from_outside_is_shown_as_it_is_and_styles_nothing(text: str) -> None:
    assert text in printed(failed())[0]


@pytest.mark.parametrize(("judgement", "colour"), [(passed(), "\x1b[32mPASS"), (failed(), "\x1b[1;31mFAIL")])
def test_a_verdict_has_its_colour(judgement: Judgement, colour: str) -> None:
    assert colour in printed(judgement)[1]


def test_an_answer_that_was_seen_is_shown_without_reading_it_as_markup() -> None:
    judgement = Judgement("s", Verdict.PASS, "", [Check("OPEN-10", Verdict.PASS, "a", "")], [])
    judgement.answers["OPEN-10"] = "[red]"
    assert "(seen: [red])" in printed(judgement)[0]


def test_all_rules_looked_at_leaves_none_to_mention() -> None:
    checks = [Check(clause.id, Verdict.PASS, "alice", "") for clause in CLAUSES]
    assert "not looked at" not in printed(Judgement("s", Verdict.PASS, "", checks, []))[0]


def test_a_run_in_virtual_time_says_last_of_all_that_it_certifies_nothing() -> None:
    info = msgspec.structs.replace(INFO, world=VIRTUAL, simulated_s=2431.6, wall_s=3.5, longest_s=0.0)
    text, styled = printed(passed(), info=info)
    closing = "PASS  [red]sdk[/red] 1.2 :warning: against rtm-1.0, in virtual time: 1 PASS"
    before, _, after = text.partition(closing)
    assert "2432 s simulated in 2.50 s: 973 times as fast" in before
    assert "T H I S   C E R T I F I E S   N O T H I N G" in after
    assert "virtual time, a simulated network, no process of anybody's" in after
    assert "\x1b[1;33m" in styled
    assert "times the longest scenario" not in text


@pytest.mark.parametrize("judgement", [passed(), failed(), broken()])
def test_the_banner_stands_whatever_the_verdict_and_only_under_a_virtual_run(judgement: Judgement) -> None:
    virtual = msgspec.structs.replace(INFO, world=VIRTUAL)
    assert "C E R T I F I E S" in printed(judgement, info=virtual)[0]
    assert "C E R T I F I E S" not in printed(judgement)[0]
    assert "in virtual time" not in printed(judgement)[0]


KNOWN = """
[[known]]
scenario = "test_story"
explanation = "CONNECTED-3: alice: onMessageReceivedFromPeer"
reason = "[red]ticket 17[/red]"
link = "https://example.org/17"
"""


def test_what_is_known_is_listed_without_its_columns_and_does_not_close_the_run() -> None:
    text, _ = printed(failed(), known=KNOWN)
    assert text.splitlines()[-1] == "PASS  [red]sdk[/red] 1.2 :warning: against rtm-1.0: 1 FAIL (known)"
    head, _, block = text.partition("known failures: played and judged all the same, and not counted\n")
    assert block.startswith("FAIL  test_story\n  CONNECTED-3: alice: onMessageReceivedFromPeer(peer=[red],")
    assert "tolerated: [red]ticket 17[/red] https://example.org/17 (known.toml:2)\n" in block
    assert "<< missing" not in text
    assert "CONNECTED-3     FAIL (known)" in head


def test_a_known_failure_without_a_reason_is_told() -> None:
    text, _ = printed(failed(), known=KNOWN.replace("[red]ticket 17[/red]", UNEXPLAINED))
    assert "tolerated: nobody has said yet why https://example.org/17 (known.toml:2)" in text


def test_what_does_not_fit_what_is_known_is_shown_with_its_place_and_how_to_mend_it() -> None:
    text, styled = printed(failed(), known=KNOWN.replace("CONNECTED-3", "OPEN-1"))
    assert text.startswith("FAIL  test_story")
    assert (
        "test_story fails otherwise than is known: 'OPEN-1: alice: onMessageReceivedFromPeer' is not in 'CONN" in text
    )
    assert "  where: known.toml:2\n  mend:  mend what is new, or write down its explanation\n" in text
    assert "\x1b[1;31mtest_story fails otherwise" in styled
    assert text.splitlines()[-1].endswith(": 1 FAIL")


def test_a_run_whose_scenarios_were_repeated_shows_the_tightest_steps() -> None:
    def timed(repetition: int, elapsed_s: float) -> Judgement:
        measured = Measured("[red] / LATE", elapsed_s, -0.016, 1.216, 0.0, 0.016)
        check = Check("OPEN-10", Verdict.PASS, "alice", "", measured)
        return Judgement(f"t.py::s[r{repetition}]", Verdict.PASS, "", [check], [], repetition=repetition)

    judgements = [timed(1, 0.1), timed(2, 0.6), timed(3, 0.2)]
    text, _ = printed(*judgements, info=msgspec.structs.replace(INFO, repeat=3))
    _, _, table = text.partition("the tightest steps (times in s)")
    head, row, *_ = (" ".join(line.split()) for line in table.splitlines() if line.strip())
    assert head == "room margin times min median 95 % max due in step"
    assert row == "50% 0.616 3 0.100 0.200 0.560 0.600 -0.016 to 1.216 s: alice: [red] / LATE"
    assert "tightest" not in printed(*judgements)[0]
