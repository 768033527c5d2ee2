"""What a scenario did and saw: the record that every verdict is made from.

A trace is a list of observations in the order in which they reached the harness; a run keeps each as JSON lines.
Times are nanoseconds of the harness's monotonic clock. Nothing here judges.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec

# Of a monotonic clock; what is read is a number of 64 bits, and no arithmetic with two of them fails.
Instant = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class What(StrEnum):
    """The kind of an observation."""

    SCENARIO = "scenario"  # which scenario this is, and which clauses it sets out to prove
    CALL = "call"  # the harness asked a person's client for something
    RETURN = "return"  # and this is what it answered
    CALLBACK = "callback"  # a person's client called back
    FAULT = "fault"  # a fault was put on a link, or healed
    SERVER = "server"  # something was done to the server or said by it
    COUNTED = "counted"  # how many connections a person's client had, and how often its user logged in
    DECLARED = "declared"  # what an adapter says of its implementation
    DELAY = "delay"  # how late the host ran something that was due
    AWAITED = "awaited"  # the scenario waited for something of the implementation, in vain
    EXPECTED = "expected"  # what the scenario expects a person to have seen, written out
    RULES_ALONE = "rules alone"  # the scenario expects nothing in particular: the rules of every trace judge it
    LACKING = "lacking"  # the implementation declares that it cannot do what the scenario asks for
    LATE = "late"  # the harness itself came too late for the scenario to go on as it is written
    ERROR = "error"  # the scenario could not go on, through no fault of the implementation
    END = "end"  # the scenario is over: what comes later is teardown


class Observation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was done or seen.

    ``at_ns`` is when it happened, stamped where it happened. ``until_ns`` is set where it happened at some moment
    between the two (a fault call), or where it is a span. ``arrived_ns`` is when the harness heard of it.
    """

    at_ns: Instant
    source: str
    what: What
    name: str
    args: dict[str, Any] = {}
    until_ns: Instant | None = None
    arrived_ns: Instant | None = None


_SHOWN = 120  # characters of what cannot be read, and of why: either may quote a line of any length

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Observation)


class TraceError(ValueError):
    """A line of a stored trace cannot be read."""


def dump(observations: Iterable[Observation]) -> bytes:
    """Return a trace as JSON lines."""
    return b"".join(_encoder.encode(each) + b"\n" for each in observations)


def load(data: bytes, name: str = "trace") -> list[Observation]:
    """Return the trace that was stored as JSON lines.

    Raises:
        TraceError: a line is not an observation; the message says which and why.
    """
    observations = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            observations.append(_decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            why = str(error)[:_SHOWN]
            raise TraceError(f"{name}:{number}: not an observation: {why}; the line is {line[:_SHOWN]!r}") from error
    return observations


def read(path: Path) -> list[Observation]:
    """Return the trace in a file.

    Raises:
        TraceError: a line of it is not an observation.
        OSError: the file cannot be read.
    """
    return load(path.read_bytes(), str(path))
