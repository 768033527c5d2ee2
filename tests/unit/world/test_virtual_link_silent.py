"""The faults on a simulated link that nobody is told of; docs/faults.md."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.world.virtual_link import CALL_NS
from harness.world.virtual_loop import run
from harness.world.virtual_net import HOP_NS
from proxies.fault import Fault
from proxies.toxics import Direction
from tests.unit.world.virtual_rig import END, MS, Connection, LinkRig, S, Side, passed_ns, virtually, wait, wait_until

TO_SERVER, TO_CLIENT = Direction.TO_SERVER, Direction.TO_CLIENT
BOTH = (TO_SERVER, TO_CLIENT)


def say(connection: Connection, direction: Direction, *texts: str) -> None:
    (connection.client_says if direction is TO_SERVER else connection.server_says)(*texts)


def far_end(connection: Connection, direction: Direction) -> Side:
    return connection.server if direction is TO_SERVER else connection.client


def close_near_end(connection: Connection, direction: Direction) -> None:
    (connection.circuit.client_closes if direction is TO_SERVER else connection.circuit.server_closes)()


def reverse(direction: Direction) -> Direction:
    return TO_CLIENT if direction is TO_SERVER else TO_SERVER


# ----------------------------------------------------------------------------------------------------- blackhole


@virtually
async def test_a_blackhole_loses_every_byte_for_good_and_then_carries_on() -> None:
    rig = LinkRig()
    existing = await rig.connect()
    async with rig.link.blackhole() as fault:
        assert not fault.visible
        new = await rig.connect()  # which succeeds, for the proxy itself answers it
        for connection in (existing, new):
            connection.client_says("lost")
            connection.server_says("lost")
        await wait(100 * S)
    for connection in (existing, new):
        connection.client_says("heard")
        connection.server_says("heard")
    await wait(S)
    for connection in (existing, new):
        assert (connection.server.heard, connection.client.heard) == (["heard"], ["heard"])


@pytest.mark.parametrize("direction", BOTH)
@virtually
async def test_in_a_blackhole_an_end_that_closes_is_seen_to_close(direction: Direction) -> None:
    rig = LinkRig()
    connection = await rig.connect()
    async with rig.link.blackhole():
        say(connection, direction, "lost")
        await wait(S)
        close_near_end(connection, direction)
        closed_ns = passed_ns()
        await wait(S)
        assert far_end(connection, direction).log == [(closed_ns + HOP_NS, END)]


@virtually
async def test_a_blackhole_that_closes_ends_what_lived_through_it_when_it_is_healed() -> None:
    rig = LinkRig()
    existing = await rig.connect()
    fault = await rig.link.blackhole(closes_on_heal=True)
    new = await rig.connect()
    await wait(S)
    assert existing.client.heard == new.client.heard == []
    healed_ns = passed_ns() + CALL_NS // 2
    await fault.heal()
    await wait(S)
    for connection in (existing, new):
        assert connection.client.log == connection.server.log == [(healed_ns + HOP_NS, END)]
    later = await rig.connect()
    later.client_says("heard")
    await wait(S)
    assert (later.server.heard, later.client.heard) == (["heard"], [])


# -------------------------------------------------------------------------------------------------------- freeze


@pytest.mark.parametrize("where", [None, TO_SERVER, TO_CLIENT])
@pytest.mark.parametrize("direction", BOTH)
@virtually
async def test_a_freeze_holds_bytes_and_the_end_and_delivers_all_in_order(
    where: Direction | None, direction: Direction
) -> None:
    rig = LinkRig()
    existing = await rig.connect()
    fault = await rig.link.freeze(where)
    new = await rig.connect()
    began_ns = passed_ns()
    for connection in (existing, new):
        say(connection, direction, "a", "b")
        close_near_end(connection, direction)
    await wait(100 * S)
    is_held = where in (None, direction)
    at_once = [(began_ns + HOP_NS, text) for text in ("a", "b", END)]
    for connection in (existing, new):
        assert far_end(connection, direction).log == ([] if is_held else at_once)
    healed_ns = passed_ns() + CALL_NS // 2
    await fault.heal()
    thawed = [(healed_ns, text) for text in ("a", "b", END)]
    for connection in (existing, new):
        assert far_end(connection, direction).log == (thawed if is_held else at_once)


@virtually
async def test_what_is_said_after_a_thaw_comes_after_what_was_held() -> None:
    rig = LinkRig()
    connection = await rig.connect()
    async with rig.link.freeze():
        connection.client_says("held")
        await wait(S)
    connection.client_says("said later")
    await wait(S)
    assert connection.server.heard == ["held", "said later"]


# ----------------------------------------------------------------------------------------- silence and half-open


@pytest.mark.parametrize("direction", BOTH)
@virtually
async def test_a_silence_loses_one_direction_and_leaves_the_other(direction: Direction) -> None:
    rig = LinkRig()
    existing = await rig.connect()
    fault = await rig.link.silence(direction)
    new = await rig.connect()
    for connection in (existing, new):
        say(connection, direction, "lost")
        say(connection, reverse(direction), "passes")
        await wait(S)
        assert far_end(connection, direction).heard == []
        assert far_end(connection, reverse(direction)).heard == ["passes"]
    await fault.heal()
    for connection in (existing, new):
        say(connection, direction, "heard")
        await wait(S)
        assert far_end(connection, direction).heard == ["heard"]


@pytest.mark.parametrize("direction", BOTH)
@virtually
async def test_a_half_open_link_carries_bytes_and_does_not_tell_of_an_end_until_it_is_healed(
    direction: Direction,
) -> None:
    rig = LinkRig()
    existing = await rig.connect()
    fault = await rig.link.half_open(direction)
    new = await rig.connect()
    for connection in (existing, new):
        say(connection, direction, "passes")
        say(connection, reverse(direction), "passes too")
        await wait(S)
        close_near_end(connection, direction)
    await wait(100 * S)
    for connection in (existing, new):
        assert far_end(connection, direction).heard == ["passes"]
        assert far_end(connection, reverse(direction)).heard == ["passes too"]
    healed_ns = passed_ns() + CALL_NS // 2
    await fault.heal()
    for connection in (existing, new):
        assert far_end(connection, direction).log[1:] == [(healed_ns, END)]


@virtually
async def test_a_half_open_link_tells_the_other_end() -> None:
    rig = LinkRig()
    connection = await rig.connect()
    async with rig.link.half_open(TO_CLIENT):
        connection.circuit.client_closes()
        await wait(MS)
        assert connection.server.heard == [END]


# ------------------------------------------------------------------------------------------------ delay and trickle


@pytest.mark.parametrize("where", [None, TO_SERVER, TO_CLIENT])
@pytest.mark.parametrize("direction", BOTH)
@virtually
async def test_a_delay_delays_every_byte_and_no_connect(where: Direction | None, direction: Direction) -> None:
    rig = LinkRig()
    existing = await rig.connect()
    await rig.link.delay(0.7, where)
    began_ns = passed_ns()
    new = await rig.connect()
    assert passed_ns() == began_ns + HOP_NS
    delay_ns = round(0.7 * S) if where in (None, direction) else 0
    for connection in (existing, new):
        said_ns = passed_ns()
        say(connection, direction, "a", "b")
        await wait(100 * MS)
        say(connection, direction, "c")
        await wait(S)
        arrived_ns = said_ns + HOP_NS + delay_ns
        assert far_end(connection, direction).log == [
            (arrived_ns, "a"),
            (arrived_ns, "b"),
            (arrived_ns + 100 * MS, "c"),
        ]


@virtually
async def test_what_still_waits_when_a_delay_is_healed_is_let_go_and_nothing_overtakes_it() -> None:
    rig = LinkRig()
    connection = await rig.connect()
    fault = await rig.link.delay(5)
    connection.client_says("a", "b")
    await wait(S)
    healed_ns = passed_ns() + CALL_NS // 2
    await fault.heal()
    connection.client_says("c")
    await wait(S)
    assert connection.server.log == [
        (healed_ns, "a"),
        (healed_ns, "b"),
        (healed_ns + CALL_NS // 2 + HOP_NS, "c"),
    ]


@pytest.mark.parametrize("where", [None, TO_SERVER, TO_CLIENT])
@pytest.mark.parametrize("direction", BOTH)
@virtually
async def test_a_trickle_takes_as_long_as_the_bytes_at_its_rate(where: Direction | None, direction: Direction) -> None:
    rig = LinkRig()
    existing = await rig.connect()
    fault = await rig.link.trickle(rate_kb_per_s=2, direction=where)
    new = await rig.connect()
    head = (2 if direction is TO_CLIENT else 6) + 2  # of a payload above 125 bytes
    texts = ["x" * (1000 - head), "y" * (3000 - head)]
    said_ns = passed_ns()
    for connection in (existing, new):  # each connection has a rate of its own
        say(connection, direction, *texts)
    await wait(10 * S)
    takes_ns = S // 2 if where in (None, direction) else 0
    for connection in (existing, new):
        assert far_end(connection, direction).log == [
            (said_ns + HOP_NS + takes_ns, texts[0]),
            (said_ns + HOP_NS + 4 * takes_ns, texts[1]),
        ]
    await fault.heal()
    said_ns = passed_ns()
    say(existing, direction, *texts)
    await wait(S)
    assert far_end(existing, direction).log[2:] == [(said_ns + HOP_NS, text) for text in texts]


@virtually
async def test_nothing_is_lost_where_a_trickle_is_healed_in_the_middle() -> None:
    rig = LinkRig()
    connection = await rig.connect()
    async with rig.link.trickle(rate_kb_per_s=1):
        connection.client_says(*(str(number) * 500 for number in range(5)))
        await wait_until(passed_ns() + round(1.2 * S))
        assert [text[0] for text in connection.server.heard] == ["0", "1"]
    await wait(MS)
    assert [text[0] for text in connection.server.heard] == ["0", "1", "2", "3", "4"]


# ------------------------------------------------------------------------------------------------ the order of all


def lossless(rig: LinkRig, kind: str, where: Direction | None) -> Fault:
    match kind:
        case "freeze":
            return rig.link.freeze(where)
        case "delay":
            return rig.link.delay(0.3, where)
        case "trickle":
            return rig.link.trickle(rate_kb_per_s=1, direction=where)
        case _:
            return rig.link.half_open(where or TO_CLIENT)


def fault_of(rig: LinkRig, kind: str, where: Direction | None) -> Fault:
    match kind:
        case "blackhole":
            return rig.link.blackhole()
        case "silence":
            return rig.link.silence(where or TO_SERVER)
        case _:
            return lossless(rig, kind, where)


LOSSLESS = ("freeze", "delay", "trickle", "half_open")
PLANS = st.lists(
    st.tuples(
        st.sampled_from([*LOSSLESS, "blackhole", "silence"]),
        st.sampled_from([None, TO_SERVER, TO_CLIENT]),
        st.integers(0, 3),  # messages each way while it lasts
        st.integers(0, 2),  # and after it
        st.integers(0, S),  # for how long it lasts
    ),
    max_size=8,
)


@given(plan=PLANS)
def test_no_sequence_of_faults_reorders_or_doubles_anything_and_those_that_hold_lose_nothing(
    plan: list[tuple[str, Direction | None, int, int, int]],
) -> None:
    async def body() -> None:
        rig = LinkRig()
        connection = await rig.connect()
        said = 0

        def talk(count: int) -> None:
            nonlocal said
            for _ in range(count):
                connection.client_says(str(said))
                connection.server_says(str(said))
                said += 1

        for kind, where, during, after, lasts_ns in plan:
            async with fault_of(rig, kind, where):
                talk(during)
                await wait(lasts_ns)
            talk(after)
        connection.circuit.client_closes()
        await wait(S)
        *heard, end = connection.server.heard
        assert end == END
        for numbers in (heard, connection.client.heard):
            assert [int(number) for number in numbers] == sorted({int(number) for number in numbers})
        if all(kind in LOSSLESS for kind, *_ in plan):
            assert heard == [str(number) for number in range(said)]

    run(body())
