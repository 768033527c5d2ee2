from __future__ import annotations

import pytest

from harness.oracle.expect import Span, callback, state
from harness.oracle.explain import phrase, render
from harness.oracle.verdict import Judgement
from harness.trace import What
from tests.unit.oracle.story import LOGGED_IN, Moment, Story, at_ns

INTERRUPTED = state("RECONNECTING", "INTERRUPTED", "CONNECTED-3")


def faults(judgement: Judgement) -> list[str]:
    (column,) = judgement.columns
    return [row.fault for row in column.rows if row.fault]


def timed(at_s: float, *, clock_error_ns: int = 0) -> Judgement:
    story = Story("CONNECTED-3").logged_in(clock_error_ns=clock_error_ns)
    cut = story.fault(1.5, 1.5)
    story.switched(at_s, "RECONNECTING", "INTERRUPTED")
    return story.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=cut)).judged()


def test_a_missing_step_is_marked() -> None:
    judgement = Story("CONNECTED-3").logged_in().expects(*LOGGED_IN, INTERRUPTED).judged()
    row = judgement.columns[0].rows[-1]
    assert (row.expected, row.seen, row.fault) == ("RECONNECTING / INTERRUPTED", "", "missing")


def test_an_extra_callback_is_marked_with_its_time() -> None:
    story = Story("CONNECTED-3").logged_in()
    story.said(12.3456, "onLogout", code="OK")
    row = story.expects(*LOGGED_IN).judged().columns[0].rows[-1]
    assert (row.expected, row.seen, row.fault) == ("", "   12.346 s  onLogout(code=OK)", "extra")


def test_what_came_late_or_early_is_marked_with_how_much() -> None:
    # Outside the window, which is wider than 4 s by the tick of a timer (0.0156 s) and by the error of the clock.
    assert faults(timed(5.8, clock_error_ns=4_375_000)) == ["late by 0.280 s (came after 4.300 s)"]
    assert faults(timed(5.2, clock_error_ns=4_375_000)) == ["early by 0.280 s (came after 3.700 s)"]


def test_what_is_too_close_to_tell_is_marked_as_that() -> None:
    late, early = timed(5.525, clock_error_ns=4_375_000), timed(5.475, clock_error_ns=4_375_000)
    assert faults(late) == ["late by 0.005 s, too close to tell (came after 4.025 s)"]
    assert faults(early) == ["early by 0.005 s, too close to tell (came after 3.975 s)"]


def test_what_came_in_time_is_not_marked() -> None:
    assert faults(timed(5.5)) == []


def test_a_row_says_when_its_step_came_and_from_when_to_when_it_was_due() -> None:
    row = timed(5.5, clock_error_ns=4_375_000).columns[0].rows[-1]
    assert (row.at_s, row.due_s) == (5.5, (5.48, 5.52))  # 1.5 s + 4 s, by the tick of a timer and the clock's error


def test_a_step_that_never_came_was_due_all_the_same() -> None:
    story = Story("CONNECTED-3").logged_in(clock_error_ns=4_375_000)
    cut = story.fault(1.5, 1.5)
    row = story.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=cut)).judged().columns[0].rows[-1]
    assert (row.fault, row.at_s, row.due_s) == ("missing", None, (5.48, 5.52))


def expected_of(story: Story, after: Span) -> str:
    story.switched(9, "RECONNECTING", "INTERRUPTED")
    step = INTERRUPTED.within(3.5, 4.0, after=after, early="heartbeat", late="heartbeat retry")
    return story.expects(*LOGGED_IN, step).judged().columns[0].rows[-1].expected


def test_a_window_is_told_by_what_it_counts_from() -> None:
    due = "RECONNECTING / INTERRUPTED  3.5-4 s - heartbeat + heartbeat + retry after "
    story = Story("CONNECTED-3").logged_in()
    assert expected_of(story, story.fault(2, 2)) == f"{due}alice's cut"
    story = Story("CONNECTED-3").logged_in()
    assert expected_of(story, story.called(2, "logout", person="bob")) == f"{due}bob's logout"
    story = Story("CONNECTED-3").logged_in()
    assert expected_of(story, story.said(2, "onLogout", person="bob", code="OK")) == f"{due}bob's onLogout(code=OK)"
    story = Story("CONNECTED-3").logged_in()
    assert expected_of(story, story.put(2, "server", What.SERVER, "ban")) == f"{due}server's ban"
    story = Story("CONNECTED-3").logged_in()
    assert expected_of(story, Moment(at_ns(2), at_ns(2))) == f"{due}2.000 s"


def test_a_moment_is_not_taken_for_something_that_causes_nothing() -> None:
    story = Story("CONNECTED-3").logged_in()
    delay = story.put(2, "host", What.DELAY, "late")
    assert expected_of(story, delay).endswith("after 2.000 s")


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("onConnectionStateChanged", {"state": "ABORTED", "reason": "REMOTE_LOGIN"}, "ABORTED / REMOTE_LOGIN"),
        ("onLoginSuccess", {}, "onLoginSuccess()"),
        ("onMemberLeft", {"channel": "lobby", "member": "bob"}, "onMemberLeft(channel=lobby, member=bob)"),
    ],
)
def test_a_callback_is_told_in_a_few_words(name: str, args: dict[str, str], said: str) -> None:
    assert phrase(name, args) == said


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\r\n\tb\x00\x7f", "a\\r\\n\\tb\\x00\\x7f"),
        ("left\u202eright\u200b", "left\\u202eright\\u200b"),
        ("grün, 你好 🙂 '[x]'", "grün, 你好 🙂 '[x]'"),
        (["\x1b", 7], "['\\x1b', 7]"),
    ],
)
def test_what_a_terminal_would_take_for_an_order_is_shown_escaped(value: object, shown: str) -> None:
    assert phrase("onMessageReceivedFromPeer", {"text": value}) == f"onMessageReceivedFromPeer(text={shown})"
    assert phrase("onConnectionStateChanged", {"state": value, "reason": value}) == f"{shown} / {shown}"


def test_a_wait_in_vain_is_told_with_what_came_in_its_place() -> None:
    story = Story("CONNECTED-5").logged_in()
    awaited = {"name": "onTokenExpired", "args": {}, "clauses": ["OPEN-22"], "type": "step"}
    story.put(8, "alice", What.AWAITED, "onTokenExpired", step=awaited, within_s=7.0)
    assert render(story.judged()).splitlines() == [
        "FAIL  test_story",
        "  OPEN-22: alice: waited 7 s for onTokenExpired(), which never came",
        "  blame: implementation",
        "",
        "  alice",
        "      expected           seen",
        "   ok -                      0.500 s  CONNECTING / LOGIN",
        "   ok -                      0.600 s  onLoginSuccess()",
        "   ok -                      0.600 s  CONNECTED / LOGIN_SUCCESS",
        "   !! onTokenExpired()   -   << waited for, and it never came",
    ]


def test_a_failure_is_told_with_its_reason_its_blame_and_two_columns() -> None:
    story = Story("CONNECTED-3").logged_in()
    story.said(3, "onLogout", code="OK")
    text = render(story.expects(*LOGGED_IN, INTERRUPTED, callback("onTokenExpired")).judged())
    assert text.splitlines() == [
        "FAIL  test_story",
        "  CONNECTED-3: alice: onLogout(code=OK) was not expected here",
        "  blame: implementation",
        "",
        "  alice",
        "      expected                     seen",
        "   ok CONNECTING / LOGIN               0.500 s  CONNECTING / LOGIN",
        "   ok onLoginSuccess()                 0.600 s  onLoginSuccess()",
        "   ok CONNECTED / LOGIN_SUCCESS        0.600 s  CONNECTED / LOGIN_SUCCESS",
        "   !! RECONNECTING / INTERRUPTED   -   << missing",
        "   !! onTokenExpired()             -   << missing",
        "   !! -                                3.000 s  onLogout(code=OK)   << extra",
    ]


def test_a_pass_is_told_without_a_reason() -> None:
    text = render(Story("CONNECTING-1").logged_in().expects(*LOGGED_IN).judged())
    assert text.splitlines()[:2] == ["PASS  test_story", ""]


def test_what_is_in_time_where_times_are_known_too_badly_is_marked_with_how_badly() -> None:
    inside = timed(5.9, clock_error_ns=600_000_000)
    assert faults(inside) == ["in time, but known to 0.616 s only (came after 4.400 s)"]
    assert "!! RECONNECTING / INTERRUPTED  4 s after alice's cut" in render(inside)


def test_what_lies_where_no_error_can_reach_it_is_in_time_however_badly_times_are_known() -> None:
    assert faults(timed(5.5, clock_error_ns=600_000_000)) == []
