"""The virtual world as a whole: its words, its seed, no real clock in it, and no wrong core that it lets through."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest

from harness import trace
from harness.cli.suite import collect
from harness.collection import spec_of
from harness.errors import LinkproofError
from harness.oracle.expect import callback, nothing, state
from harness.oracle.judge import judge
from harness.oracle.verdict import Judgement, Verdict
from harness.reference.client_core import ClientCore
from harness.reference.server_core import ServerCore
from harness.run import OVERTIME_S, ScenarioSpec
from harness.trace import Observation, What
from harness.world.engine import TO_SERVER
from harness.world.phrases import LOGGED_IN
from harness.world.play import Scenario
from harness.world.virtual import START_NS, VirtualConfig, play_virtually
from harness.world.virtual_link import CALL_NS
from harness.world.world import Title, World
from tests.unit.world.virtual_rig import S
from tests.unit.world.wrong_cores import HastyCore

REFERENCE = VirtualConfig()
CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep")
# Cut off for so long that it tries again and again: its back-off has jitter.
AWAY_FOR_LONG = "test_it_keeps_trying_until_it_succeeds"


@pytest.fixture(scope="module")
def scenarios() -> list[ScenarioSpec]:
    """Every scenario there is."""
    return [spec_of(item) for item in collect()]


def played(scenario: Scenario, config: VirtualConfig = REFERENCE, *, limit_s: float = 100) -> list[Observation]:
    return play_virtually(Title("test_scenario", ("GENERAL-1",)), scenario, limit_s=limit_s, config=config)


def played_spec(spec: ScenarioSpec, config: VirtualConfig = REFERENCE) -> list[Observation]:
    return play_virtually(spec.title, spec.body, limit_s=spec.lasts_s + OVERTIME_S, config=config)


def the_error(observations: list[Observation]) -> dict[str, Any]:
    (error,) = (each.args for each in observations if each.what is What.ERROR)
    return error


def seen(observations: list[Observation], name: str) -> list[str]:
    """The callbacks of a person: their names, and the state where that is what they tell."""
    callbacks = (each for each in observations if each.what is What.CALLBACK and each.source == name)
    return [str(each.args.get("state", each.name)) for each in callbacks]


@contextmanager
def without_clocks() -> Iterator[None]:
    """No clock of the machine can be read, and nobody can sleep."""

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("somebody wants to know what time it really is")

    with pytest.MonkeyPatch.context() as patch:
        for name in CLOCKS:
            patch.setattr(time, name, refuse)
        yield


# ----------------------------------------------------------------------------------------------- the whole suite


def test_every_scenario_passes_and_none_looks_at_a_real_clock(scenarios: list[ScenarioSpec]) -> None:
    with without_clocks():
        judgements = [judge(played_spec(spec)) for spec in scenarios]
    assert len(judgements) > 200
    assert [(each.scenario, each.reason) for each in judgements if each.verdict is not Verdict.PASS] == []


def test_a_look_at_a_real_clock_would_be_noticed() -> None:
    async def body(_: World) -> None:
        time.monotonic()

    with without_clocks():
        observations = played(body)
    assert "somebody wants to know what time it really is" in the_error(observations)["text"]


def test_the_same_seed_gives_the_same_traces_byte_for_byte(scenarios: list[ScenarioSpec]) -> None:
    for spec in scenarios[::7]:
        first, second = (trace.dump(played_spec(spec, VirtualConfig(seed=7))) for _ in range(2))
        assert first == second, spec.title.name


def test_another_seed_may_give_another_trace_and_gives_the_same_verdict(scenarios: list[ScenarioSpec]) -> None:
    (spec,) = (each for each in scenarios if each.title.name.endswith(AWAY_FOR_LONG))
    traces = {trace.dump(played_spec(spec, VirtualConfig(seed=seed))) for seed in range(5)}
    assert len(traces) > 1
    assert {judge(trace.load(each)).verdict for each in traces} == {Verdict.PASS}


def test_a_wrong_core_is_not_let_through(scenarios: list[ScenarioSpec]) -> None:
    judgements = [judge(played_spec(spec, VirtualConfig(client_core=HastyCore))) for spec in scenarios]
    failed = [each for each in judgements if each.verdict is Verdict.FAIL]
    assert Verdict.ERROR not in {each.verdict for each in judgements}
    assert {each.blame for each in failed} == {"implementation"}
    by_name = {each.scenario.rpartition("::")[2]: each for each in failed}
    judgement = by_name["test_a_visible_loss_interrupts_after_4_s"]
    assert "RECONNECTING / INTERRUPTED after 3.001 s, due in [3.984, 4.017] s" in judgement.reason
    assert judgement.of_clauses()["CONNECTED-3"] is Verdict.FAIL


def test_a_trace_is_in_the_order_in_which_things_reached_the_harness(scenarios: list[ScenarioSpec]) -> None:
    for spec in scenarios[::7]:
        observations = played_spec(spec)
        reached_ns = [each.arrived_ns or each.until_ns or each.at_ns for each in observations]
        assert reached_ns == sorted(reached_ns), spec.title.name


# ----------------------------------------------------------------------------------------------- the words


def test_a_scenario_is_played_in_a_virtual_time_of_its_own() -> None:
    async def body(world: World) -> None:
        alice = await world.online("alice", channels=["lobby"])
        bob = await world.online("bob", channels=["lobby"])
        await bob.send("hello", channel="lobby")
        await world.sleep(600)
        for person in (alice, bob):
            person.saw(nothing("GENERAL-1"))

    observations = played(body, limit_s=700)
    assert seen(observations, "alice") == [
        "CONNECTING",
        "onLoginSuccess",
        "CONNECTED",
        "onJoinSuccess",
        "onMemberJoined",
        "onMessageReceived",
    ]
    assert observations == played(body, limit_s=700)
    assert 600 * S < observations[-1].at_ns - observations[0].at_ns < 603 * S
    declared = next(each for each in observations if each.what is What.DECLARED)
    assert declared.args["clock_error_ns"] == 0
    assert declared.at_ns - observations[0].at_ns == START_NS


def test_a_scenario_that_never_ends_is_ended() -> None:
    async def body(world: World) -> None:
        await world.sleep(1000)

    assert "the scenario did not end within 100 s" in the_error(played(body))["text"]


def test_a_scenario_that_waits_for_what_nobody_will_do_is_ended() -> None:
    async def body(_: World) -> None:
        await asyncio.Event().wait()

    assert "the scenario did not end within 100 s" in the_error(played(body))["text"]


def test_faults_are_put_down_as_those_of_a_real_link_are() -> None:
    async def body(world: World) -> None:
        alice = await world.person("alice")
        async with alice.link.freeze(TO_SERVER):
            await world.sleep(1)

    injected, healed = (each for each in played(body) if each.what is What.FAULT)
    assert (injected.source, injected.name, healed.name) == ("alice", "freeze", "healing of freeze")
    details = {"visible": False, "proof": "simulated", "parameters": {"direction": "to_server"}}
    assert injected.args == details | {"asked_ns": injected.at_ns}
    assert healed.args == details | {"asked_ns": healed.at_ns}
    assert injected.until_ns == injected.at_ns + CALL_NS
    assert healed.at_ns == injected.until_ns + S


@pytest.mark.parametrize(
    ("ends", "counts"),
    [
        ("", {"connections": 1, "logins": 1}),
        ("kill", {"connections": 0}),
        ("suspend", {"connections": 2}),  # beside the one that has no answer it has begun another
        ("restart and crash", {"logins": 0}),
    ],
)
def test_connections_and_logins_are_counted_as_far_as_they_can_be_known(ends: str, counts: dict[str, int]) -> None:
    async def body(world: World) -> None:
        server = await world.own_server()
        alice = await world.online("alice")
        match ends:
            case "kill":
                await server.kill()
            case "suspend":
                await server.suspend()
            case "restart and crash":
                await server.kill()
                await server.start()
                await world.crash(alice)

    (counted,) = (each.args for each in played(body) if each.what is What.COUNTED)
    assert counted == counts


def test_a_client_that_crashes_is_gone_without_a_logout() -> None:
    async def body(world: World) -> None:
        bob = await world.online("bob", channels=["lobby"])
        alice = await world.online("alice", channels=["lobby"])
        crash = await world.crash(alice)
        assert crash.t1_ns - crash.t0_ns == CALL_NS
        await bob.sees(callback("onMemberLeft", channel="lobby", member="alice"), within_s=31)
        with pytest.raises(LinkproofError, match="the process of this client has ended"):
            await alice.logout()

    observations = played(body)
    assert seen(observations, "bob")[-1] == "onMemberLeft"
    assert [each for each in observations if each.what is What.ERROR] == []


def test_only_the_first_group_of_a_partition_reaches_the_server() -> None:
    async def body(world: World) -> None:
        alice, bob, carol = [await world.online(name) for name in ("alice", "bob", "carol")]
        async with world.partition([alice], [bob, carol]):
            await world.sleep(6)

    observations = played(body)
    assert {name: seen(observations, name).count("RECONNECTING") for name in ("alice", "bob", "carol")} == {
        "alice": 0,
        "bob": 1,
        "carol": 1,
    }


@pytest.mark.parametrize(("lifted", "then"), [(False, "DISCONNECTED"), (True, "CONNECTED")])
def test_a_ban_ends_a_session_for_good_until_it_is_lifted(lifted: bool, then: str) -> None:
    async def body(world: World) -> None:
        alice = await world.online("alice")
        await world.ban("alice")
        await alice.sees(state("ABORTED", "BANNED_BY_SERVER"))
        await alice.logout()
        if lifted:
            await world._engine.ask_server("unban", {"uid": "alice"})
        await alice.login()

    states = [name for name in seen(played(body), "alice") if not name.startswith("on")]
    assert states == ["CONNECTING", "CONNECTED", "ABORTED", "DISCONNECTED", "CONNECTING", then]


@pytest.mark.parametrize(
    ("name", "words"), [("kill", "does not run"), ("suspend", "does not run"), ("", "does not know 'praise'")]
)
def test_a_server_that_does_not_answer_is_an_error_of_the_harness(name: str, words: str) -> None:
    async def body(world: World) -> None:
        server = await world.own_server()
        if name:
            await getattr(server, name)()
            await world.ban("alice")
        else:
            await world._engine.ask_server("praise", {})

    error = the_error(played(body))
    assert error["blame"] == "harness"
    assert words in error["text"]


# ------------------------------------------------------------------------------------------- a server of its own


@pytest.mark.parametrize("deed", ["kill", "stop", "suspend"])
def test_a_deed_of_the_server_is_put_down_with_its_time(deed: str) -> None:
    async def body(world: World) -> None:
        server = await world.own_server()
        await world.online("alice")
        moment = await getattr(server, deed)()
        back = await (server.resume() if deed == "suspend" else server.start())
        assert back.t0_ns == moment.t1_ns

    done = [each for each in played(body) if each.what is What.SERVER]
    assert [each.name for each in done] == [f"server {deed}", f"server {'resume' if deed == 'suspend' else 'start'}"]
    assert {(each.source, each.args["proof"]) for each in done} == {("server", "simulated")}
    lasted_ns = [(each.until_ns or 0) - each.at_ns for each in done]
    assert lasted_ns[1] == CALL_NS
    assert 0 < lasted_ns[0] <= CALL_NS  # alice answers a farewell at once


@pytest.mark.parametrize("deed", ["kill", "stop", "suspend", "resume"])
def test_nothing_can_be_done_to_a_server_that_does_not_run(deed: str) -> None:
    async def body(world: World) -> None:
        server = await world.own_server()
        await server.kill()
        await getattr(server, deed)()

    error = the_error(played(body))
    assert error["blame"] == "harness"
    assert "asks something of a server that it has killed or stopped" in error["text"]


@pytest.mark.parametrize(
    ("deed", "words"), [("start", "starts a server that runs"), ("stop", "stands still cannot end in order")]
)
def test_a_server_that_stands_still_is_neither_started_nor_stopped(deed: str, words: str) -> None:
    async def body(world: World) -> None:
        server = await world.own_server()
        await server.suspend()
        await getattr(server, deed)()

    error = the_error(played(body))
    assert error["blame"] == "harness"
    assert words in error["text"]


# ------------------------------------------------------------------------------------------------ cores that fail


class RaisingClient(ClientCore):
    """Cannot say goodbye."""

    def logout(self, _now: int) -> NoReturn:
        raise ZeroDivisionError("halved by nothing")


class RaisingServer(ServerCore):
    """Cannot listen."""

    def received(self, _now: int, _conn: int, _data: bytes | str) -> NoReturn:
        raise ZeroDivisionError("halved by nothing")


def unmakeable(*_: object, **__: object) -> ClientCore:
    raise ZeroDivisionError("halved by nothing")


@pytest.mark.parametrize(
    ("config", "blame", "words"),
    [
        (VirtualConfig(client_core=RaisingClient), "adapter", "the client core raised"),
        (VirtualConfig(client_core=unmakeable), "adapter", "the client core cannot be made:"),
        (VirtualConfig(server_core=RaisingServer), "harness", "the server core raised"),
    ],
)
def test_a_core_that_raises_is_an_error_and_says_whose(config: VirtualConfig, blame: str, words: str) -> None:
    async def body(world: World) -> None:
        alice = await world.online("alice")
        await alice.logout()
        alice.saw(*LOGGED_IN)

    observations = played(body, config)
    error = the_error(observations)
    assert error["blame"] == blame
    assert f"{words} ZeroDivisionError: halved by nothing" in error["text"]
    judgement: Judgement = judge(observations)
    assert (judgement.verdict, judgement.blame) == (Verdict.ERROR, blame)


def test_what_is_no_core_at_all_is_an_error_of_the_adapter() -> None:
    async def body(world: World) -> None:
        await world.online("alice")

    make: Callable[..., Any] = lambda *_, **__: object()  # noqa: E731 - as a user may give one
    error = the_error(played(body, VirtualConfig(client_core=make)))
    assert error["blame"] == "adapter"
    assert "has no attribute 'login'" in error["text"]
