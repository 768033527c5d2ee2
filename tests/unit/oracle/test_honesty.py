"""What an adapter says is held against what the harness knows by itself."""

from __future__ import annotations

import pytest

from harness.oracle.budget import TIMER_TICK_NS
from harness.oracle.expect import AT_ONCE_S
from harness.oracle.verdict import Judgement, Verdict
from harness.trace import Observation, What
from tests.unit.oracle.story import LOGGED_IN, Story, at_ns

MS = 1_000_000
CLOCK_ERROR_NS = 2 * MS
AT_ONCE_NS = round(AT_ONCE_S * 1_000 * MS)


def heard(story: Story, arrived_after_ns: int, *, at_s: float = 2.0, name: str = "onTokenExpired") -> Story:
    """Add a callback that the harness heard of so long after its stamp."""
    stamp_ns = at_ns(at_s)
    arrived_ns = stamp_ns + arrived_after_ns
    story.trace.append(Observation(stamp_ns, "alice", What.CALLBACK, name, {}, arrived_ns=arrived_ns))
    return story


def told() -> Story:
    return Story("CONNECTING-1").logged_in(clock_error_ns=CLOCK_ERROR_NS)


def verdict_of(story: Story, *extra: str) -> Judgement:
    steps = [*LOGGED_IN, *(LOGGED_IN[1].__class__(name, {}) for name in extra)]
    return story.expects(*steps).judged()


def exposed(judgement: Judgement) -> str:
    assert (judgement.verdict, judgement.blame) == (Verdict.ERROR, "adapter")
    assert judgement.reason.startswith("the adapter cannot be believed: ")
    return judgement.reason


@pytest.mark.parametrize("after_ns", [-CLOCK_ERROR_NS, 0, MS, AT_ONCE_NS + TIMER_TICK_NS + CLOCK_ERROR_NS])
def test_a_stamp_that_is_as_true_as_it_can_be_is_believed(after_ns: int) -> None:
    assert verdict_of(heard(told(), after_ns), "onTokenExpired").verdict is Verdict.PASS


def test_a_stamp_from_the_future_is_exposed() -> None:
    reason = exposed(verdict_of(heard(told(), -CLOCK_ERROR_NS - 1), "onTokenExpired"))
    assert "alice: onTokenExpired is stamped 0.002 s after the harness had heard of it" in reason


def test_what_is_heard_of_long_after_its_stamp_is_exposed() -> None:
    after_ns = AT_ONCE_NS + TIMER_TICK_NS + CLOCK_ERROR_NS + 1
    reason = exposed(verdict_of(heard(told(), after_ns), "onTokenExpired"))
    assert "was heard of 0.218 s after its stamp, while nothing here was late by more than 0.018 s" in reason


@pytest.mark.parametrize("source", ["host", "harness", "server"])
def test_what_the_host_held_up_is_not_laid_on_the_adapter(source: str) -> None:
    story = heard(told(), AT_ONCE_NS + 40 * MS)
    story.delayed(2.0, 30 * MS, source=source)
    assert verdict_of(story, "onTokenExpired").verdict is Verdict.PASS


def test_on_a_host_that_was_very_late_a_late_line_is_laid_on_nobody() -> None:
    story = heard(told(), 1_900 * MS)
    story.delayed(2.0, 200 * MS)  # four times that on the way is more than half a second
    assert verdict_of(story, "onTokenExpired").blame != "adapter"


def test_a_stamp_before_that_of_an_earlier_line_is_exposed() -> None:
    story = heard(told(), MS)
    story.trace.append(
        Observation(at_ns(1.97), "alice", What.CALLBACK, "onLogout", {"code": "OK"}, arrived_ns=at_ns(2.01))
    )
    reason = exposed(story.expects(*LOGGED_IN).judged())
    assert "alice: onLogout is stamped 0.030 s before what was written earlier" in reason


def test_two_threads_may_write_in_another_order_than_they_stamp() -> None:
    story = heard(told(), 3 * MS)
    stamp_ns = at_ns(2.0) - TIMER_TICK_NS
    story.trace.append(Observation(stamp_ns, "alice", What.CALLBACK, "onTokenExpired", {}, arrived_ns=at_ns(2.004)))
    story.put(2.5, "alice", What.CALL, "renewToken", token="another")
    judgement = verdict_of(story, "onTokenExpired", "onTokenExpired")
    assert judgement.blame != "adapter"


def test_an_answer_from_before_its_call_is_exposed() -> None:
    story = told()
    story.called(3.0, "join", channel="lobby")
    story.trace.append(Observation(at_ns(2.99), "alice", What.RETURN, "join", {"code": "OK"}, arrived_ns=at_ns(3.001)))
    assert "alice: join is stamped as answered 0.010 s before it was called" in exposed(verdict_of(story))


def counted(story: Story, logins: int, person: str = "alice") -> Story:
    story.put(80, person, What.COUNTED, "counted", connections=1, logins=logins)
    return story


def test_a_login_that_the_server_never_saw_is_exposed() -> None:
    reason = exposed(verdict_of(counted(told(), 0)))
    assert "alice: was told 1 times that alice is connected, and the server saw 0 logins" in reason


@pytest.mark.parametrize("logins", [1, 2])
def test_logins_that_the_server_saw_are_believed(logins: int) -> None:
    assert verdict_of(counted(told(), logins)).verdict is Verdict.PASS


def test_a_server_that_was_restarted_has_forgotten_what_it_saw() -> None:
    story = counted(told(), 0)
    story.put(40, "server", What.SERVER, "server kill")
    story.put(41, "server", What.SERVER, "server start")
    assert verdict_of(story).blame != "adapter"


def test_two_instances_of_one_user_are_counted_together() -> None:
    story = told().logged_in("bob", at_s=10)
    story.trace = [
        each
        if each.name != "login" or each.what is not What.CALL
        else Observation(each.at_ns, each.source, each.what, each.name, {"uid": "alice", "token": "t"})
        for each in story.trace
    ]
    counted(counted(story, 1), 1, "bob")
    story.expects(*LOGGED_IN, person="bob")
    assert "was told 2 times that alice is connected, and the server saw 1 logins" in exposed(verdict_of(story))


def test_a_broken_rule_is_no_rule_where_the_adapter_lies() -> None:
    """Nothing can be said: not that the client is wrong either."""
    story = heard(told(), -CLOCK_ERROR_NS - 1)
    exposed(story.expects(*LOGGED_IN).judged())  # one too many, but what is it worth?
