"""``python -m tests.benchmarks.emitter``: an adapter that calls back at moments which were told to it beforehand.

Its clock is not the machine's: it is ahead by hours, as that of a client elsewhere may be, so that what is compared
with the true moment has passed through the comparison of clocks. Each event says both the moment that was told and the
true one at which it was stamped.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import msgspec

from harness.adapter.contract import UNSUPPORTED, Answer, Event, Hello, Request, decode_request, encode

AHEAD_NS = 12_345_678_901_234
EVENT = "onMessageReceivedFromPeer"  # any callback that carries words will do
_HELLO = Hello(1, "emitter", "0", "python", 0.5, 1.0, [])


class Schedule(msgspec.Struct):
    """When to call back, by the machine's monotonic clock; comes in the place of a token."""

    first_ns: int
    period_ns: int
    count: int

    def due_ns(self) -> list[int]:
        """Return each moment."""
        return [self.first_ns + number * self.period_ns for number in range(self.count)]


def _say(message: Answer | Event) -> None:
    sys.stdout.buffer.write(encode(message))
    sys.stdout.buffer.flush()


def _emit(schedule: Schedule) -> None:
    for due_ns in schedule.due_ns():
        time.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)
        stamped_ns = time.monotonic_ns()
        _say(Event(EVENT, stamped_ns + AHEAD_NS, {"peer": str(due_ns), "text": str(stamped_ns)}))


def _answer(request: Request) -> dict[str, Any] | None:
    match request.call:
        case "hello":
            return msgspec.structs.asdict(_HELLO)
        case "clock":
            return {"now_ns": time.monotonic_ns() + AHEAD_NS}
        case "create":
            return {}
        case "login":
            schedule = msgspec.json.decode(request.args["token"], type=Schedule)
            threading.Thread(target=_emit, args=(schedule,), daemon=True).start()
            return {"code": 0}
    return None


def main() -> None:
    """Answer requests until the input ends."""
    for line in sys.stdin.buffer:
        request = decode_request(line)
        result = _answer(request)
        error = UNSUPPORTED if result is None else None
        _say(Answer(request.id, time.monotonic_ns() + AHEAD_NS, result, error))


if __name__ == "__main__":
    main()
