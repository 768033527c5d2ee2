from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from harness.errors import HarnessError, LinkproofError
from harness.reference.server_core import FIRST_LOGIN_S, Claims, ServerCore
from harness.reference.server_link import CLOSE_TIMEOUT_S
from harness.reference.wire import Code, Logout, Ping
from harness.spec.timing import ns
from harness.world.virtual_loop import now_ns, run
from harness.world.virtual_net import (
    CLIENT_FAREWELL,
    HOP_NS,
    UPGRADE_REQUEST,
)
from harness.world.virtual_server import OPEN_TIMEOUT_S, STOP_TIMEOUT_S, token_for
from tests.unit.world.virtual_rig import END, FAREWELL, MS, UPGRADE, S, passed_ns, virtually, wait, wait_until
from tests.unit.world.virtual_server_rig import LOGGED_IN, ROUND_NS, SETTLED_NS, ServerRig

# ---------------------------------------------------------------------------------------------------- connections


@virtually
async def test_a_login_is_answered_after_the_way_there_and_back() -> None:
    rig = ServerRig()
    client = await rig.log_in()
    asked_ns = [HOP_NS, HOP_NS + SETTLED_NS, HOP_NS + SETTLED_NS]
    assert [at_ns for at_ns, _ in client.log] == [at_ns + ROUND_NS for at_ns in asked_ns]
    client.says(Ping(7))
    await wait(SETTLED_NS)
    assert client.frames[-1] == {"type": "pong", "n": 7}


@virtually
async def test_a_text_before_the_upgrade_is_none_of_the_cores() -> None:
    rig = ServerRig()
    client = await rig.connect()
    client.says(Ping(1))
    client.puts(UPGRADE_REQUEST)
    await wait(S)
    assert client.types == [UPGRADE]


@pytest.mark.parametrize("asks_s", [None, OPEN_TIMEOUT_S - 0.001, OPEN_TIMEOUT_S + 0.001])
@virtually
async def test_a_connection_without_an_upgrade_is_closed_after_10_s(asks_s: float | None) -> None:
    rig = ServerRig()
    client = await rig.connect()
    closed_ns = passed_ns() + 10 * S
    if asks_s is not None:
        await wait(ns(asks_s) - HOP_NS)
        client.puts(UPGRADE_REQUEST)
    await wait_until(closed_ns + S)
    is_in_time = asks_s is not None and asks_s < OPEN_TIMEOUT_S
    assert client.types == ([UPGRADE] if is_in_time else [END])
    if not is_in_time:
        assert client.log == [(closed_ns + HOP_NS, END)]


@pytest.mark.parametrize("takes_leave", [False, True])
@virtually
async def test_an_end_is_told_to_the_core_and_answered_by_an_end(takes_leave: bool) -> None:
    rig = ServerRig()
    client = await rig.log_in()
    core = rig.server.core
    assert core is not None
    assert core.stats().connections == 1
    if takes_leave:
        client.puts(CLIENT_FAREWELL)
    else:
        client.closes()
    await wait(SETTLED_NS)
    assert (core.stats().connections, core.stats().sessions) == (0, 1)  # presumed online for 30 s
    assert client.types[3:] == ([END] if takes_leave else [])


@virtually
async def test_what_the_core_closes_is_taken_leave_of_and_hung_up_where_the_other_end_does_not() -> None:
    rig = ServerRig()
    client = await rig.log_in()
    said_ns = passed_ns()
    client.says(Logout())
    await wait(10 * S)
    assert client.log[3:] == [
        (said_ns + ROUND_NS, FAREWELL),
        (said_ns + HOP_NS + ns(CLOSE_TIMEOUT_S) + HOP_NS, END),
    ]


@virtually
async def test_the_core_is_woken_at_its_own_times() -> None:
    rig = ServerRig()
    client = await rig.upgrade()
    upgraded_ns = client.log[0][0] - HOP_NS
    await wait(20 * S)
    assert client.log[1] == (upgraded_ns + ns(FIRST_LOGIN_S) + HOP_NS, FAREWELL)


# ----------------------------------------------------------------------------------------- kill, stop and start


@virtually
async def test_killed_it_says_nothing_and_the_kernel_closes_its_connections() -> None:
    rig = ServerRig()
    clients = [await rig.connect(), await rig.upgrade(), await rig.log_in()]
    for client in clients:
        client.says(Ping(1))  # on its way, and never answered
    killed_ns = passed_ns()
    rig.server.kill()
    await wait(100 * S)
    assert rig.server.core is None
    assert [client.log[-1] for client in clients] == [(killed_ns + HOP_NS, END)] * 3
    assert clients[2].types == [*LOGGED_IN, END]


@virtually
async def test_a_connect_to_a_server_that_is_dead_is_accepted_and_then_ended() -> None:
    rig = ServerRig()
    rig.server.kill()
    client = await rig.connect()
    client.puts(UPGRADE_REQUEST)
    await wait(S)
    assert client.log == [(2 * HOP_NS, END)]
    assert client.refused_ns is None


@virtually
async def test_stopped_it_takes_its_leave_and_ends_when_everybody_has_gone() -> None:
    rig = ServerRig()
    clients = [await rig.log_in("alice"), await rig.log_in("bob")]
    stopping = asyncio.create_task(rig.server.stop())
    await wait(MS)
    assert [client.types[-1] for client in clients] == [FAREWELL, FAREWELL]
    assert rig.server.core is not None
    closed_ns = passed_ns()
    for client in clients:
        client.closes()
    await stopping
    assert passed_ns() == closed_ns + HOP_NS
    assert rig.server.core is None


@virtually
async def test_stopped_it_waits_no_longer_than_half_a_second_for_who_does_not_go() -> None:
    rig = ServerRig()
    silent, polite, raw = await rig.log_in("alice"), await rig.log_in("bob"), await rig.connect()
    began_ns = passed_ns()
    stopping = asyncio.create_task(rig.server.stop())
    await wait(MS)
    polite.closes()
    late = await rig.connect()
    await stopping
    await wait(MS)
    assert STOP_TIMEOUT_S == 0.5
    assert silent.log[3:] == [(began_ns + HOP_NS, FAREWELL), (began_ns + S // 2 + HOP_NS, END)]
    assert raw.log == [(began_ns + S // 2 + HOP_NS, END)]
    assert late.types == [END]  # it takes nobody any more


@virtually
async def test_while_it_stops_it_makes_no_websocket_any_more() -> None:
    rig = ServerRig()
    client, stays = await rig.connect(), await rig.log_in()
    stopping = asyncio.create_task(rig.server.stop())
    await wait(MS)
    client.puts(UPGRADE_REQUEST)
    stays.says(Ping(1))
    await stopping
    await wait(MS)
    assert client.types == [END]
    assert stays.types == [*LOGGED_IN, FAREWELL, "pong", END]


@virtually
async def test_a_server_that_nobody_is_connected_to_stops_at_once() -> None:
    rig = ServerRig()
    began_ns = passed_ns()
    await rig.server.stop()
    assert (passed_ns(), rig.server.core) == (began_ns, None)


@pytest.mark.parametrize("ends", ["kill", "stop", "suspend and kill"])
@virtually
async def test_started_again_it_has_nothing_of_its_former_life(ends: str) -> None:
    rig = ServerRig()
    before = await rig.log_in()
    session = before.frames[0]["session"]
    if ends == "stop":
        await rig.server.stop()
    else:
        if ends == "suspend and kill":
            rig.server.suspend()
            before.says(Ping(1))
            await wait(S)
        rig.server.kill()
    await wait(S)
    rig.server.start()
    assert rig.server.core is not None
    assert (rig.server.core.online("app"), rig.server.core.attempts_of("app", "alice")) == ([], 0)
    client = await rig.log_in(resume=session, attempt=2)
    assert client.frames[0]["resumed"] is False
    assert client.frames[0]["session"] != session
    await wait(100 * S)
    assert before.types[-1] == END
    assert before.types.count("pong") == 1


@virtually
async def test_the_timers_of_a_former_life_wake_nobody() -> None:
    rig = ServerRig()
    await rig.log_in()
    rig.server.kill()
    await wait(S)
    rig.server.start()
    woken: list[int] = []
    core = rig.server.core
    assert core is not None
    core.tick = lambda now: woken.append(now)  # type: ignore[method-assign]
    await wait(100 * S)
    assert woken == []


# --------------------------------------------------------------------------------------------- suspend and resume


@virtually
async def test_while_it_stands_still_nothing_is_answered_and_then_everything_in_order() -> None:
    rig = ServerRig()
    client = await rig.log_in()
    rig.server.suspend()
    for number in range(1, 6):
        client.says(Ping(number))
        await wait(S)
    newcomer = await rig.connect()  # which the kernel accepts
    newcomer.puts(UPGRADE_REQUEST)
    await wait(S)
    assert client.types == LOGGED_IN
    assert newcomer.types == []
    resumed_ns = passed_ns()
    rig.server.resume()
    await wait(S)
    assert [frame["n"] for frame in client.frames[1:]] == [0, 1, 2, 3, 4, 5]
    assert {at_ns for at_ns, _ in client.log[3:]} == {resumed_ns + HOP_NS}
    assert newcomer.types == [UPGRADE]


@pytest.mark.parametrize("takes_leave", [False, True])
@virtually
async def test_an_end_that_came_while_it_stood_still_is_noticed_when_it_goes_on(takes_leave: bool) -> None:
    rig = ServerRig()
    client = await rig.log_in()
    core = rig.server.core
    assert core is not None
    rig.server.suspend()
    if takes_leave:
        client.puts(CLIENT_FAREWELL)
    client.closes()
    await wait(S)
    assert core.stats().connections == 1
    rig.server.resume()
    assert core.stats().connections == 0


@virtually
async def test_its_timers_wait_while_it_stands_still() -> None:
    rig = ServerRig()
    client = await rig.upgrade()
    rig.server.suspend()
    await wait(20 * S)
    assert client.types == [UPGRADE]
    resumed_ns = passed_ns()
    rig.server.resume()
    await wait(S)
    assert client.log[1] == (resumed_ns + HOP_NS, FAREWELL)


@virtually
async def test_standing_still_again_and_again_it_loses_nothing() -> None:
    rig = ServerRig()
    client = await rig.log_in()
    for number in range(1, 4):
        rig.server.suspend()
        client.says(Ping(number))
        await wait(S)
        rig.server.resume()
    await wait(S)
    assert [frame["n"] for frame in client.frames[1:]] == [0, 1, 2, 3]


# -------------------------------------------------------------------------------------------------------- the rest


@virtually
async def test_a_ban_ends_a_session_and_its_connection() -> None:
    rig = ServerRig()
    client = await rig.log_in()
    rig.server.ban("app", "alice")
    await wait(MS)
    assert client.types[3:] == ["ended", FAREWELL]
    assert client.frames[-1]["reason"] == "banned"


class RaisingCore(ServerCore):
    """Cannot count to three."""

    def received(self, now: int, conn: int, data: bytes | str) -> None:
        if b'"n":3' in (data if isinstance(data, bytes) else data.encode()):
            raise ZeroDivisionError("halved by nothing")
        super().received(now, conn, data)


@virtually
async def test_a_core_that_raises_has_killed_the_server_and_is_an_error_of_the_harness() -> None:
    rig = ServerRig(RaisingCore)
    told: list[LinkproofError] = []
    rig.server.on_failure = told.append
    client = await rig.log_in()
    client.says(Ping(1), Ping(3), Ping(4))
    await wait(S)
    (error,) = told
    assert isinstance(error, HarnessError)
    assert error.found == "the server core raised ZeroDivisionError: halved by nothing"
    assert "in received" in error.why
    assert client.types == [*LOGGED_IN, "pong", END]


def test_a_core_that_raises_where_nobody_is_to_be_told_raises() -> None:
    async def body() -> None:
        rig = ServerRig(RaisingCore)
        client = await rig.log_in()
        client.says(Ping(3))
        await wait(S)

    with pytest.raises(ZeroDivisionError, match="halved by nothing"):
        run(body())


@pytest.mark.parametrize(
    ("token", "answer"),
    [
        (lambda: token_for("app", "alice", None), Claims("app", "alice", None)),
        (lambda: token_for("app", "alice", now_ns() + 5 * S), Claims("app", "alice", 5.0)),
        (lambda: token_for("app", "alice", now_ns() + 1), Claims("app", "alice", 1e-9)),
        (lambda: token_for("app", "alice", now_ns()), Code.TOKEN_EXPIRED),
        (lambda: "no token", Code.INVALID_TOKEN),
        (lambda: '["app","alice"]', Code.INVALID_TOKEN),
        (lambda: '["app","alice","soon"]', Code.INVALID_TOKEN),
        (lambda: "\ud800", Code.INVALID_TOKEN),
    ],
    ids=["for ever", "5 s", "1 ns", "expired", "none", "short", "no time", "no text"],
)
@virtually
async def test_a_token_says_who_and_until_when(token: Callable[[], str], answer: Claims | Code) -> None:
    seen: list[Claims | Code] = []

    def make(*, authenticate: Callable[[str, int], Claims | Code], **kwargs: Any) -> ServerCore:
        seen.append(authenticate(token(), now_ns()))
        return ServerCore(authenticate=authenticate, **kwargs)

    ServerRig(make)
    assert seen == [answer]
