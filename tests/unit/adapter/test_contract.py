from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.adapter.contract import (
    CALLBACKS,
    CALLS,
    CAPABILITIES,
    NESTED_MAX,
    Answer,
    ContractError,
    Event,
    Hello,
    Request,
    decode_from_adapter,
    decode_request,
    encode,
)

numbers = st.integers(-(2**63), 2**63 - 1)
instants = st.integers(-(2**62), 2**62)
texts = st.text(st.characters(codec="utf-8"))  # a lone surrogate is no text in UTF-8
values = st.recursive(st.none() | st.booleans() | numbers | texts, lambda inner: st.lists(inner), max_leaves=5)
objects = st.dictionaries(texts, values, max_size=3)
answers = st.builds(Answer, numbers, instants, objects) | st.builds(Answer, numbers, instants, error=texts)
events = st.sampled_from(sorted(CALLBACKS)).flatmap(
    lambda name: st.builds(
        Event, st.just(name), instants, st.fixed_dictionaries(dict.fromkeys(CALLBACKS[name], values))
    )
)
too_deep = b'{"id":1,"at_ns":1,"result":{"a":' + b"[" * 100_000


@given(st.builds(Request, numbers, texts, objects))
def test_a_request_survives_the_way_to_the_adapter(request: Request) -> None:
    assert decode_request(encode(request)) == request


@given(answers | events)
def test_a_message_survives_the_way_to_the_harness(message: Answer | Event) -> None:
    assert decode_from_adapter(encode(message)) == message


@given(answers | events | st.builds(Request, numbers, texts, objects))
def test_a_message_is_one_line(message: Request | Answer | Event) -> None:
    line = encode(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


def refusal(decode: Callable[[bytes], object], line: bytes) -> str | None:
    """What is said of a line that is refused; None for one that can be read."""
    try:
        decode(line)
    except ContractError as error:
        return str(error)
    return None


@given(st.binary())
@example(too_deep)
@example(b"\xff\xfe{}\n")
@example(b'{"id":1,"at_ns":1,"error":"\xff"}\n')
@example(b'{"id":1,"at_ns":1,"error":"\\ud800"}\n')
@example(b'{"id":1,"at_ns":1e999}\n')
def test_bytes_are_refused_with_a_contract_error_and_no_other(line: bytes) -> None:
    assert refusal(decode_from_adapter, line)
    assert refusal(decode_request, line)


@given(st.dictionaries(st.sampled_from(["id", "event", "at_ns", "args", "result", "error", "call"]), values | objects))
def test_an_object_is_read_or_refused(fields: dict[str, Any]) -> None:
    line = json.dumps(fields).encode()
    assert refusal(decode_from_adapter, line) != ""
    assert refusal(decode_request, line) != ""


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "Input data was truncated"),
        (b"\n", "Input data was truncated"),
        (b"Listening on port 80\n", "JSON is malformed"),
        (b"[]\n", "Expected `object`, got `array`"),
        (b"7\n", "Expected `object`, got `int`"),
        (b'{"id":1,"at_ns":1', "Input data was truncated"),
        (b'{"id":1,"at_ns":1} {}\n', "trailing characters"),
        (b"{}\n", "either an 'id' (an answer) or an 'event'"),
        (b'{"id":null,"event":null}\n', "either an 'id' (an answer) or an 'event'"),
        (b'{"id":1,"event":"onTokenExpired","at_ns":1}\n', "either an 'id' (an answer) or an 'event'"),
        (b'{"id":"1","at_ns":1}\n', "Expected `int | null`, got `str` - at `$.id`"),
        (b'{"id":true,"at_ns":1}\n', "got `bool` - at `$.id`"),
        (b'{"id":1.5,"at_ns":1}\n', "got `float` - at `$.id`"),
        (b'{"id":1,"result":{}}\n', "missing required field `at_ns`"),
        (b'{"id":1,"at_ns":"now"}\n', "got `str` - at `$.at_ns`"),
        (b'{"id":1,"at_ns":1,"result":[]}\n', "got `array` - at `$.result`"),
        (b'{"id":1,"at_ns":1,"error":{}}\n', "got `object` - at `$.error`"),
        (b'{"id":1,"at_ns":1}\n', "an answer has either a 'result' or an 'error'"),
        (b'{"id":1,"at_ns":1,"result":{},"error":"x"}\n', "an answer has either a 'result' or an 'error'"),
        (b'{"event":"onTokenExpired"}\n', "missing required field `at_ns`"),
        (b'{"event":"onTokenExpired","at_ns":1,"args":[]}\n', "got `array` - at `$.args`"),
        (b'{"event":"onTokenexpired","at_ns":1}\n', "no callback is called 'onTokenexpired'; there are onLoginSuccess"),
        (b'{"event":"onLogout","at_ns":1}\n', "onLogout carries [], expected ['code']"),
        (b'{"event":"onTokenExpired","at_ns":1,"args":{"x":1}}\n', "onTokenExpired carries ['x'], expected []"),
        (b'{"id":1,"at_ns":1,"error":"\xff"}\n', "can't decode byte 0xff"),
        (too_deep, "maximum recursion depth"),
    ],
    ids=range(26),
)
def test_a_line_of_the_adapter_is_refused_with_its_cause(line: bytes, why: str) -> None:
    with pytest.raises(ContractError, match=re.escape(why)):
        decode_from_adapter(line)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "Input data was truncated"),
        (b"hello\n", "JSON is malformed"),
        (b'{"call":"hello"}\n', "missing required field `id`"),
        (b'{"id":1}\n', "missing required field `call`"),
        (b'{"id":1,"call":1}\n', "got `int` - at `$.call`"),
        (b'{"id":1,"call":"x","args":[]}\n', "got `array` - at `$.args`"),
        (too_deep, "maximum recursion depth"),
    ],
    ids=range(7),
)
def test_a_line_of_the_harness_is_refused_with_its_cause(line: bytes, why: str) -> None:
    with pytest.raises(ContractError, match=f"^not a request: .*{re.escape(why)}"):
        decode_request(line)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize("at_ns", [-(2**62), 2**62])
def test_a_stamp_is_of_a_clock_that_can_be(at_ns: int) -> None:
    beyond = at_ns + (1 if at_ns > 0 else -1)
    for line in ('{"id":1,"result":{},"at_ns":%d}', '{"event":"onTokenExpired","at_ns":%d}'):
        assert decode_from_adapter((line % at_ns).encode()).at_ns == at_ns
        for wrong in (beyond, at_ns * 10**400):  # the latter cannot even be shown in seconds
            assert "at_ns" in (refusal(decode_from_adapter, (line % wrong).encode()) or "")


@pytest.mark.parametrize(
    ("decode", "line"),
    [
        (decode_from_adapter, b'{"id":1,"at_ns":1,"result":{"a":%s}}'),
        (decode_from_adapter, b'{"event":"onLogout","at_ns":1,"args":{"code":%s}}'),
        (decode_request, b'{"id":1,"call":"x","args":{"a":[{"b":1}],"c":%s}}'),
    ],
    ids=["answer", "event", "request"],
)
def test_values_are_nested_so_deep_and_no_deeper(decode: Callable[[bytes], object], line: bytes) -> None:
    assert refusal(decode, line % nested(NESTED_MAX - 1)) is None  # the object that they are in counts too
    assert refusal(decode, line % nested(NESTED_MAX)) == f"values are nested more than {NESTED_MAX} deep"
    wide = b",".join([nested(2)] * NESTED_MAX)
    assert refusal(decode, line % (b"[" + wide + b"]")) is None


def test_of_a_long_line_only_the_beginning_is_told() -> None:
    event = {"event": "x" * 10_000, "at_ns": 1}
    told = refusal(decode_from_adapter, json.dumps(event).encode())
    assert told is not None
    assert len(told) == 500


def test_what_later_versions_add_is_passed_over() -> None:
    assert decode_from_adapter(b'{"id":1,"at_ns":2,"result":{},"took_ns":3}\n') == Answer(1, 2, {})
    assert decode_request(b'{"id":1,"call":"login","trace":true}\n') == Request(1, "login")


@given(numbers, instants, st.none() | objects, st.none() | texts)
def test_an_answer_has_exactly_one_of_result_and_error(
    number: int, at_ns: int, result: dict[str, Any] | None, error: str | None
) -> None:
    refused = refusal(decode_from_adapter, encode(Answer(number, at_ns, result, error)))
    if (result is None) != (error is None):
        assert refused is None
    else:
        assert refused == "an answer has either a 'result' or an 'error'"


def test_what_is_null_is_left_out() -> None:
    assert decode_from_adapter(b'{"id":1,"at_ns":2,"result":{},"error":null}\n') == Answer(1, 2, {})
    assert decode_from_adapter(b'{"id":1,"at_ns":2,"result":null,"error":""}\n') == Answer(1, 2, error="")
    with pytest.raises(ContractError, match="an answer has either a 'result' or an 'error'"):
        decode_from_adapter(b'{"id":1,"at_ns":2,"result":null,"error":null}\n')


def test_an_answer_is_written_without_what_it_lacks() -> None:
    assert encode(Answer(1, 2, {})) == b'{"id":1,"at_ns":2,"result":{}}\n'
    assert encode(Answer(1, 2, error="unsupported")) == b'{"id":1,"at_ns":2,"error":"unsupported"}\n'
    assert encode(Event("onTokenExpired", 2)) == b'{"event":"onTokenExpired","at_ns":2,"args":{}}\n'
    assert encode(Request(1, "logout")) == b'{"id":1,"call":"logout","args":{}}\n'


def test_each_call_needs_a_capability_that_there_is() -> None:
    needed = {needs for _, _, needs in CALLS.values() if needs is not None}
    assert needed == set(CAPABILITIES)


def test_an_adapter_lacks_all_that_it_does_not_declare() -> None:
    assert Hello(1, "n", "v", "l", 0.5, 0.5).capabilities == []
