from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from harness.world.virtual_loop import run, running_loop
from harness.world.virtual_net import (
    CLIENT_FAREWELL,
    HOP_NS,
    SERVER_FAREWELL,
    Circuit,
    Toxics,
    text_to_client,
    text_to_server,
)
from tests.unit.world.virtual_rig import END, MS, Connection, S, Side, passed_ns, virtually, wait, wait_until

SWITCHES = ("is_dropping", "is_holding", "holds_fin", "delay_ns", "bytes_per_s", "bytes_max")


class Wire(Connection):
    """A connection over toxics that the test switches itself."""

    def __init__(self) -> None:
        self.toxics = Toxics()  # of the way to the server
        client, server = Side(), Side()
        circuit = Circuit(running_loop(), client, server, to_server=self.toxics, to_client=Toxics())
        super().__init__(circuit, client, server)

    def switch(self, name: str, value: object) -> None:
        setattr(self.toxics, name, value)
        self.circuit.to_server.changed()


# ------------------------------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535])
def test_a_message_has_the_size_that_it_has_on_a_real_wire(length: int) -> None:
    data = b"x" * length
    frame = Frame(Opcode.TEXT, data)
    assert text_to_server(data).size == len(frame.serialize(mask=True))
    assert text_to_client(data).size == len(frame.serialize(mask=False))


def test_a_farewell_is_a_close_frame_with_a_code() -> None:
    frame = Frame(Opcode.CLOSE, (1000).to_bytes(2, "big"))
    assert CLIENT_FAREWELL.size == len(frame.serialize(mask=True))
    assert SERVER_FAREWELL.size == len(frame.serialize(mask=False))


# ----------------------------------------------------------------------------------------------- a connection by itself


@virtually
async def test_both_directions_carry_messages_in_order_after_a_hop() -> None:
    wire = Wire()
    wire.client_says("a", "b")
    wire.server_says("c")
    await wait(MS)
    wire.client_says("d")
    await wait(MS)
    assert wire.server.log == [(HOP_NS, "a"), (HOP_NS, "b"), (MS + HOP_NS, "d")]
    assert wire.client.log == [(HOP_NS, "c")]


@pytest.mark.parametrize("who", ["client", "server"])
@virtually
async def test_an_end_that_closes_is_heard_to_the_last_word_and_hears_nothing_more(who: str) -> None:
    wire = Wire()
    wire.client_says("to the server")
    wire.server_says("to the client")
    near, far = (wire.client, wire.server) if who == "client" else (wire.server, wire.client)
    close = wire.circuit.client_closes if who == "client" else wire.circuit.server_closes
    close()
    close()  # a second time changes nothing
    assert not wire.circuit.is_over
    await wait(MS)
    wire.client_says("too late")
    wire.server_says("too late")
    await wait(MS)
    other = "server" if who == "client" else "client"
    assert far.log == [(HOP_NS, f"to the {other}"), (HOP_NS, END)]
    assert near.log == []


@virtually
async def test_a_connection_is_over_when_both_ends_have_gone() -> None:
    wire = Wire()
    wire.circuit.client_closes()
    wire.circuit.server_closes()
    assert wire.circuit.is_over
    await wait(MS)
    assert (wire.client.log, wire.server.log) == ([], [])


@pytest.mark.parametrize("toxic", ["is_dropping", "is_holding", "holds_fin"])
@virtually
async def test_a_severed_connection_loses_what_is_on_its_way_and_tells_both_ends_through_any_toxic(toxic: str) -> None:
    wire = Wire()
    wire.switch(toxic, True)
    wire.client_says("lost")
    wire.server_says("lost too")
    wire.circuit.sever()
    await wait(MS)
    wire.client_says("lost as well")
    wire.switch(toxic, False)
    await wait(MS)
    assert wire.client.log == wire.server.log == [(HOP_NS, END)]


@virtually
async def test_an_end_that_hung_up_before_the_connection_was_severed_is_told_nothing() -> None:
    wire = Wire()
    wire.circuit.sever()
    wire.circuit.client_closes()
    await wait(MS)
    assert (wire.client.log, wire.server.log) == ([], [(HOP_NS, END)])


# ------------------------------------------------------------------------------------------------- toxic by toxic


@virtually
async def test_dropping_loses_bytes_for_good_and_lets_the_end_pass() -> None:
    wire = Wire()
    wire.switch("is_dropping", True)
    wire.client_says("lost")
    await wait(S)
    wire.switch("is_dropping", False)
    wire.client_says("heard")
    await wait(S)
    wire.switch("is_dropping", True)
    wire.client_says("lost again")
    wire.circuit.client_closes()
    await wait(S)
    assert wire.server.log == [(S + HOP_NS, "heard"), (2 * S + HOP_NS, END)]


@virtually
async def test_holding_keeps_bytes_and_what_comes_after_them() -> None:
    wire = Wire()
    wire.switch("is_holding", True)
    wire.client_says("a", "b")
    wire.circuit.client_closes()
    await wait(S)
    assert wire.server.log == []
    wire.switch("is_holding", False)
    await wait(S)
    assert wire.server.log == [(S, "a"), (S, "b"), (S, END)]


@virtually
async def test_holding_the_end_keeps_nothing_else() -> None:
    wire = Wire()
    wire.switch("holds_fin", True)
    wire.client_says("a")
    wire.circuit.client_closes()
    await wait(S)
    assert wire.server.log == [(HOP_NS, "a")]
    wire.switch("holds_fin", False)
    await wait(S)
    assert wire.server.log[1:] == [(S, END)]


@virtually
async def test_a_delay_is_counted_from_the_sending_and_lets_go_of_all_when_it_ends() -> None:
    wire = Wire()
    wire.switch("delay_ns", 5 * S)
    wire.client_says("a")
    await wait_until(3 * S)
    wire.client_says("b")
    await wait_until(6 * S)
    wire.client_says("c")
    wire.switch("delay_ns", 0)
    await wait(S)
    assert wire.server.log == [(5 * S + HOP_NS, "a"), (6 * S, "b"), (6 * S + HOP_NS, "c")]


@virtually
async def test_a_thin_link_takes_its_time_by_size_one_message_after_the_other() -> None:
    wire = Wire()
    wire.switch("bytes_per_s", 1000)
    texts = ["x" * 94, "y" * 44]  # 100 and 50 bytes with their heads
    assert [text_to_server(text.encode()).size for text in texts] == [100, 50]
    wire.client_says(*texts)
    await wait_until(S)
    wire.client_says(texts[0])
    await wait_until(S + 60 * MS)
    wire.switch("bytes_per_s", 0)  # in the middle of a message: the rest comes at full speed
    await wait(S)
    assert wire.server.log == [
        (100 * MS + HOP_NS, texts[0]),
        (150 * MS + HOP_NS, texts[1]),
        (S + 60 * MS, texts[0]),
    ]


@given(sizes=st.lists(st.integers(7, 100), min_size=1, max_size=6), spare=st.integers(-1, 1))
def test_a_maximum_lets_exactly_so_many_bytes_pass_and_then_closes(sizes: list[int], spare: int) -> None:
    """Up to the last message, one byte less, or one byte more."""

    async def body() -> None:
        wire = Wire()
        bytes_max = sum(sizes) + spare
        wire.switch("bytes_max", bytes_max)
        texts = [chr(ord("a") + number) * (size - 6) for number, size in enumerate(sizes)]
        wire.client_says(*texts)
        await wait(S)
        whole = texts[:-1] if spare < 0 else texts  # of a message that is cut in the middle nothing is heard
        if spare > 0:
            assert wire.server.log == [(HOP_NS, text) for text in whole]
            assert wire.client.log == []
        else:
            assert wire.server.log == [*((HOP_NS, text) for text in whole), (2 * HOP_NS, END)]
            assert wire.client.log == [(2 * HOP_NS, END)]

    run(body())


@virtually
async def test_a_maximum_counts_from_its_switching_on() -> None:
    wire = Wire()
    for _ in range(3):
        wire.client_says("x" * 44)  # 50 bytes
        await wait(MS)
        wire.switch("bytes_max", 60)
        wire.client_says("y" * 44)
        await wait(MS)
        wire.switch("bytes_max", None)
    assert wire.server.heard == ["x" * 44, "y" * 44] * 3
    wire.switch("bytes_max", 60)
    wire.client_says("y" * 44, "z" * 44)
    await wait(MS)
    assert wire.server.heard[6:] == ["y" * 44, END]


# -------------------------------------------------------------------------------------------------------- the order


@dataclass(frozen=True)
class Step:
    """What a test does next: say something, switch something, or let time pass."""

    kind: str
    value: int | bool | None = None


SAYING = st.just(Step("say"))
WAITING = st.builds(Step, st.just("wait"), st.integers(0, 3 * HOP_NS) | st.integers(0, 3 * S))
LOSSLESS = (
    st.builds(Step, st.sampled_from(["is_holding", "holds_fin"]), st.booleans())
    | st.builds(Step, st.just("delay_ns"), st.sampled_from([0, MS, S]))
    | st.builds(Step, st.just("bytes_per_s"), st.sampled_from([0, 1000, 1_000_000]))
)
LOSSY = LOSSLESS | st.builds(Step, st.just("is_dropping"), st.booleans())


async def carried_out(wire: Wire, steps: list[Step]) -> list[tuple[int, str]]:
    """Do all of it, close, switch everything off, and return what was said and when."""
    said: list[tuple[int, str]] = []
    for step in steps:
        if step.kind == "say":
            said.append((passed_ns(), str(len(said))))
            wire.client_says(said[-1][1])
        elif step.kind == "wait":
            await wait(int(step.value or 0))
        else:
            wire.switch(step.kind, step.value)
    wire.circuit.client_closes()
    for name, value in zip(SWITCHES, (False, False, False, 0, 0, None), strict=True):
        wire.switch(name, value)
    await wait(S)
    return said


def in_order(steps: list[Step], check: Callable[[list[tuple[int, str]], Wire], None]) -> None:
    async def body() -> None:
        wire = Wire()
        check(await carried_out(wire, steps), wire)

    run(body())


@given(steps=st.lists(SAYING | WAITING | LOSSLESS, max_size=25))
def test_whatever_is_held_and_delayed_arrives_whole_and_in_order_and_the_end_is_last(steps: list[Step]) -> None:
    def check(said: list[tuple[int, str]], wire: Wire) -> None:
        assert wire.server.heard == [*(text for _, text in said), END]
        for (sent_ns, _), (heard_ns, _) in zip(said, wire.server.log, strict=False):
            assert heard_ns >= sent_ns + HOP_NS
        times = [at_ns for at_ns, _ in wire.server.log]
        assert times == sorted(times)

    in_order(steps, check)


@given(steps=st.lists(SAYING | WAITING | LOSSY, max_size=25))
def test_whatever_is_switched_what_arrives_arrives_once_and_in_order_and_the_end_is_last(steps: list[Step]) -> None:
    def check(said: list[tuple[int, str]], wire: Wire) -> None:
        *numbers, end = wire.server.heard
        assert end == END
        heard = [int(number) for number in numbers]
        assert heard == sorted(set(heard))
        assert set(heard) <= set(range(len(said)))

    in_order(steps, check)


@given(
    bytes_max=st.integers(1, 60),
    steps=st.lists(SAYING | WAITING | LOSSY, max_size=25),
)
def test_under_a_maximum_no_more_than_that_arrives_and_it_is_the_beginning(bytes_max: int, steps: list[Step]) -> None:
    async def body() -> None:
        wire = Wire()
        wire.switch("bytes_max", bytes_max)
        said = await carried_out(wire, [step for step in steps if step.kind != "is_dropping"])
        assert wire.server.heard.count(END) == 1
        assert wire.server.heard[-1] == END
        texts = wire.server.heard[:-1]
        assert texts == [text for _, text in said[: len(texts)]]

    run(body())
