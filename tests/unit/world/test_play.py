from __future__ import annotations

import asyncio

import pytest

from harness.errors import AdapterError, LinkproofError, ToxiproxyError
from harness.oracle.expect import callback, state
from harness.oracle.judge import judge
from harness.oracle.verdict import Judgement, Verdict
from harness.spec.timing import NS_PER_S
from harness.trace import Observation, What
from harness.world.phrases import LOGGED_IN
from harness.world.play import Play, Scenario
from harness.world.virtual_loop import START_NS, passed_s, run
from harness.world.world import QUIET_S, Title, World
from tests.unit.world.fake_engine import FakeEngine, fail_in

GONE = AdapterError("alice: the process ended with exit code 7")


def played(scenario: Scenario, engine: FakeEngine | None = None, *, limit_s: float = 60) -> list[Observation]:
    engine = engine or FakeEngine()

    async def play() -> list[Observation]:
        return await Play(Title("test_scenario", ("CONNECTING-1",)), engine).run(scenario, limit_s=limit_s)

    trace = run(play())
    assert engine.closed_ns > 0
    return trace


def judged(scenario: Scenario, engine: FakeEngine | None = None, *, limit_s: float = 60) -> Judgement:
    return judge(played(scenario, engine, limit_s=limit_s))


async def logs_in(world: World) -> None:
    alice = await world.online("alice")
    alice.saw(*LOGGED_IN)


def test_a_scenario_that_went_well_ends_after_a_quiet_time_and_passes() -> None:
    trace = played(logs_in)
    assert judge(trace).verdict is Verdict.PASS
    assert (trace[0].what, trace[-1].what) == (What.SCENARIO, What.END)
    assert trace[-1].at_ns - START_NS == pytest.approx((0.1 + QUIET_S) * NS_PER_S, abs=10)


def test_the_measure_of_the_host_stands_where_the_judge_reads_it() -> None:
    engine = FakeEngine()
    trace = played(logs_in, engine)
    assert engine.measured == [(trace[0].at_ns, trace[-1].at_ns)]
    assert (trace[1].what, trace[1].at_ns, trace[1].until_ns) == (What.DELAY, trace[0].at_ns, trace[0].at_ns + 1000)


@pytest.mark.parametrize(("after_s", "verdict"), [(QUIET_S - 0.01, "FAIL"), (QUIET_S + 0.01, "PASS")])
def test_what_comes_in_the_quiet_time_is_judged_and_what_comes_after_is_not(after_s: float, verdict: str) -> None:
    async def body(world: World) -> None:
        await logs_in(world)
        engine.clients["alice"].say(after_s, "onTokenExpired", {})

    engine = FakeEngine()
    assert judged(body, engine).verdict == verdict


def test_something_awaited_in_vain_ends_the_scenario_as_a_failure_of_the_implementation() -> None:
    async def body(world: World) -> None:
        alice = await world.online("alice")
        await alice.sees(state("ABORTED", "REMOTE_LOGIN", "CONNECTED-5"))
        raise AssertionError("not reached")

    judgement = judged(body)
    assert (judgement.verdict, judgement.blame) == (Verdict.FAIL, "implementation")
    assert judgement.of_clauses()["CONNECTED-5"] is Verdict.FAIL


def test_what_is_missing_on_a_host_that_was_very_late_is_laid_on_the_host() -> None:
    async def body(world: World) -> None:
        alice = await world.online("alice")
        await alice.sees(callback("onTokenExpired", "OPEN-22"))

    engine = FakeEngine()
    engine.late_ns = NS_PER_S
    judgement = judged(body, engine)
    assert (judgement.verdict, judgement.blame) == (Verdict.INCONCLUSIVE, "host")
    said = "waited 7 s for onTokenExpired(), which never came; but on this host things may have been 4000 ms late"
    assert judgement.reason == f"OPEN-22: alice: {said}"


def test_coming_too_late_to_a_moment_ends_the_scenario_and_is_laid_on_the_host() -> None:
    async def body(world: World) -> None:
        alice = await world.person("alice")
        login = await alice.login()
        await world.sleep(3)
        await world.until(2, after=login)
        raise AssertionError("not reached")

    trace = played(body)
    judgement = judge(trace)
    assert (judgement.verdict, judgement.blame) == (Verdict.INCONCLUSIVE, "host")
    assert judgement.reason == "the harness came 1.000 s too late to the moment 2 s after something"
    assert [each.what for each in trace[-2:]] == [What.LATE, What.END]


def test_something_lacking_ends_the_scenario_as_unsupported() -> None:
    async def body(world: World) -> None:
        alice = await world.online("alice")
        await alice.query_online("bob")

    engine = FakeEngine()
    engine.capabilities = []
    assert judged(body, engine).verdict is Verdict.UNSUPPORTED


def test_a_client_that_fails_ends_the_scenario_at_once_and_by_its_own_fault() -> None:
    async def body(world: World) -> None:
        await world.person("alice")
        fail_in(engine.clients["alice"], 3, GONE)
        fail_in(engine.clients["alice"], 3, AdapterError("and again"))
        await world.sleep(40)

    engine = FakeEngine()
    trace = played(body, engine)
    judgement = judge(trace)
    assert (judgement.verdict, judgement.reason, judgement.blame) == (Verdict.ERROR, str(GONE), "adapter")
    assert trace[-1].at_ns == START_NS + 3 * NS_PER_S


def test_what_follows_from_a_failure_does_not_take_its_place() -> None:
    async def body(world: World) -> None:
        await world.person("alice")
        fail_in(engine.clients["alice"], 3, GONE)
        try:
            await world.sleep(40)
        finally:
            raise ToxiproxyError("the fault cannot be healed")

    engine = FakeEngine()
    assert judged(body, engine).reason == str(GONE)


def failing_when_it_ended(engine: FakeEngine) -> None:
    """Have a client fail when the scenario and its quiet time have just ended, before anybody has looked at that."""
    body = asyncio.current_task()
    assert body is not None
    body.add_done_callback(lambda _: engine.clients["alice"].fail(GONE))


def test_a_failure_that_comes_when_the_scenario_has_just_ended_spoils_it_all_the_same() -> None:
    async def body(world: World) -> None:
        await logs_in(world)
        failing_when_it_ended(engine)

    engine = FakeEngine()
    trace = played(body, engine)
    judgement = judge(trace)
    assert (judgement.verdict, judgement.reason, judgement.blame) == (Verdict.ERROR, str(GONE), "adapter")
    assert [each.what for each in trace[-2:]] == [What.ERROR, What.END]
    assert trace[-1].at_ns - START_NS == pytest.approx((0.1 + QUIET_S) * NS_PER_S, abs=10)


def test_a_failure_that_comes_when_the_scenario_has_just_waited_in_vain_takes_the_place_of_that() -> None:
    async def body(world: World) -> None:
        alice = await world.online("alice")
        failing_when_it_ended(engine)
        await alice.sees(callback("onTokenExpired", "OPEN-22"))

    engine = FakeEngine()
    judgement = judged(body, engine)
    assert (judgement.verdict, judgement.reason) == (Verdict.ERROR, str(GONE))


def test_a_failure_while_everything_is_taken_away_is_none() -> None:
    async def body(world: World) -> None:
        await logs_in(world)
        fail_in(engine.clients["alice"], QUIET_S + 0.25, GONE)

    engine = FakeEngine()
    assert judged(body, engine).verdict is Verdict.PASS


def test_an_error_that_says_whose_it_is_is_laid_on_them() -> None:
    async def body(_: World) -> None:
        raise ToxiproxyError("no answer")

    judgement = judged(body)
    assert (judgement.verdict, judgement.reason) == (Verdict.ERROR, "toxiproxy: no answer")
    assert judgement.blame == "toxiproxy"


def test_a_fault_that_went_away_by_itself_takes_every_verdict_away() -> None:
    async def never_logs_in(world: World) -> None:
        await logs_in(world)
        alice = await world.online("alice")
        await alice.sees(state("ABORTED", "REMOTE_LOGIN", "CONNECTED-5"))  # in vain

    for scenario in (logs_in, never_logs_in):
        engine = FakeEngine()
        engine.vanished = ToxiproxyError("the cut is not in place")
        judgement = judged(scenario, engine)
        assert (judgement.verdict, judgement.blame) == (Verdict.ERROR, "toxiproxy")
        assert "the cut is not in place" in judgement.reason


def test_any_other_error_is_the_harnesss_and_shows_where_it_was_raised() -> None:
    async def body(world: World) -> None:
        await world.sleep(1)
        raise KeyError("oops")

    judgement = judged(body)
    assert (judgement.verdict, judgement.blame) == (Verdict.ERROR, "harness")
    assert "the scenario raised KeyError: 'oops'" in judgement.reason
    assert 'raise KeyError("oops")' in judgement.reason
    assert "test_play.py" in judgement.reason


def test_a_scenario_that_takes_too_long_says_what_it_waited_for() -> None:
    async def body(world: World) -> None:
        alice = await world.online("alice")
        await alice.sees(callback("onTokenExpired"), within_s=500)

    trace = played(body, limit_s=20)
    judgement = judge(trace)
    assert (judgement.verdict, judgement.blame) == (Verdict.ERROR, "harness")
    assert "the scenario did not end within 20 s; it was waiting for alice to see onTokenExpired()" in judgement.reason
    assert trace[-1].at_ns == START_NS + 20 * NS_PER_S


def test_a_scenario_that_cancels_itself_is_an_error() -> None:
    async def body(_: World) -> None:
        raise asyncio.CancelledError

    assert "the scenario was cancelled" in judged(body).reason


def test_what_cannot_be_taken_away_spoils_the_scenario_although_it_had_ended_well() -> None:
    engine = FakeEngine()
    engine.close_error = LinkproofError("alice: could not be stopped")
    trace = played(logs_in, engine)
    assert [each.what for each in trace[-2:]] == [What.END, What.ERROR]
    judgement = judge(trace)
    assert (judgement.verdict, judgement.reason) == (Verdict.ERROR, "harness: alice: could not be stopped")


def test_a_mistake_of_the_engine_itself_is_not_swallowed() -> None:
    engine = FakeEngine()
    engine.close_error = ZeroDivisionError("a mistake")
    with pytest.raises(ZeroDivisionError):
        played(logs_in, engine)


def test_being_cancelled_takes_everything_away_before_it_comes_out() -> None:
    engine = FakeEngine()

    async def cancelled_at_3_s() -> float:
        async def body(world: World) -> None:
            await logs_in(world)
            await world.sleep(40)

        play = Play(Title("test_scenario", ()), engine)
        playing = asyncio.create_task(play.run(body, limit_s=60))
        await asyncio.sleep(3)
        playing.cancel()
        await asyncio.wait({playing})
        assert playing.cancelled()
        assert play.world.trace[-1].what is What.EXPECTED
        return passed_s()

    assert run(cancelled_at_3_s()) == 3.5
    assert engine.closed_ns == START_NS + 3.5 * NS_PER_S


def test_while_everything_is_taken_away_it_says_so() -> None:
    async def play() -> str:
        playing = Play(Title("test_scenario", ()), FakeEngine())
        await playing.run(logs_in, limit_s=60)
        return playing.world.waiting.what

    assert run(play()) == "waiting for its processes to end"
