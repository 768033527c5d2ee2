from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from harness.errors import AdapterError, LinkproofError
from harness.reference.client_core import Callback, CallError, ClientCore, Close, Effect, Open, Reply, Send
from harness.reference.wire import Ping, encode
from harness.spec.states import Reason, State
from harness.world.engine import Returned
from harness.world.virtual_client import PIPE_NS, VirtualClient, make_core
from harness.world.virtual_link import CALL_NS
from harness.world.virtual_loop import START_NS, now_ns, running_loop
from harness.world.virtual_net import HOP_NS, SERVER_FAREWELL, UPGRADE_ANSWER, Circuit, text_to_client
from tests.unit.world.virtual_rig import (
    END,
    FAREWELL,
    MS,
    UPGRADE,
    LinkRig,
    S,
    Side,
    passed_ns,
    virtually,
    wait,
    wait_until,
)

PING = encode(Ping(1)).decode()


class ScriptedCore:
    """Puts down what it is told, and when; asks for what the test has scripted."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str, tuple[object, ...]]] = []
        self.script: dict[str, list[Effect]] = {}  # by what it is told
        self.numbers: dict[str, int] = {}  # what a call returns
        self.raising = ""
        self.deadline_ns: int | None = None
        self._effects: list[Effect] = []

    def drain(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        return effects

    def next_deadline(self) -> int | None:
        return self.deadline_ns

    def tick(self, now: int) -> None:
        self.deadline_ns = None
        self._take("tick", now)

    def _take(self, name: str, now: int, *args: object) -> int:
        assert now == now_ns()
        self.told.append((passed_ns(), name, args))
        if name == self.raising:
            raise ZeroDivisionError("halved by nothing")
        self._effects += self.script.pop(name, [])
        return self.numbers.get(name, 0)

    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda now, *args: self._take(name, now, *args)

    def names(self) -> list[str]:
        return [name for _, name, _ in self.told]


class ClientRig:
    """A client on a link, with what it has called back."""

    def __init__(self) -> None:
        self.net = LinkRig()
        self.core = ScriptedCore()
        self.callbacks: list[tuple[int, str, Mapping[str, Any], int]] = []  # made, name, arguments, arrived
        self.failures: list[LinkproofError] = []
        self.client = VirtualClient(
            running_loop(),
            self.net.link,
            cast(ClientCore, self.core),
            on_callback=lambda name, args, at, arrived: self.callbacks.append(
                (at - START_NS, name, args, arrived - START_NS)
            ),
            on_failure=self.failures.append,
        )

    async def call(self, name: str, **args: object) -> Returned:
        return await self.client.call(name, args)

    async def login(self, *effects: Effect) -> Returned:
        self.core.script["login"] = list(effects)
        return await self.call("login", token="token", uid="alice")

    async def open(self) -> Side:
        """Have it open connection 1; returns the other end."""
        await self.login(Open(1))
        await wait(MS)
        ((circuit, server),) = self.net.server.sides.items()
        circuit.to_client.put(UPGRADE_ANSWER)
        await wait(MS)
        assert self.core.names() == ["login", "connection_opened"]
        server.circuit = circuit
        return server


def circuit_of(server: Side) -> Circuit:
    assert server.circuit is not None
    return server.circuit


def names_of(rig: ClientRig) -> list[str]:
    return [name for _, name, _, _ in rig.callbacks]


# ------------------------------------------------------------------------------------------------- as the adapter


@virtually
async def test_a_call_takes_the_way_to_the_process_and_back() -> None:
    rig = ClientRig()
    rig.core.numbers["login"] = 7
    returned = await rig.login()
    assert rig.core.told == [(PIPE_NS, "login", ("token", "alice"))]
    assert returned == Returned(START_NS + PIPE_NS, START_NS + 2 * PIPE_NS, {"code": 7}, None)
    assert now_ns() == returned.arrived_ns


@virtually
async def test_a_call_that_the_server_answers_is_answered_when_the_core_says_so() -> None:
    rig = ClientRig()
    rig.core.numbers["get_members"] = 1
    asked = asyncio.create_task(rig.call("getMembers", channel="lobby"))
    await wait(S)
    assert not asked.done()
    rig.core.script["tick"] = [Reply(1, CallError.OK, {"members": ["alice"]})]
    rig.client.lost(99)  # of no connection: no news for the core
    rig.core.deadline_ns = now_ns() + S
    await rig.login()  # after which it sees when the core is due
    returned = await asked
    assert returned.at_ns == START_NS + 2 * S
    assert returned.result == {"code": 0, "members": ["alice"]}


@virtually
async def test_a_call_that_the_core_answers_at_once_is_answered() -> None:
    rig = ClientRig()
    rig.core.numbers["query_online"] = 4
    rig.core.script["query_online"] = [Reply(4, CallError.USER_NOT_LOGGED_IN, {})]
    returned = await rig.call("queryOnline", uids=["alice"])
    assert returned.result == {"code": CallError.USER_NOT_LOGGED_IN}


@virtually
async def test_what_is_no_call_is_unsupported() -> None:
    rig = ClientRig()
    returned = await rig.call("selfDestruct")
    assert (returned.result, returned.error) == (None, "unsupported")
    assert rig.core.told == []


@virtually
async def test_no_two_lines_of_a_process_arrive_at_the_same_time() -> None:
    rig = ClientRig()
    await rig.login(*(Callback("onTokenExpired", {}) for _ in range(3)))
    assert [(at_ns, arrived_ns) for at_ns, _, _, arrived_ns in rig.callbacks] == [
        (PIPE_NS, 2 * PIPE_NS + number) for number in range(3)
    ]


@virtually
async def test_a_callback_is_heard_of_when_its_line_arrives() -> None:
    rig = ClientRig()
    rig.core.script["tick"] = [Callback("onTokenExpired", {})]
    rig.core.deadline_ns = START_NS + S
    await rig.login()
    await wait_until(S + PIPE_NS - 1)
    assert rig.callbacks == []
    await wait(2)
    assert rig.callbacks == [(S, "onTokenExpired", {}, S + PIPE_NS)]


@virtually
async def test_a_callback_has_the_published_numbers() -> None:
    rig = ClientRig()
    await rig.login(
        Callback("onConnectionStateChanged", {"state": State.CONNECTING, "reason": Reason.LOGIN}),
    )
    ((_, name, args, _),) = rig.callbacks
    assert (name, args) == ("onConnectionStateChanged", {"state": 2, "reason": 1})
    assert {type(value) for value in args.values()} == {int}


# ------------------------------------------------------------------------------------------------- connections


@virtually
async def test_a_connection_is_opened_upgraded_and_carries_frames_both_ways() -> None:
    rig = ClientRig()
    server = await rig.open()
    assert rig.client.connections == 1
    rig.core.script["logout"] = [Send(1, Ping(1)), Send(9, Ping(2))]  # there is no connection 9
    await rig.call("logout")
    await wait(MS)
    assert server.heard == [UPGRADE, PING]
    said_ns = passed_ns()
    circuit_of(server).to_client.put(text_to_client(b"hello"))
    await wait(MS)
    assert rig.core.told[-1] == (said_ns + HOP_NS, "received", (1, b"hello"))
    assert rig.failures == []


@pytest.mark.parametrize("how", ["end", "farewell", "cut"])
@virtually
async def test_a_connection_that_is_ended_from_the_other_side_is_lost_once(how: str) -> None:
    rig = ClientRig()
    server = await rig.open()
    ended_ns = passed_ns()
    match how:
        case "end":
            circuit_of(server).server_closes()
        case "farewell":
            circuit_of(server).to_client.put(SERVER_FAREWELL)
            circuit_of(server).server_closes()
        case _:
            await rig.net.link.cut()
            ended_ns += CALL_NS // 2
    await wait(S)
    assert rig.core.told[2:] == [(ended_ns + HOP_NS, "connection_lost", (1,))]
    assert rig.client.connections == 0


@virtually
async def test_a_connect_that_is_refused_is_lost_without_ever_being_open() -> None:
    rig = ClientRig()
    await rig.net.link.cut()
    began_ns = passed_ns()
    await rig.login(Open(1))
    await wait(S)
    assert rig.core.told == [
        (began_ns + PIPE_NS, "login", ("token", "alice")),
        (began_ns + PIPE_NS + HOP_NS, "connection_lost", (1,)),
    ]


@pytest.mark.parametrize(("flush", "heard"), [(True, [UPGRADE, PING, FAREWELL, END]), (False, [UPGRADE, PING, END])])
@virtually
async def test_a_connection_that_the_core_closes_ends_with_or_without_a_leave(flush: bool, heard: list[str]) -> None:
    rig = ClientRig()
    server = await rig.open()
    rig.core.script["logout"] = [Send(1, Ping(1)), Close(1, flush=flush), Send(1, Ping(2)), Close(1, flush=flush)]
    await rig.call("logout")
    assert rig.client.connections == 0
    await wait(S)
    assert server.heard == heard
    assert rig.core.names() == ["login", "connection_opened", "logout"]  # what it closed itself is no news to it


@virtually
async def test_a_connect_that_the_core_gives_up_reaches_nobody() -> None:
    rig = ClientRig()
    await rig.login(Open(1), Close(1, flush=True))
    await wait(S)
    assert rig.net.server.sides == {}
    assert rig.core.names() == ["login"]


@virtually
async def test_the_core_is_woken_at_the_nanosecond_that_it_asks_for() -> None:
    rig = ClientRig()
    rig.core.deadline_ns = START_NS + 3 * S + 1
    await rig.login()
    await wait_until(S)
    rig.core.deadline_ns = START_NS + 2 * S + 1  # sooner after all
    await rig.call("logout")
    await wait_until(10 * S)
    assert [at_ns for at_ns, name, _ in rig.core.told if name == "tick"] == [2 * S + 1]


# ---------------------------------------------------------------------------------------------- inside callbacks


@virtually
async def test_a_call_from_inside_a_callback_is_made_there_and_what_it_leads_to_is_queued() -> None:
    rig = ClientRig()
    await rig.call("react", callback="onLoginSuccess", call="join", args={"channel": "lobby"})
    rig.core.script["join"] = [Callback("onJoinSuccess", {"channel": "lobby"})]
    joined = [Callback("onLoginSuccess", {}), Callback("onTokenExpired", {})]
    await rig.login(*joined)
    assert rig.core.names() == ["login", "join"]
    assert names_of(rig) == ["onLoginSuccess", "onTokenExpired", "onJoinSuccess"]
    await rig.login(*joined)
    assert rig.core.names() == ["login", "join", "login"]  # once


@virtually
async def test_an_exception_of_the_app_changes_nothing() -> None:
    async def callbacks(*, raises: bool) -> list[tuple[str, Mapping[str, Any]]]:
        rig = ClientRig()
        if raises:
            await rig.call("react", callback="onLoginSuccess", call="", args={})
        await rig.login(Callback("onLoginSuccess", {}), Callback("onTokenExpired", {}), Open(1))
        await wait(MS)
        assert rig.core.names() == ["login"]
        assert (rig.failures, rig.client.connections) == ([], 1)
        return [(name, args) for _, name, args, _ in rig.callbacks]

    assert await callbacks(raises=True) == await callbacks(raises=False) != []


# -------------------------------------------------------------------------------------------------- how it ends


@pytest.mark.parametrize("where", ["login", "connection_opened", "tick"])
@virtually
async def test_a_core_that_raises_has_failed_its_process_and_is_an_error_of_the_adapter(where: str) -> None:
    rig = ClientRig()
    rig.core.raising = where
    rig.core.deadline_ns = START_NS + S
    rig.core.script["login"] = [Open(1)]
    await rig.call("login", token="token", uid="alice")
    await wait(MS)
    for circuit in rig.net.server.sides:
        circuit.to_client.put(UPGRADE_ANSWER)
    await wait_until(2 * S)
    (error,) = rig.failures
    assert isinstance(error, AdapterError)
    assert error.found == "the client core raised ZeroDivisionError: halved by nothing"
    assert "in _take" in error.why
    assert rig.client.connections == 0
    assert all(side.heard[-1] == END for side in rig.net.server.sides.values())
    with pytest.raises(AdapterError, match="the process of this client has ended"):
        await rig.call("logout")


@virtually
async def test_a_client_that_ends_says_no_more_and_the_kernel_closes_its_connections() -> None:
    rig = ClientRig()
    server = await rig.open()
    rig.core.script["tick"] = [Callback("onTokenExpired", {})]
    rig.core.deadline_ns = now_ns() + S
    await rig.call("logout")
    ended_ns = passed_ns()
    rig.client.end()
    rig.client.end()
    assert rig.client.connections == 0
    await wait(10 * S)
    assert server.log == [server.log[0], (ended_ns + HOP_NS, END)]
    assert (rig.callbacks, rig.core.names()[2:], rig.failures) == ([], ["logout"], [])


@virtually
async def test_a_client_that_ends_while_it_connects_never_does() -> None:
    rig = ClientRig()
    await rig.net.link.hang_connects()
    await rig.login(Open(1))
    await wait(S)
    rig.client.end()
    await rig.net.link.active[0].heal()
    await wait(100 * S)
    assert rig.net.server.sides == {}
    assert rig.core.names() == ["login"]


# ------------------------------------------------------------------------------------------------- how it is made


def test_chance_is_that_of_the_seed_the_tenant_and_the_person() -> None:
    made: list[tuple[str, tuple[float, ...]]] = []

    def make(app_id: str, *, instance: str, jitter: Callable[[], float]) -> ClientCore:
        made.append((instance, tuple(jitter() for _ in range(5))))
        return ClientCore(app_id, instance=instance, jitter=jitter)

    for app_id, person, seed in [("a", "x", 0), ("a", "x", 0), ("b", "x", 0), ("a", "y", 0), ("a", "x", 1)]:
        make_core(make, app_id, person, seed)
    assert made[0] == made[1]
    assert len({instance for instance, _ in made}) == len({numbers for _, numbers in made}) == 4
    assert all(0 <= number < 1 for _, numbers in made for number in numbers)


def test_a_core_that_cannot_be_made_is_an_error_of_the_adapter() -> None:
    def make() -> ClientCore:
        raise AssertionError("takes nothing, so it is never called")

    with pytest.raises(AdapterError, match="the client core cannot be made: TypeError: "):
        make_core(make, "app", "alice", 0)
