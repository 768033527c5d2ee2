"""What was counted beside what the client said: its connections in the kernel, its logins at the server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.oracle.history import of_person
from harness.oracle.invariants import LOGINS_AT_ONCE_MAX, LOGINS_PER_S_MAX, check_invariants
from harness.oracle.verdict import Check, Verdict
from harness.trace import What
from tests.unit.oracle.story import LOGGED_IN, Story

ENDED_S = 20.1  # counted 20 s after the person was there


def counted(story: Story, *, at_s: float = ENDED_S, **numbers: int) -> list[Check]:
    """The checks that are made of what was counted of alice in the end."""
    story.put(at_s, "alice", What.COUNTED, "counted", **numbers)
    checks = check_invariants("alice", of_person("alice", story.trace))
    return [check for check in checks if check.clause in ("OPEN-2", "OPEN-16", "ABORTED-1", "OPEN-28")]


def online() -> Story:
    return Story("CONNECTED-1").logged_in()


def away() -> Story:
    story = online()
    story.switched(5, "DISCONNECTED", "LOGOUT")
    return story


def aborted() -> Story:
    story = online()
    story.switched(5, "ABORTED", "REMOTE_LOGIN")
    return story


def never_logged_in() -> Story:
    story = Story("CONNECTED-1")
    story.declared()
    return story


# ------------------------------------------------------------------------------------------ connections


@pytest.mark.parametrize(
    ("story", "clause", "right", "state"),
    [
        (online, "OPEN-2", 1, "CONNECTED"),
        (away, "OPEN-16", 0, "DISCONNECTED"),
        (never_logged_in, "OPEN-16", 0, "DISCONNECTED"),
        (aborted, "ABORTED-1", 0, "ABORTED"),
    ],
)
@pytest.mark.parametrize("connections", [0, 1, 2])
def test_each_settled_state_has_its_number_of_connections(
    story: Callable[[], Story], clause: str, right: int, state: str, connections: int
) -> None:
    (check,) = counted(story(), connections=connections)
    assert (check.clause, check.person) == (clause, "alice")
    assert check.verdict is (Verdict.PASS if connections == right else Verdict.FAIL)
    rule = f"{right} live connections while {state}"
    assert check.what == (rule if connections == right else f"{rule}; but {connections} were open")


@pytest.mark.parametrize(("to", "reason"), [("RECONNECTING", "INTERRUPTED"), ("CONNECTING", "LOGIN"), ("<9>", "<9>")])
@pytest.mark.parametrize("connections", [0, 1, 5])
def test_whoever_looks_for_a_connection_may_have_several_or_none(to: str, reason: str, connections: int) -> None:
    story = online()
    story.switched(5, to, reason)
    assert counted(story, connections=connections) == []


def test_while_a_fault_is_on_the_link_nobody_can_tell() -> None:
    story = online()
    story.fault(5, 5)
    assert counted(story, connections=0) == []


def test_a_fault_that_was_healed_is_no_excuse() -> None:
    story = online()
    story.fault(5, 5)
    story.put(6, "alice", What.FAULT, "healing of cut")
    (check,) = counted(story, connections=2)
    assert check.verdict is Verdict.FAIL


def test_of_two_faults_one_that_was_not_healed_is_enough() -> None:
    story = online()
    story.put(5, "alice", What.FAULT, "freeze")
    story.put(6, "alice", What.FAULT, "delay")
    story.put(7, "alice", What.FAULT, "healing of freeze")
    assert counted(story, connections=0) == []
    story.put(21, "alice", What.FAULT, "healing of delay")
    assert [check.verdict for check in counted(story, at_s=22, connections=0)] == [Verdict.FAIL]


def test_a_fault_on_somebody_elses_link_is_no_excuse() -> None:
    story = online()
    story.fault(5, 5, "bob")
    assert [check.verdict for check in counted(story, connections=0)] == [Verdict.FAIL]


def test_somebody_who_crashed_has_no_connections_to_speak_of() -> None:
    story = online()
    story.put(5, "alice", What.FAULT, "crash")
    assert counted(story) == []


def test_of_several_counts_the_last_is_judged() -> None:
    story = online()
    story.put(10, "alice", What.COUNTED, "counted", connections=3)
    assert [check.verdict for check in counted(story, connections=1)] == [Verdict.PASS]


# ------------------------------------------------------------------------------------------ logins

MOST = LOGINS_AT_ONCE_MAX + LOGINS_PER_S_MAX * 20


@pytest.mark.parametrize(
    ("logins", "verdict"), [(0, Verdict.PASS), (MOST, Verdict.PASS), (MOST + 1, Verdict.FAIL), (189, Verdict.FAIL)]
)
def test_a_client_may_log_in_so_often_and_no_oftener(logins: int, verdict: Verdict) -> None:
    (check,) = counted(online(), logins=logins)
    assert (check.clause, check.verdict) == ("OPEN-28", verdict)
    rule = f"no storm: no more than {MOST} logins in 20 s"
    assert check.what == (rule if verdict is Verdict.PASS else f"{rule}; but there were {logins}")


def test_the_storm_that_was_seen_is_found_at_once() -> None:
    (check,) = counted(online(), at_s=0.6, logins=189)
    assert check.verdict is Verdict.FAIL
    assert "no more than 12 logins in 0 s; but there were 189" in check.what


def test_both_numbers_are_judged_and_what_was_not_counted_is_not() -> None:
    assert [check.clause for check in counted(online(), connections=1, logins=1)] == ["OPEN-2", "OPEN-28"]
    assert counted(online()) == []


def test_what_is_wrong_with_what_was_counted_decides_the_verdict() -> None:
    story = online()
    story.put(ENDED_S, "alice", What.COUNTED, "counted", connections=2, logins=1)
    judgement = story.expects(*LOGGED_IN).judged()
    assert (judgement.verdict, judgement.blame) == (Verdict.FAIL, "implementation")
    assert judgement.reason == "OPEN-2: alice: 1 live connections while CONNECTED; but 2 were open"
