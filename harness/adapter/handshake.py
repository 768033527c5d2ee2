"""The first words with an adapter: what it carries, how its clock runs, and whether it knows what it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from harness.adapter.contract import (
    CAPABILITIES,
    CONTRACT_VERSION,
    INSTANT_MAX_NS,
    UNSUPPORTED,
    Answer,
    Hello,
)
from harness.adapter.process import CONTRACT_PAGE
from harness.clock import now_ns
from harness.errors import AdapterError

CLOCK_SAMPLES = 5
UNKNOWN_CALL = "linkproof-no-such-call"


class Asked(Protocol):
    """Whoever answers requests: a process, as a rule."""

    name: str

    async def request(self, call: str, args: Mapping[str, Any]) -> tuple[Answer, int]:
        """Return the answer to a request, and when it arrived (monotonic nanoseconds)."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How an adapter's clock relates to the harness's: ``ours = theirs - offset_ns``, known to ``error_ns``."""

    offset_ns: int
    error_ns: int


async def greet(process: Asked) -> tuple[Hello, Clock]:
    """Hold the first conversation with an adapter.

    Raises:
        AdapterError: it does not answer, or not as the contract says.
    """
    answer, _ = await process.request("hello", {})
    hello = hello_of(process.name, answer)
    clock = await compare_clocks(process)
    answer, _ = await process.request(UNKNOWN_CALL, {})
    if answer.error != UNSUPPORTED:
        raise _wrong(process.name, f"answered {UNKNOWN_CALL!r} with {answer.error or answer.result!r}", UNSUPPORTED)
    return hello, clock


def hello_of(name: str, answer: Answer) -> Hello:
    """Return what an adapter says of itself.

    Raises:
        AdapterError: the answer is none to ``hello``, or declares what cannot be.
    """
    try:
        hello = msgspec.convert(answer.result, Hello)
    except msgspec.ValidationError as error:
        raise _wrong(name, f"answered hello with {answer.error or answer.result!r}", str(error)) from error
    if hello.contract != CONTRACT_VERSION:
        raise _wrong(name, f"speaks version {hello.contract} of the contract", f"version {CONTRACT_VERSION}")
    unknown = sorted(set(hello.capabilities) - set(CAPABILITIES))
    if unknown:
        raise _wrong(name, f"declares the capabilities {unknown}", f"some of {', '.join(CAPABILITIES)}")
    # With a heartbeat of 4 s or more no silent loss can be noticed within 4 s (CONNECTED-3); a client that may wait
    # for 30 s before it tries again cannot be told from one that has given up (RECONNECTING-1).
    if not 0 < hello.heartbeat_s < 4 or not 0 < hello.retry_s < 30:
        found = f"declares heartbeat_s {hello.heartbeat_s:g} and retry_s {hello.retry_s:g}"
        raise _wrong(name, found, "a heartbeat of under 4 s and a retry of under 30 s, both over 0")
    return hello


async def compare_clocks(process: Asked) -> Clock:
    """Ask for the time a few times; the quickest answer tells best.

    Raises:
        AdapterError: an answer is none to ``clock``.
    """
    samples = []
    for _ in range(CLOCK_SAMPLES):
        asked_ns = now_ns()
        answer, answered_ns = await process.request("clock", {})
        theirs = (answer.result or {}).get("now_ns")
        if not isinstance(theirs, int) or isinstance(theirs, bool) or abs(theirs) > INSTANT_MAX_NS:
            raise _wrong(process.name, f"answered clock with {answer.error or answer.result!r}", '{"now_ns": NUMBER}')
        samples.append(Clock(theirs - (asked_ns + answered_ns) // 2, (answered_ns - asked_ns) // 2 + 1))
    best = min(samples, key=lambda sample: sample.error_ns)
    # Within its error of zero it is the machine's own monotonic clock: correcting by noise would only add noise.
    return Clock(0, best.error_ns) if abs(best.offset_ns) <= best.error_ns else best


def _wrong(name: str, found: str, wanted: str) -> AdapterError:
    return AdapterError(f"{name}: the adapter {found}", why=f"expected {wanted}", mend=f"see {CONTRACT_PAGE}")
