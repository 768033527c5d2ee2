"""The targets under Hypothesis: any bytes, any JSON, frames and lines with something changed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.adapter.contract import CALLBACKS
from tests.fuzz import both_cores, client_core, contract, server_core, trace, wire
from tests.fuzz.choices import Choices
from tests.fuzz.frames import VALUES, client_frame, server_frame

Run = Callable[[bytes], str]

numbers = st.integers() | st.floats() | st.sampled_from([2**53, 2**63, 2**64, -(2**63) - 1, 10**400, 1e308, -0.0])
anything = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters()),  # lone surrogates too, as escapes
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["event", "at_ns", "args", "result", "error", "call", "source", "what", "name", "type", *VALUES]
)
# json writes NaN and Infinity as these words, which are no JSON: what an adapter of that make would send.
objects = st.dictionaries(fields, anything, max_size=6).map(lambda told: json.dumps(told).encode())
events = st.sampled_from(sorted(CALLBACKS)).flatmap(
    lambda name: st.fixed_dictionaries(
        {
            "event": st.just(name),
            "at_ns": st.integers(-(2**63), 2**63),
            "args": st.fixed_dictionaries(dict.fromkeys(CALLBACKS[name], anything)),
        }
    )
)
lines = st.lists(events | anything, max_size=5).map(lambda told: "\n".join(map(json.dumps, told)).encode())
frames = st.builds(
    lambda make, data: make(Choices(data)), st.sampled_from([client_frame, server_frame]), st.binary(max_size=40)
)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A frame of which a piece is gone, doubled, or another one."""
    text = draw(frames)
    start, end = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    piece = draw(st.sampled_from([b"", text[start:end] * 2, b"\xff", b"[" * 2000, b"1e999"]) | st.binary(max_size=8))
    return b"".join((text[:start], piece, text[end:]))


# No deadlines: on a host that is busy elsewhere they would say nothing of the code. Slowness is the fuzzer's.
@pytest.mark.parametrize("run", [wire.run, contract.run, trace.run])
@given(data=st.binary() | objects | lines | frames | changed())
def test_a_decoder_reads_or_refuses_whatever_comes(run: Run, data: bytes) -> None:
    assert run(data)


@pytest.mark.parametrize("run", [client_core.run, server_core.run, both_cores.run])
@settings(max_examples=30, derandomize=True)
@given(data=st.binary(min_size=20, max_size=120))
def test_a_core_keeps_the_rules_whatever_happens(run: Run, data: bytes) -> None:
    assert run(data)


@given(data=st.binary(max_size=40))
def test_a_frame_made_by_choices_is_the_same_each_time(data: bytes) -> None:
    assert client_frame(Choices(data)) == client_frame(Choices(data))
    assert server_frame(Choices(data)) == server_frame(Choices(data))


def test_choices_end_with_the_bytes() -> None:
    choices = Choices(b"\x05\x01\x02")
    assert choices.pick("abc") == "c"
    assert choices
    assert choices.take(9) == b"\x01\x02"
    assert not choices
    assert (choices.byte(), choices.pick("abc"), choices.take(1)) == (0, "a", b"")


@pytest.mark.parametrize("make", [client_frame, server_frame])
def test_most_frames_made_by_choices_can_be_read(make: Callable[[Choices], bytes]) -> None:
    read = [
        wire.run(make(Choices(bytes([kind, *range(value, value + 9)])))) for kind in range(14) for value in range(9)
    ]
    assert sum(not outcome.startswith("1007") or "/ 1007" not in outcome for outcome in read) > len(read) / 2
