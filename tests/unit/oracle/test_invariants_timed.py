"""The rules of times: each with what keeps it, what breaks it, and what nobody can tell."""

from __future__ import annotations

import pytest

from harness.oracle.verdict import Verdict
from harness.trace import What
from tests.unit.oracle.story import LOGGED_IN, Story, blamed
from tests.unit.oracle.timed_rig import checks, deed, host_late, lost, online, verdict

PASS, FAIL = Verdict.PASS, Verdict.FAIL


def connecting(lasts_s: float | None, *, to: str = "DISCONNECTED", result: str = "onLoginFailure") -> Story:
    """Alice, whose login ends after so long, with this result."""
    story = Story("CONNECTING-5")
    story.declared()
    story.called(1, "login", uid="alice", token="t")
    story.switched(1, "CONNECTING", "LOGIN")
    if lasts_s is not None:
        if result:
            story.said(1 + lasts_s, result)
        story.switched(1 + lasts_s, to, "LOGIN_TIMEOUT" if to == "DISCONNECTED" else "LOGIN_SUCCESS")
    return story


# ------------------------------------------------------------------------------------------ CONNECTING


@pytest.mark.parametrize(("lasts_s", "expected"), [(0.1, PASS), (6.01, PASS), (6.1, FAIL), (None, FAIL)])
def test_connecting_ends_within_6_s(lasts_s: float | None, expected: Verdict) -> None:
    assert verdict(connecting(lasts_s), "CONNECTING-5") is expected


def test_a_login_that_was_still_under_way_in_the_end_or_at_a_crash_says_nothing() -> None:
    assert verdict(connecting(None), "CONNECTING-5", end_s=5) is None
    crashed = connecting(None)
    crashed.put(3, "alice", What.FAULT, "crash")
    assert verdict(crashed, "CONNECTING-5") is None


def test_a_login_that_took_too_long_on_a_host_that_was_late_says_nothing() -> None:
    story = connecting(9)
    host_late(story, 4)
    assert verdict(story, "CONNECTING-5") is None


@pytest.mark.parametrize(
    ("to", "right", "wrong", "clause"),
    [
        ("CONNECTED", "onLoginSuccess", "onLoginFailure", "CONNECTING-1"),
        ("DISCONNECTED", "onLoginFailure", "onLoginSuccess", "CONNECTING-3"),
    ],
)
def test_a_login_that_ends_has_its_result(to: str, right: str, wrong: str, clause: str) -> None:
    assert verdict(connecting(2, to=to, result=right), clause) is PASS
    assert verdict(connecting(2, to=to, result=wrong), clause) is FAIL
    assert verdict(connecting(2, to=to, result=""), clause) is FAIL


@pytest.mark.parametrize(("after_s", "expected"), [(0.2, PASS), (0.4, FAIL)])
def test_a_result_may_come_right_after_its_switch(after_s: float, expected: Verdict) -> None:
    story = connecting(2, result="")
    story.said(3 + after_s, "onLoginFailure")
    assert verdict(story, "CONNECTING-3") is expected


def test_a_result_is_not_missed_where_the_trace_the_client_or_the_host_gave_it_no_time() -> None:
    assert verdict(connecting(2, result=""), "CONNECTING-3", end_s=3.1) is None
    late = connecting(2, result="")
    host_late(late, 3)
    assert verdict(late, "CONNECTING-3") is None


def test_a_login_that_ends_in_no_way_that_there_is_has_no_result_to_be_missed() -> None:
    story = connecting(None)
    story.switched(2, "ABORTED", "REMOTE_LOGIN")
    assert checks(story, "CONNECTING-1") == checks(story, "CONNECTING-3") == []


# ------------------------------------------------------------------------------------------ CONNECTED-4


def interrupted(at_s: float, *losses: tuple[float, float | None]) -> Story:
    """Alice, CONNECTED since 1.1 s, with these losses, and RECONNECTING at this time."""
    story = online()
    for from_s, to_s in losses:
        lost(story, from_s, to_s)
    story.switched(at_s, "RECONNECTING", "INTERRUPTED")
    return story


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        (interrupted(14.0, (10, None)), PASS),
        (interrupted(13.5, (10, None)), PASS),  # a heartbeat earlier: it may have been sent unanswered before the loss
        (interrupted(13.4, (10, None)), FAIL),
        (interrupted(4.7, (0.5, None)), PASS),
        (interrupted(4.5, (0.5, None)), FAIL),  # lost before it was CONNECTED: it counts from there
        (interrupted(14.0, (10, 13.9)), PASS),  # healed, and no time was left to be back
        (interrupted(14.0, (10, 11), (12.5, None)), PASS),  # nor in between
        (interrupted(20.0, (10, 11), (19, None)), FAIL),  # the first was long over
        (interrupted(20.0, (10, 11)), FAIL),
        (interrupted(20.0), FAIL),
    ],
)
def test_reconnecting_comes_of_an_interruption_that_can_have_lasted_4_s(story: Story, expected: Verdict) -> None:
    assert verdict(story, "CONNECTED-4") is expected


def test_a_loss_that_switched_nothing_keeps_the_rule_and_no_loss_says_nothing() -> None:
    story = online()
    assert verdict(story, "CONNECTED-4") is None
    lost(story, 10, 12)
    assert verdict(story, "CONNECTED-4") is PASS
    story.switched(13, "DISCONNECTED", "LOGOUT")
    assert verdict(story, "CONNECTED-4") is PASS


def test_an_early_switch_says_nothing_where_the_host_was_late_or_the_token_may_be_refused() -> None:
    late = interrupted(12, (10, None))
    host_late(late, 11)
    assert verdict(late, "CONNECTED-4") is None
    expired = interrupted(20, (10, 11))
    expired.said(15, "onTokenExpired")
    assert verdict(expired, "CONNECTED-4") is None


@pytest.mark.parametrize(("code", "expected"), [("OK", FAIL), ("INVALID_TOKEN", None)])
def test_a_token_that_was_renewed_before_is_good_again_if_the_server_says_so(
    code: str, expected: Verdict | None
) -> None:
    story = interrupted(6, (1.2, 6.8))
    story.switched(7, "CONNECTED", "LOGIN_SUCCESS")
    story.said(3, "onTokenExpired")
    story.called(6.5, "renewToken", token="t")
    story.said(6.9, "onRenewTokenResult", token="t", code=code)
    story.switched(40, "RECONNECTING", "INTERRUPTED")
    assert verdict(story, "CONNECTED-4") is expected


# ------------------------------------------------------------------------------------------ CONNECTED-3


@pytest.mark.parametrize(("at_s", "expected"), [(14.0, PASS), (14.5, PASS), (14.6, FAIL), (None, FAIL)])
@pytest.mark.parametrize("kind", ["cut", "blackhole", "silence"])
def test_a_loss_of_over_4_s_ends_connected(kind: str, at_s: float | None, expected: Verdict) -> None:
    story = online()
    lost(story, 10, 20, kind=kind)
    if at_s is not None:
        story.switched(at_s, "RECONNECTING", "INTERRUPTED")
    assert verdict(story, "CONNECTED-3") is expected


def test_a_loss_took_effect_at_the_latest_when_its_call_returned() -> None:
    story = online()
    story.fault(10, 10.3)
    story.switched(14.8, "RECONNECTING", "INTERRUPTED")
    assert verdict(story, "CONNECTED-3") is PASS


@pytest.mark.parametrize("kind", ["delay", "half_open", "flap", "truncate"])
def test_a_fault_that_lets_something_through_need_not_end_connected(kind: str) -> None:
    story = online()
    lost(story, 10, 20, kind=kind)
    assert verdict(story, "CONNECTED-3") is None


def test_a_loss_says_nothing_of_one_who_was_not_connected_when_it_came_or_crashed_in_it() -> None:
    before = online(at_s=11)
    lost(before, 10, 20)
    assert verdict(before, "CONNECTED-3") is None
    crashed = online()
    lost(crashed, 10, 20)
    crashed.put(12, "alice", What.FAULT, "crash")
    assert verdict(crashed, "CONNECTED-3") is None


def test_a_loss_says_nothing_beside_others_or_where_it_was_short_or_the_host_late() -> None:
    beside = online()
    lost(beside, 8, 9, kind="delay")
    lost(beside, 10, 20)
    assert verdict(beside, "CONNECTED-3") is None
    short = online()
    lost(short, 10, 14.2)
    assert verdict(short, "CONNECTED-3") is None
    late = online()
    lost(late, 10, 20)
    host_late(late, 12)
    assert verdict(late, "CONNECTED-3") is None


# ------------------------------------------------------------------------------------------ RECONNECTING-1


def away(from_s: float, back_s: float | None, *losses: tuple[float, float | None]) -> Story:
    """Alice, RECONNECTING between these times."""
    story = interrupted(from_s, *losses)
    if back_s is not None:
        story.switched(back_s, "CONNECTED", "LOGIN_SUCCESS")
    return story


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        (away(14, 20.5, (10, 20)), PASS),
        (away(14, 28.0, (10, 20)), PASS),  # 2 s to try again, as declared, and 6 s to log in
        (away(14, 28.2, (10, 20)), FAIL),
        (away(14, None, (10, 20)), FAIL),
        (away(14, 40, (10, 20), (27, 39)), PASS),  # lost again before that time was over
        (away(14, 40, (10, 20), (29, 39)), FAIL),  # and after it
        (away(14, None, (10, None)), None),
        (away(14, 15, (10, 13)), PASS),
        (away(14, 40, (10, 20), (27, 45)), None),
    ],
)
def test_who_can_be_back_is_back(story: Story, expected: Verdict | None) -> None:
    assert verdict(story, "RECONNECTING-1") is expected


def test_a_fault_that_begins_when_it_is_back_takes_nothing_from_its_time() -> None:
    story = away(14, 21, (10, 20), (30, 31))
    assert verdict(story, "RECONNECTING-1") is PASS


def test_a_logout_ends_the_trying_and_proves_nothing() -> None:
    story = away(14, None, (10, 20))
    story.switched(21, "DISCONNECTED", "LOGOUT")
    assert verdict(story, "RECONNECTING-1") is None


def test_who_is_not_back_is_not_blamed_where_the_server_may_refuse_it_or_the_host_was_late() -> None:
    expired = away(14, None, (10, 20))
    expired.said(16, "onTokenExpired")
    banned = away(14, None, (10, 20))
    deed(banned, 16, "ban", uid="alice")
    late = away(14, None, (10, 20))
    host_late(late, 22)
    assert [verdict(story, "RECONNECTING-1") for story in (expired, banned, late)] == [None, None, None]


def test_a_ban_of_somebody_else_is_no_excuse() -> None:
    story = away(14, None, (10, 20))
    deed(story, 16, "ban", uid="bob")
    assert verdict(story, "RECONNECTING-1") is FAIL


# ------------------------------------------------------------------------------------------ RECONNECTING-2


def seen_to_leave(at_s: float, *losses: tuple[float, float | None]) -> Story:
    """Bob sees alice leave; these are the losses of her link."""
    story = online().logged_in("bob", at_s=1.2)
    for from_s, to_s in losses:
        lost(story, from_s, to_s)
    story.said(at_s, "onMemberLeft", person="bob", channel="lobby", member="alice")
    return story


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        (seen_to_leave(40, (10, None)), PASS),
        (seen_to_leave(39.5, (10, None)), PASS),
        (seen_to_leave(39.4, (10, None)), FAIL),
        (seen_to_leave(45, (10, 41)), PASS),  # told late: what the observer's own link does is not asked for
        (seen_to_leave(45, (10, 20)), FAIL),
        (seen_to_leave(45, (10, 20), (21, 41)), PASS),
        (seen_to_leave(45), FAIL),
    ],
)
def test_nobody_is_seen_to_leave_before_they_were_unheard_for_30_s(story: Story, expected: Verdict) -> None:
    assert verdict(story, "RECONNECTING-2", person="bob") is expected


def test_somebody_who_is_nobodys_client_may_leave_as_they_like() -> None:
    story = online()
    story.said(5, "onMemberLeft", channel="lobby", member="somebody")
    assert verdict(story, "RECONNECTING-2") is None


def gone_by_logout(story: Story) -> None:
    story.called(4, "logout")


def gone_from_the_channel(story: Story) -> None:
    story.called(4, "leave", channel="lobby")


def out_after_a_failed_join(story: Story) -> None:
    story.said(4, "onJoinFailure", channel="lobby", code="JOIN_CHANNEL_TIMEOUT")


def begun_anew(story: Story) -> None:
    story.called(4, "login", uid="alice", token="t")


def thrown_out(story: Story) -> None:
    deed(story, 4, "ban", uid="alice")


def gone_with_the_server(story: Story) -> None:
    deed(story, 4, "server kill")


def late_host(story: Story) -> None:
    host_late(story, 4)


EXCUSES = [
    gone_by_logout,
    gone_from_the_channel,
    out_after_a_failed_join,
    begun_anew,
    thrown_out,
    gone_with_the_server,
    late_host,
]


@pytest.mark.parametrize("excuse", EXCUSES)
def test_somebody_who_went_or_was_sent_away_may_be_seen_to_leave(excuse: object) -> None:
    story = seen_to_leave(5)
    assert callable(excuse)
    excuse(story)
    assert verdict(story, "RECONNECTING-2", person="bob") is None


@pytest.mark.parametrize("at_s", [4, 6])
def test_only_what_comes_before_and_concerns_that_channel_is_an_excuse(at_s: float) -> None:
    story = seen_to_leave(5)
    story.called(at_s, "leave", channel="hall" if at_s < 5 else "lobby")
    story.called(4, "logout", person="bob")
    assert verdict(story, "RECONNECTING-2", person="bob") is FAIL


# ------------------------------------------------------------------------------------------ in the judge


def test_the_judge_holds_every_scenario_against_them_whatever_it_expects() -> None:
    judgement = online().expects(*LOGGED_IN).judged()
    assert judgement.verdict is PASS
    broken = connecting(9).expects()
    assert "CONNECTING-5" in blamed(broken.judged())
