"""What the kernel is told so that a wire does what a fault says: rules that drop and refuse, and queues that hold.

A measure runs in a worker thread and may block. Only `take` and `lift` may change what the two ends can see, and the
time is taken around them alone.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Final

from harness.errors import HostError
from proxies.netns.kernel import tell
from proxies.netns.netlink import change_queue, group_of, queue_of
from proxies.netns.rules import Treatment
from proxies.netns.wire import End, Wire


class Measure(ABC):
    """What is done to one wire to make one fault, and how it is undone."""

    def prepare(self) -> None:
        """Whatever can be done before, without any effect on the wire."""
        return

    @abstractmethod
    def take(self) -> None:
        """Make the fault."""

    @abstractmethod
    def check(self) -> str:
        """Say what shows that it is in place.

        Raises:
            HostError: it is not.
        """

    @abstractmethod
    def lift(self) -> None:
        """Take the fault away."""

    def dispose(self) -> None:
        """Release what it holds outside of the kernel's tables, when the wire is taken away under it."""
        return

    @abstractmethod
    def clear(self) -> str:
        """Take away what is left of it and has no effect any more; say what shows that it is gone."""


class Treat(Measure):
    """Packets that arrive at some ends are treated otherwise, by the rules that are there already."""

    def __init__(self, wire: Wire, treatments: Mapping[End, Treatment]) -> None:
        self._wire = wire
        self._treatments = dict(treatments)

    def prepare(self) -> None:
        """Set up the rules where there are none yet: they do nothing to a wire that they do not apply to."""
        for end in self._treatments:
            self._wire.arm(end)

    def take(self) -> None:
        """Have the rules apply."""
        for end, treatment in self._treatments.items():
            self._wire.treat(end, self._wire.treatment(end) | treatment)

    def check(self) -> str:
        """Ask the kernel whether they do."""
        for end, treatment in self._treatments.items():
            found = Treatment(group_of(end.namespace, end.device))
            if treatment & ~found:
                raise HostError(
                    f"{end.device} is treated as {found!r}, and was to be as {treatment!r}",
                    why="something else has changed this run's namespaces",
                )
        return ", ".join(f"what arrives at {end.device}: {what.name}" for end, what in self._treatments.items())

    def lift(self) -> None:
        """Have the rules apply no more."""
        for end, treatment in self._treatments.items():
            self._wire.treat(end, self._wire.treatment(end) & ~treatment)

    def clear(self) -> str:
        """Say how many packets the wire's rules have stopped since it was laid."""
        return ", ".join(f"{self._wire.stopped(end)} packets were stopped at {end.device}" for end in self._treatments)


class Close(Treat):
    """The same, and every connection of the wire is closed by the kernel: the other end is told by an RST."""

    def take(self) -> None:
        """Have the rules apply, then close what is connected."""
        super().take()
        self._closed = self._wire.close_connections()

    def check(self) -> str:
        """Ask the kernel whether they apply."""
        return f"{self._closed} ends of connections were closed; {super().check()}"


class CloseLater(Treat):
    """The same, and every connection that lives through it is closed when it is lifted."""

    def lift(self) -> None:
        """Have the rules apply no more, then close what is connected."""
        super().lift()
        self._wire.close_connections()


# Bytes a second, of a queue that is to hold everything, and of one that is to hold nothing.
_HOLDING: Final = 8
_FREE: Final = 1_000_000_000
_BURST: Final = 1600  # bytes; no packet of an interface with an MTU of 1500 is longer
_QUEUE_MAX: Final = 8_000_000
_STOPPER: Final = 0x88B5  # a type of Ethernet frames for experiments (IEEE 802): at the other end nobody heeds it
_STOPPER_BYTES: Final = 1514


class Slow(Measure):
    """A queue in front of an interface that lets through so many bytes a second, and then everything, in order."""

    _frames = 1  # so that the queue begins empty of what it may let through at once

    def __init__(self, ends: Sequence[End], rate: int) -> None:
        self._ends = tuple(ends)
        self._rate = rate
        self._raw: list[socket.socket] = []

    def prepare(self) -> None:
        """Put a queue there that holds nothing yet, and open what it is to be spoken to by."""
        bucket = ["tbf", "rate", f"{_FREE * 8}bit", "burst", str(_QUEUE_MAX), "limit", str(_QUEUE_MAX)]
        for end in self._ends:
            tell(end.namespace, ["tc", "qdisc", "replace", "dev", end.device, "root", *bucket])
            with end.namespace.entered():
                self._raw.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))

    def take(self) -> None:
        """Slow each queue down; what it may let through at once is used up by the harness."""
        for end, raw in zip(self._ends, self._raw, strict=True):
            change_queue(end.namespace, end.device, rate=self._rate, burst=_BURST, limit=_QUEUE_MAX)
            _send(raw, end.device, self._frames)

    def check(self) -> str:
        """Read each queue back."""
        return ", ".join(self._told(end) for end in self._ends)

    def lift(self) -> None:
        """Have each queue send all that it holds; it looks at that when there is something more to send."""
        for end, raw in reversed(list(zip(self._ends, self._raw, strict=True))):
            change_queue(end.namespace, end.device, rate=_FREE, burst=_QUEUE_MAX, limit=_QUEUE_MAX)
            _send(raw, end.device, 1)

    def clear(self) -> str:
        """Make sure that nothing is held. The queue stays: what it may just have in it would be lost with it."""
        self.dispose()
        left = {end.device: queue_of(end.namespace, end.device)[1] for end in self._ends}
        if any(left.values()):
            raise HostError(f"what was held has not been sent: {left}")
        return f"nothing is held any more by the queue of {', '.join(left)}"

    def dispose(self) -> None:
        """Close what it was spoken to by."""
        while self._raw:
            self._raw.pop().close()

    def _told(self, end: End) -> str:
        rate, held = queue_of(end.namespace, end.device)
        if rate != self._rate:
            raise HostError(f"{end.device} sends {rate} bytes a second, and was to send {self._rate}")
        return f"the queue of {end.device} sends {rate} bytes a second, and holds {held}"


class Hold(Slow):
    """A queue that lets nothing through: it is busy for three minutes with a frame of the harness's own.

    It sends one such frame at once, and the next one when it has saved up for that; no packet passes another.
    """

    _frames = 2

    def __init__(self, ends: Sequence[End]) -> None:
        super().__init__(ends, _HOLDING)

    def _told(self, end: End) -> str:
        told = super()._told(end)
        if queue_of(end.namespace, end.device)[1] < _STOPPER_BYTES:
            raise HostError(f"{end.device} holds nothing back: {told}")
        return f"{told} (of them {_STOPPER_BYTES} the harness's own, first)"


def _send(raw: socket.socket, device: str, count: int) -> None:
    """Send frames as long as the queue lets pass at once, which nobody heeds."""
    nobody = b"\xff" * 6 + b"\x02" + b"\0" * 5 + _STOPPER.to_bytes(2, "big")
    for _ in range(count):
        raw.sendto(nobody.ljust(_STOPPER_BYTES, b"\0"), (device, _STOPPER))
