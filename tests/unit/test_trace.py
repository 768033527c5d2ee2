from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.trace import Observation, TraceError, What, dump, load, read

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
times = st.integers(0, 2**63 - 1)
observations = st.builds(
    Observation,
    times,
    st.text(),
    st.sampled_from(What),
    st.text(),
    st.dictionaries(st.text(), plain, max_size=3),
    st.none() | times,
    st.none() | times,
)
CUT = Observation(7, "alice", What.FAULT, "cut", {"visible": True}, until_ns=9)


@given(st.lists(observations, max_size=5))
def test_a_trace_comes_back_as_it_was_stored_a_line_for_each_observation(trace: list[Observation]) -> None:
    data = dump(trace)
    assert load(data) == trace
    assert data.count(b"\n") == len(trace)


def test_what_was_not_measured_is_not_written() -> None:
    written = b'{"at_ns":7,"source":"alice","what":"fault","name":"cut","args":{"visible":true},"until_ns":9}\n'
    assert dump([CUT]) == written


def test_an_observation_cannot_be_altered() -> None:
    with pytest.raises(AttributeError):
        CUT.at_ns = 8  # type: ignore[misc]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "truncated"),
        (b'{"at_ns":7', "truncated"),
        (b"[]", "Expected `object`"),
        (b'{"at_ns":7,"source":"alice","what":"fault"}', "missing required field `name`"),
        (b'{"at_ns":"7","source":"alice","what":"fault","name":"cut"}', "Expected `int`"),
        (b'{"at_ns":7,"source":"alice","what":"rumour","name":"cut"}', "rumour"),
        (b'{"at_ns":7,"source":"\xff","what":"fault","name":"cut"}', ""),
        (b'{"at_ns":%d,"source":"alice","what":"fault","name":"cut"}' % 2**63, "at_ns"),
    ],
)
def test_a_line_that_is_no_observation_is_named_with_its_number_and_why(line: bytes, why: str) -> None:
    with pytest.raises(TraceError) as caught:
        load(dump([CUT]) + line + b"\n" + dump([CUT]), "runs/7/a.jsonl")
    text = str(caught.value)
    assert text.startswith("runs/7/a.jsonl:2: not an observation: ")
    assert why in text
    assert text.endswith(f"the line is {line!r}")


@pytest.mark.parametrize("line", [b"x" * 10_000, b'{"what":"' + b"x" * 10_000 + b'"}', b'"\xff' * 10_000])
def test_of_a_long_line_only_the_beginning_is_shown(line: bytes) -> None:
    with pytest.raises(TraceError) as caught:
        load(line)
    assert len(str(caught.value)) < 800


def test_a_line_that_is_nested_too_deep_to_be_read_is_no_observation() -> None:
    with pytest.raises(TraceError, match=r"^trace:1: not an observation: maximum recursion depth"):
        load(b'{"at_ns":7,"args":{"a":' + b"[" * 100_000)


def test_a_trace_is_read_from_a_file_and_its_errors_name_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(dump([CUT, CUT]))
    assert read(path) == [CUT, CUT]
    path.write_bytes(b"{}\n")
    with pytest.raises(TraceError, match=f"^{path}:1: "):
        read(path)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "b.jsonl")


def test_the_kinds_of_an_observation_are_stored_by_their_names() -> None:
    assert msgspec.json.decode(dump([CUT]))["what"] == "fault"
