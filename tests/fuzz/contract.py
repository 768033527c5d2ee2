"""The decoder of the contract, and what is made of what it lets through: no adapter can bring the judge down.

Each line is read as one of an adapter, and as one of the harness. What an adapter may say is stored, read again and
judged, as in a run.
"""

from __future__ import annotations

from harness.adapter.contract import (
    Answer,
    ContractError,
    Event,
    decode_from_adapter,
    decode_request,
    encode,
)
from harness.oracle.judge import judge
from harness.spec.states import named
from harness.trace import Observation, What, dump, load
from tests.fuzz.outcome import in_short

WHY_MAX = 500  # of what is told of a line that is refused
_START_NS = 7_654_321_000_000_000
_END_NS = _START_NS + 100_000_000_000
_DECLARED = {"name": "sdk", "heartbeat_s": 0.5, "retry_s": 1.0, "clock_error_ns": 1000}
_CALLS_BELOW = 60  # a run decodes at the bottom of a stack, and stores and judges further up


def run(data: bytes) -> str:
    """Read bytes as lines of an adapter, and judge what they tell."""
    seen = []
    outcome = ""
    for line in data.removesuffix(b"\n").split(b"\n"):
        _read_request(line)
        try:
            message = decode_from_adapter(line)
        except ContractError as error:
            outcome = in_short(error, WHY_MAX)
            continue
        assert decode_from_adapter(encode(message)) == message
        seen.append(_observed(message))
    return _judged_further_up(seen, _CALLS_BELOW) if seen else outcome


def _read_request(line: bytes) -> None:
    try:
        request = decode_request(line)
    except ContractError as error:
        in_short(error, WHY_MAX)
    else:
        assert decode_request(encode(request)) == request


def _observed(message: Answer | Event) -> Observation:
    """Return what a world records of a message; the adapter's clock began with the scenario."""
    at_ns = message.at_ns + _START_NS
    arrived_ns = min(max(at_ns, _START_NS), _END_NS)
    if isinstance(message, Event):
        args = named(message.event, message.args)
        return Observation(at_ns, "alice", What.CALLBACK, message.event, args, arrived_ns=arrived_ns)
    result = named("getAttributes", message.result or {"code": repr(message.error)})
    return Observation(at_ns, "alice", What.RETURN, "getAttributes", result, arrived_ns=arrived_ns)


def _judged_further_up(seen: list[Observation], calls: int) -> str:
    if calls:
        return _judged_further_up(seen, calls - 1)
    trace = [
        Observation(_START_NS, "scenario", What.SCENARIO, "fuzzed", {"clauses": ["GENERAL-1"]}),
        Observation(_START_NS, "alice", What.DECLARED, "sdk", _DECLARED),
        *seen,
        Observation(_END_NS, "scenario", What.RULES_ALONE, "rules alone"),
        Observation(_END_NS, "scenario", What.END, "end"),
    ]
    stored = load(dump(trace))
    assert stored == trace
    judgement = judge(stored)
    return f"{judgement.verdict} {judgement.reason.partition(':')[0]}"
