"""The page for those who write servers: its tables and its conversation are what the harness reads and does."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from harness.adapter import contract, handshake, process
from harness.adapter.contract import Answer, Request, ServerConnections, ServerDelays, ServerHello
from harness.world import lab
from harness.world.keys import Keys
from harness.world.lab import LabConfig
from tests.unit.docs.pages import page

PAGE = page("docs/server-contract.md")
RESULTS: dict[str, type[msgspec.Struct]] = {"connections": ServerConnections, "delays": ServerDelays}
CALLS = {row[0].strip("`"): row for row in PAGE.rows("Calls") if len(row) == 4}  # below it are those of results


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def fields(kind: type[msgspec.Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(kind)]


def conversation() -> list[tuple[Request, Answer]]:
    """Each request of the page's conversation with its answer, read as the harness and an adapter read them."""
    lines = [line.encode() for line in PAGE.block("json", '"call": "hello"').splitlines()]
    told = []
    for asked, answered in zip(lines[::2], lines[1::2], strict=True):
        answer = contract.decode_from_adapter(answered)
        assert isinstance(answer, Answer)
        told.append((contract.decode_request(asked), answer))
    return told


def test_each_field_of_hello_is_told() -> None:
    assert [row[0].strip("`") for row in PAGE.rows("hello")] == fields(ServerHello)


@pytest.mark.parametrize("call", RESULTS)
def test_the_result_of_each_call_has_the_fields_that_are_read(call: str) -> None:
    assert names(CALLS[call][2]) == fields(RESULTS[call])


def test_the_arguments_that_are_added_are_those_of_the_table() -> None:
    shown = {row[0].strip("`"): row[2] for row in PAGE.rows("How it is started") if row[0].startswith("`--")}
    option, host = LabConfig(Path(), ipv6=True).server_options()
    assert set(shown) == {"--port", option}
    assert LabConfig(Path()).server_options() == ()
    assert f"`{host}`; without it `{LabConfig(Path()).host}`" in shown[option]


def test_the_variables_that_are_set_are_those_of_the_table() -> None:
    shown = {row[0].strip("`"): row[1] for row in PAGE.rows("How it is started") if row[0].startswith("`LINKPROOF")}
    assert set(shown) == set(Keys("secret", "ca", "certificate", "key").server_environment({}))
    assert {name for name, when in shown.items() if when == "always"} == set(Keys("secret").server_environment({}))


def test_the_numbers_are_those_of_the_code() -> None:
    text = " ".join(PAGE.text.split())
    assert f"Answer within {process.ANSWER_S:g} s" in text
    assert f"exit within {process.FINISH_S:g} s" in text
    assert f"SIGKILL {process.TERM_S:g} s later" in text
    assert f"from {lab.HEARTBEAT_MIN_S:g} to 0.5" in text
    assert handshake.CLOCK_SAMPLES == 5
    assert "asked for five times" in text
    assert contract.LINE_BYTES_MAX == 1024 * 1024
    assert f"the version of this contract that you speak: {contract.CONTRACT_VERSION}" in text


def test_the_conversation_has_each_call_with_its_arguments_and_a_result_that_is_read() -> None:
    told = conversation()
    known = {request.call: (request, answer) for request, answer in told if answer.error is None}
    assert list(known) == list(CALLS)
    for call, row in CALLS.items():
        request, answer = known[call]
        assert list(request.args) == names(row[1])
        assert answer.result is not None
        if kind := RESULTS.get(call):
            assert isinstance(msgspec.convert(answer.result, kind), kind)
    assert msgspec.convert(known["hello"][1].result, ServerHello).contract == contract.CONTRACT_VERSION
    assert [answer.error for request, answer in told if request.call not in CALLS] == [contract.UNSUPPORTED]


def test_the_conversation_counts_up_and_each_answer_has_the_id_of_its_request() -> None:
    assert [(request.id, answer.id) for request, answer in conversation()] == [(n, n) for n in range(1, 7)]
