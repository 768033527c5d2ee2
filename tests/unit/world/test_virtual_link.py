"""What holds for each fault on a simulated link, and the faults that both ends are told of; docs/faults.md."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from harness.errors import UsageError
from harness.world.virtual_link import CALL_NS, SYN_REPEATED_S, VirtualLink
from harness.world.virtual_loop import run
from harness.world.virtual_net import HOP_NS
from proxies.effects import BELOW_TCP
from proxies.fault import Fault, Interval, Phase
from proxies.lacking import LackingFaultError
from proxies.recipes import ToxicRecipe
from proxies.topology import Topology
from proxies.toxics import Direction, ToxicSpec
from tests.unit.world.virtual_rig import END, MS, Connection, LinkRig, S, passed_ns, virtually, wait, wait_until

TO_SERVER, TO_CLIENT = Direction.TO_SERVER, Direction.TO_CLIENT
Make = Callable[[VirtualLink], Fault]

GATES: dict[str, Make] = {
    "cut": VirtualLink.cut,
    "refuse": VirtualLink.refuse,
    "reset": VirtualLink.reset,
    "hang_connects": VirtualLink.hang_connects,
}
DIRECTED: dict[str, Make] = {
    "blackhole": VirtualLink.blackhole,
    "blackhole that closes": lambda link: link.blackhole(closes_on_heal=True),
    "freeze": VirtualLink.freeze,
    "freeze to server": lambda link: link.freeze(TO_SERVER),
    "freeze to client": lambda link: link.freeze(TO_CLIENT),
    "silence to server": lambda link: link.silence(TO_SERVER),
    "silence to client": lambda link: link.silence(TO_CLIENT),
    "half_open to server": lambda link: link.half_open(TO_SERVER),
    "half_open to client": lambda link: link.half_open(TO_CLIENT),
    "delay": lambda link: link.delay(0.5),
    "delay to client": lambda link: link.delay(0.5, TO_CLIENT),
    "trickle": lambda link: link.trickle(rate_kb_per_s=1),
    "trickle to server": lambda link: link.trickle(rate_kb_per_s=1, direction=TO_SERVER),
    "truncate to server": lambda link: link.truncate(after_bytes=10, direction=TO_SERVER),
    "truncate to client": lambda link: link.truncate(after_bytes=10),
}
ALL = GATES | DIRECTED


def was_told_at_once(connection: Connection, at_ns: int) -> bool:
    """Whether both ends saw the connection closed so soon after that moment, and nothing else."""
    return connection.client.log == connection.server.log == [(at_ns + HOP_NS, END)]


# --------------------------------------------------------------------------------------------- what holds for each


@pytest.mark.parametrize("name", ALL)
@virtually
async def test_a_fault_takes_effect_within_its_interval_and_tells_its_observer(name: str) -> None:
    rig = LinkRig(resettable=True)
    await wait_until(S)
    fault = await ALL[name](rig.link)
    began_ns = passed_ns() - CALL_NS
    await wait(S)
    await fault.heal()
    assert began_ns == S
    assert fault.injected.duration_ns == CALL_NS
    assert fault.healed == Interval(fault.injected.t1_ns + S, fault.injected.t1_ns + S + CALL_NS)
    injected, healed = rig.events
    assert (injected.link, injected.effect, injected.phase) == ("alice", fault.effect, Phase.INJECTED)
    assert (injected.t0_ns, injected.t1_ns) == (fault.injected.t0_ns, fault.injected.t1_ns)
    assert (healed.phase, healed.t0_ns, healed.t1_ns) == (Phase.HEALED, fault.healed.t0_ns, fault.healed.t1_ns)
    assert (injected.proof, healed.proof) == ("simulated", "simulated")
    assert injected.parameters == fault.parameters


@pytest.mark.parametrize("name", ALL)
@virtually
async def test_healed_a_link_is_as_it_was(name: str) -> None:
    rig = LinkRig(resettable=True)
    async with ALL[name](rig.link):
        await wait(S)
    connection = await rig.connect()
    said_ns = passed_ns()
    connection.client_says("x" * 1000)
    connection.server_says("y" * 1000)
    await wait(MS)
    connection.circuit.client_closes()
    await wait(MS)
    assert connection.server.log == [(said_ns + HOP_NS, "x" * 1000), (said_ns + MS + HOP_NS, END)]
    assert connection.client.log == [(said_ns + HOP_NS, "y" * 1000)]


@pytest.mark.parametrize("second", ALL)
@pytest.mark.parametrize("first", ALL)
@virtually
async def test_two_that_would_hold_the_same_are_refused_and_nothing_is_touched(first: str, second: str) -> None:
    rig = LinkRig(resettable=True)
    async with ALL[first](rig.link) as held:
        fault = ALL[second](rig.link)
        began_ns = passed_ns()
        if held.recipe.claims & fault.recipe.claims:
            with pytest.raises(UsageError, match=f"cannot be injected while its {held.effect} is in place"):
                await fault
            assert (passed_ns(), len(rig.events)) == (began_ns, 1)
        else:
            await fault.__aenter__()
            assert rig.link.active == (held, fault)
            await fault.heal()
    assert rig.link.active == ()


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("directed", DIRECTED)
@virtually
async def test_one_that_closes_the_link_does_so_through_one_in_a_direction(gate: str, directed: str) -> None:
    rig = LinkRig(resettable=True)
    connection = await rig.connect()
    async with DIRECTED[directed](rig.link):
        began_ns = passed_ns()
        async with GATES[gate](rig.link):
            await wait(S)
            assert was_told_at_once(connection, began_ns + CALL_NS // 2)
        later = await rig.connect()
        assert later.circuit is not connection.circuit


@virtually
async def test_a_link_that_is_closed_takes_its_connections_with_it_and_refuses_new_ones() -> None:
    rig = LinkRig()
    connection = await rig.connect()
    await rig.link.freeze()
    closed_ns = passed_ns()
    await rig.link.close()
    assert await rig.is_refused()
    assert was_told_at_once(connection, closed_ns)


@virtually
async def test_a_connect_to_a_server_that_is_not_there_is_accepted_and_then_ended() -> None:
    rig = LinkRig()
    rig.server.is_listening = False
    side, _ = rig.begin_to_connect()
    await wait(MS)
    assert side.circuit is not None
    assert side.log == [(2 * HOP_NS, END)]
    assert side.refused_ns is None


@virtually
async def test_a_connect_that_is_given_up_never_comes_through() -> None:
    rig = LinkRig()
    side, connecting = rig.begin_to_connect()
    connecting.give_up()
    await wait(S)
    assert (side.circuit, side.refused_ns, rig.server.sides) == (None, None, {})


def test_a_toxic_that_is_not_simulated_is_an_error_and_not_without_an_effect() -> None:
    async def body() -> None:
        link = LinkRig().link
        await Fault(link, ToxicRecipe("slow", making=[ToxicSpec("slow", "reset_peer", TO_CLIENT, {"timeout": 0})]))

    with pytest.raises(NotImplementedError, match="has no toxic 'reset_peer'"):
        run(body())


# ------------------------------------------------------------------------------------------------- visible faults


@pytest.mark.parametrize("name", GATES)
@virtually
async def test_what_exists_is_closed_at_both_ends_and_stays_closed(name: str) -> None:
    rig = LinkRig(resettable=True)
    connection = await rig.connect()
    began_ns = passed_ns()
    async with GATES[name](rig.link) as fault:
        assert fault.visible
        await wait(S)
        assert was_told_at_once(connection, began_ns + CALL_NS // 2)
    connection.client_says("lost")
    await wait(S)
    assert connection.server.heard == [END]


@pytest.mark.parametrize("name", ["cut", "refuse", "reset"])
@virtually
async def test_what_is_new_is_refused_at_once_and_accepted_at_once_after_the_healing(name: str) -> None:
    rig = LinkRig(resettable=True)
    async with GATES[name](rig.link):
        assert await rig.is_refused()
        await wait(100 * S)
        assert await rig.is_refused()
    connection = await rig.connect()
    connection.client_says("here")
    await wait(MS)
    assert connection.server.heard == ["here"]


@virtually
async def test_a_link_is_reset_only_where_it_was_made_for_it() -> None:
    with pytest.raises(UsageError, match="alice cannot be reset"):
        LinkRig().link.reset()


@pytest.mark.parametrize(
    ("healed_s", "through_s"), [(0.5, 1), (0.99, 1), (1.5, 3), (3.5, 7), (6.9, 7), (7.1, 15), (20, 31), (40, 63)]
)
@virtually
async def test_a_connect_without_an_answer_comes_through_when_its_syn_is_repeated(
    healed_s: float, through_s: int
) -> None:
    rig = LinkRig()
    fault = await rig.link.hang_connects()
    began_ns = passed_ns()
    side, _ = rig.begin_to_connect()
    await wait_until(began_ns + round(healed_s * S))
    await fault.heal()
    await wait_until(began_ns + through_s * S + HOP_NS - 1)
    assert (side.circuit, side.refused_ns) == (None, None)
    await wait(1)
    assert side.circuit is not None


@virtually
async def test_for_a_moment_before_connects_hang_they_are_refused() -> None:
    rig = LinkRig()
    began_ns = passed_ns()
    hanging = asyncio.create_task(rig.link.hang_connects().__aenter__())
    sides = []
    for _ in range(20):
        sides.append(rig.begin_to_connect()[0])
        await wait(MS // 10)
    await hanging
    refused_ns = [side.refused_ns - began_ns for side in sides if side.refused_ns is not None]
    assert (min(refused_ns), max(refused_ns)) == (CALL_NS // 2, CALL_NS - MS // 10)
    assert len([side for side in sides if side.circuit is not None]) == 3  # those that came before


@virtually
async def test_a_connect_that_nobody_answers_fails_in_the_end() -> None:
    rig = LinkRig()
    await rig.link.hang_connects()
    began_ns = passed_ns()
    side, _ = rig.begin_to_connect()
    await wait(200 * S)
    assert side.refused_ns is not None
    assert side.refused_ns - began_ns >= SYN_REPEATED_S[-1] * S


@virtually
async def test_a_flap_cuts_on_an_absolute_schedule_and_leaves_the_link_up() -> None:
    rig = LinkRig()
    flap = await rig.link.flap(period_s=2, count=3)
    start_ns = flap.injected.t1_ns
    await flap.finished()
    cuts = [event.t0_ns - start_ns for event in rig.events if event.phase is Phase.INJECTED]
    healings = [event.t0_ns - start_ns for event in rig.events if event.phase is Phase.HEALED]
    assert cuts == pytest.approx([-CALL_NS, 2 * S, 4 * S], abs=2)
    assert healings == pytest.approx([S, 3 * S, 5 * S], abs=2)
    assert {event.effect for event in rig.events} == {"flap"}
    await rig.connect()


@virtually
async def test_each_cut_of_a_flap_closes_what_was_connected_in_between() -> None:
    rig = LinkRig()
    connections = [await rig.connect()]
    async with rig.link.flap(period_s=2, count=9):
        for _ in range(2):
            assert await rig.is_refused()
            await wait(round(1.2 * S))
            connections.append(await rig.connect())
            await wait(round(0.8 * S))
        assert [each.client.heard for each in connections] == [[END]] * 3
    assert (await rig.connect()).client.heard == []


@pytest.mark.parametrize("direction", [TO_SERVER, TO_CLIENT])
@pytest.mark.parametrize(("after_bytes", "heard"), [(99, ["whole" * 10]), (100, ["whole" * 10, "x" * 38])])
@virtually
async def test_a_truncation_lets_exactly_so_many_bytes_pass_on_each_connection(
    direction: Direction, after_bytes: int, heard: list[str]
) -> None:
    rig = LinkRig()
    existing = await rig.connect()
    fault = await rig.link.truncate(after_bytes=after_bytes, direction=direction)
    new = await rig.connect()
    head = 6 if direction is TO_SERVER else 2
    texts = ["whole" * 10, "x" * (100 - 50 - 2 * head)]  # 100 bytes with their heads
    for connection in (existing, new):
        said_ns = passed_ns()
        (connection.client_says if direction is TO_SERVER else connection.server_says)(*texts)
        await wait(S)
        near, far = connection.client, connection.server
        if direction is TO_CLIENT:
            near, far = far, near
        assert far.heard == [text if text.startswith("w") else texts[1] for text in heard] + [END]
        assert near.log == [(said_ns + 2 * HOP_NS, END)]
    await fault.heal()
    healed = await rig.connect()
    healed.client_says(*texts, *texts)
    await wait(S)
    assert healed.server.heard == [*texts, *texts]
    assert existing.client.heard.count(END) == 1


@virtually
async def test_a_partition_holds_the_links_that_cross_and_no_others() -> None:
    rigs = {name: LinkRig() for name in ("alice", "bob", "carol")}
    topology = Topology()
    for name, rig in rigs.items():
        rig.link.name = name
        topology.add(rig.link, client=name, server="server")
    connections = {name: await rig.connect() for name, rig in rigs.items()}
    parted = await topology.partition([["alice", "server"], ["bob", "carol"]])
    for connection in connections.values():
        connection.client_says("lost")
        connection.server_says("lost")
    await wait(S)
    assert {name: each.server.heard for name, each in connections.items()} == {
        "alice": ["lost"],
        "bob": [],
        "carol": [],
    }
    assert parted.injected.t1_ns - parted.injected.t0_ns == CALL_NS  # both at once
    await parted.heal()
    for connection in connections.values():
        connection.server_says("heard")
    await wait(S)
    assert {name: each.client.heard for name, each in connections.items()} == {
        "alice": ["lost", "heard"],
        "bob": ["heard"],
        "carol": ["heard"],
    }


@pytest.mark.parametrize("word", BELOW_TCP)
@virtually
async def test_what_lies_below_tcp_is_lacking_and_nothing_was_touched(word: str) -> None:
    rig = LinkRig()
    connection = await rig.connect()
    began_ns = passed_ns()
    with pytest.raises(LackingFaultError, match=f"the fault '{word}'"):
        await getattr(rig.link, word)()
    assert (rig.events, rig.link.active, passed_ns()) == ([], (), began_ns)
    connection.client_says("heard")
    await wait(S)
    assert connection.server.heard == ["heard"]
