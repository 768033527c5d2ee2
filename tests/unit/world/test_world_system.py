from __future__ import annotations

from typing import Any

import pytest

from harness.trace import Observation, What
from harness.world.engine import Moment
from harness.world.virtual_loop import START_NS, passed_s
from harness.world.world import LateError, Waiting, World
from tests.unit.world.fake_engine import FakeEngine
from tests.unit.world.world_rig import S, ignored, kinds, played, the


def test_time_passes_as_long_as_it_is_said() -> None:
    async def body(world: World) -> None:
        await world.sleep(2.5)
        assert passed_s() == 2.5
        await world.until(4, after=Moment(START_NS, START_NS + S))
        assert passed_s() == 5.0
        await world.until(5, after=Moment(START_NS, START_NS))  # just in time
        await world.settle()
        assert passed_s() == 6.0

    played(body)


def test_coming_too_late_to_a_moment_ends_the_scenario_and_is_recorded() -> None:
    said = "the harness came 1.000 s too late to the moment 2 s after something"

    async def body(world: World) -> None:
        await world.sleep(3)
        with pytest.raises(LateError, match=said):
            await world.until(2, after=Moment(START_NS - S, START_NS))
        assert passed_s() == 3

    late = the(played(body), What.LATE)
    assert (late.at_ns, late.args) == (START_NS + 3 * S, {"text": said})


def test_nothing_can_be_waited_for_after_what_never_happened() -> None:
    async def body(world: World) -> None:
        with pytest.raises(ValueError, match="has not happened"):
            await world.until(2, after=None)

    played(body)


def test_a_partition_is_told_by_the_names_of_its_people() -> None:
    engine = FakeEngine()

    async def body(world: World) -> None:
        alice, bob, carol = [await world.person(name) for name in ("alice", "bob", "carol")]
        world.partition([alice, carol], [bob])

    played(body, engine)
    assert engine.partitions == [[["alice", "carol"], ["bob"]]]


@pytest.mark.parametrize("resettable", [False, True])
def test_a_link_can_be_reset_only_where_that_is_asked_for(resettable: bool) -> None:
    engine = FakeEngine()

    async def body(world: World) -> None:
        await world.person("alice", resettable=resettable)
        await world.online("bob", resettable=resettable)
        await world.person("carol")

    played(body, engine)
    assert engine.links == {"alice": resettable, "bob": resettable, "carol": False}


def test_a_server_of_its_own_puts_its_deeds_into_the_worlds_trace() -> None:
    async def body(world: World) -> None:
        server: Any = await world.own_server()
        server.record(Observation(START_NS, "server", What.SERVER, "server kill"))
        assert server.on_failure is ignored

    assert kinds(played(body))[1:] == ["server server kill"]


def test_a_crash_is_recorded_as_a_fault_of_the_person_from_when_it_was_made_until_it_was_done() -> None:
    engine = FakeEngine()

    async def body(world: World) -> None:
        crash = await world.crash(await world.person("alice"))
        assert crash == Moment(START_NS, START_NS + S // 8)

    recorded = the(played(body, engine), What.FAULT)
    assert engine.crashed == ["alice"]
    assert (recorded.source, recorded.name) == ("alice", "crash")
    assert (recorded.at_ns, recorded.until_ns) == (START_NS, START_NS + S // 8)
    assert recorded.args == {"visible": True, "proof": "the process was reaped"}


def test_a_ban_is_recorded_from_when_it_was_asked_for_until_it_was_done() -> None:
    engine = FakeEngine()

    async def body(world: World) -> None:
        banned = await world.ban("alice")
        assert banned.t1_ns - banned.t0_ns == S // 4

    recorded = the(played(body, engine), What.SERVER)
    assert engine.asked == [("ban", {"uid": "alice"})]
    assert (recorded.at_ns, recorded.until_ns, recorded.name) == (START_NS, START_NS + S // 4, "ban")


def test_after_the_quiet_time_everybody_is_counted_and_what_is_not_known_is_left_out() -> None:
    engine = FakeEngine()
    engine.counts = {"first": {"connections": 1, "logins": 3}, "second": {"logins": 4}}

    async def body(world: World) -> None:
        await world.person("first", uid="alice")
        await world.person("second", uid="alice")
        await world.settle()

    counted = [each for each in played(body, engine).trace if each.what is What.COUNTED]
    assert engine.counted == [("first", "alice"), ("second", "alice")]
    assert [(each.source, each.args) for each in counted] == [
        ("first", {"connections": 1, "logins": 3}),
        ("second", {"logins": 4}),
    ]
    assert {each.at_ns for each in counted} == {START_NS + S}  # QUIET_S


def test_how_long_a_wait_will_still_last_can_be_told() -> None:
    async def body(world: World) -> None:
        await world.sleep(4)
        assert world.waiting.left(START_NS + S) == "3 s"
        assert world.waiting.left(START_NS + 4 * S - 1) == "0 s"
        assert world.waiting.left(START_NS + 4 * S) == ""
        assert world.waiting.left(START_NS + 5 * S) == ""

    assert played(body).waiting == Waiting("waiting for 4 s to pass", START_NS + 4 * S)


def test_of_a_wait_with_no_known_end_nothing_is_told() -> None:
    assert Waiting("starting its people").left(START_NS) == ""


def test_a_world_says_what_it_waits_for() -> None:
    async def body(world: World) -> None:
        told = [world.waiting]
        for wait in (world.sleep(2.5), world.until(4.5, after=Moment(START_NS, START_NS)), world.settle()):
            await wait
            told.append(world.waiting)
        assert told == [
            Waiting("starting its people"),
            Waiting("waiting for 2.5 s to pass", START_NS + 25 * S // 10),
            Waiting("waiting until 4.5 s after its anchor", START_NS + 45 * S // 10),
            Waiting("watching that nothing else comes", START_NS + 55 * S // 10),
        ]

    played(body)
