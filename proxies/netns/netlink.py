"""What the kernel is told and asked without a program: groups of interfaces, their queues, and connections to close.

A program takes ten milliseconds to start on a busy machine, and a hundred faults come at once. Messages take none.
Numbers and layouts are those of include/uapi/linux: netlink.h, rtnetlink.h, if_link.h, pkt_sched.h, sock_diag.h and
inet_diag.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from harness.errors import HostError
from proxies.netns.namespaces import Namespace

_ROUTE: Final = 0
_SOCK_DIAG: Final = 4
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_ERROR, _DONE = 2, 3
_NEWLINK, _GETLINK = 16, 18
_DIAG_BY_FAMILY, _DESTROY = 20, 21
_IFLA_GROUP: Final = 27
_NEWQDISC, _GETQDISC = 36, 38
_TCA_KIND, _TCA_OPTIONS, _TCA_STATS = 1, 2, 3
_TBF_PARMS, _TBF_BURST = 1, 6
_ROOT: Final = 0xFFFF_FFFF
_ETHERNET: Final = 1
_TCP: Final = 6
# All states but those that have nobody who could be told: TIME_WAIT (6), CLOSE (7) and LISTEN (10).
_CONNECTED: Final = 0xFFF & ~(1 << 6 | 1 << 7 | 1 << 10)
_HEADER: Final = struct.Struct("=IHHII")
_ID_AT, _ID_BYTES = 4, 48  # of a socket, in what is said of it
_RECEIVED_MAX: Final = 1 << 16


def set_group(namespace: Namespace, device: str, group: int) -> None:
    """Put an interface into a group, which rules can ask for.

    Raises:
        HostError: the kernel refuses.
    """
    with _opened(namespace, _ROUTE) as kernel:
        link = _link(namespace, device)
        _answers(kernel, _NEWLINK, _ACK, link + struct.pack("=HHI", 8, _IFLA_GROUP, group))


def group_of(namespace: Namespace, device: str) -> int:
    """Return the group that an interface is in.

    Raises:
        HostError: the kernel refuses.
    """
    with _opened(namespace, _ROUTE) as kernel:
        link = _link(namespace, device)
        (told,) = _answers(kernel, _GETLINK, 0, link)
    return int.from_bytes(attributes(told, len(link))[_IFLA_GROUP], sys.byteorder)


def change_queue(namespace: Namespace, device: str, *, rate: int, burst: int, limit: int) -> None:
    """Have the token bucket in front of an interface fill at another rate (bytes a second); it is full to begin with.

    Raises:
        HostError: the kernel refuses, or there is no such queue.
    """
    # struct tc_tbf_qopt: a rate, one for peaks, which is not used, the limit, and two that the burst below replaces.
    qopt = struct.pack("=BBHhHI", 0, _ETHERNET, 0, 0, 0, rate) + bytes(12) + struct.pack("=III", limit, 0, 0)
    options = _attribute(_TBF_PARMS, qopt) + _attribute(_TBF_BURST, struct.pack("=I", burst))
    body = _attribute(_TCA_KIND, b"tbf\0") + _attribute(_TCA_OPTIONS, options)
    with _opened(namespace, _ROUTE) as kernel:
        _answers(kernel, _NEWQDISC, _ACK, _queue(namespace, device) + body)


def queue_of(namespace: Namespace, device: str) -> tuple[int, int]:
    """Return at which rate the token bucket in front of an interface fills, and how many bytes wait in it.

    Raises:
        HostError: the kernel refuses, or there is no such queue.
    """
    asked = _queue(namespace, device)
    with _opened(namespace, _ROUTE) as kernel:
        for told in _answers(kernel, _GETQDISC, _DUMP, asked):
            described = attributes(told, len(asked))
            is_ours = told[4:8] == asked[4:8] and told[12:16] == asked[12:16]
            if is_ours and described[_TCA_KIND] == b"tbf\0":
                (rate,) = struct.unpack_from("=I", attributes(described[_TCA_OPTIONS])[_TBF_PARMS], 8)
                (waiting,) = struct.unpack_from("=I", described[_TCA_STATS], 32)
                return rate, waiting
    raise HostError(f"there is no token bucket in front of {device} any more")


def close_connections(namespace: Namespace, addresses: Sequence[str], *, is_peer: bool) -> int:
    """Have the kernel close every TCP connection from one of these addresses, or to it (``is_peer``); return how many.

    The other end is told by an RST.

    Raises:
        HostError: the kernel refuses.
    """
    family = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET
    wanted = {socket.inet_pton(family, address).ljust(16, b"\0") for address in addresses}
    at = _ID_AT + (20 if is_peer else 4)
    asked = struct.pack("=BBBxI", family, _TCP, 0, _CONNECTED)
    closed = 0
    with _opened(namespace, _SOCK_DIAG) as kernel:
        for told in _answers(kernel, _DIAG_BY_FAMILY, _DUMP, asked + bytes(_ID_BYTES)):
            if told[at : at + 16] not in wanted:
                continue
            try:
                _answers(kernel, _DESTROY, _ACK, asked + told[_ID_AT : _ID_AT + _ID_BYTES])
                closed += 1
            except _GoneError:
                continue  # it has ended by itself meanwhile
    return closed


class _GoneError(HostError):
    """What was named is not there any more."""


def _link(namespace: Namespace, device: str) -> bytes:
    """Return how an interface is named in a message."""
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, _index(namespace, device), 0, 0)


def _queue(namespace: Namespace, device: str) -> bytes:
    """Return how the queue in front of an interface is named in a message (struct tcmsg)."""
    return struct.pack("=BxxxiIII", socket.AF_UNSPEC, _index(namespace, device), 0, _ROOT, 0)


def _index(namespace: Namespace, device: str) -> int:
    with namespace.entered():
        try:
            return socket.if_nametoindex(device)
        except OSError as error:
            raise HostError(
                f"there is no interface {device} any more", why="something else has changed this run's namespaces"
            ) from error


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value.ljust(len(value) + 3 & ~3, b"\0")


def attributes(told: bytes, at: int = 0) -> dict[int, bytes]:
    """Return the attributes that an answer has from there on, by their kinds."""
    found = {}
    while at + 4 <= len(told):
        length, kind = struct.unpack_from("=HH", told, at)
        found[kind & 0x3FFF] = told[at + 4 : at + length]
        at += length + 3 & ~3
    return found


def _opened(namespace: Namespace, protocol: int) -> socket.socket:
    with namespace.entered():
        return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)


def _answers(kernel: socket.socket, kind: int, flags: int, body: bytes) -> list[bytes]:
    """Send one message; return the bodies of what is answered, up to the end of that."""
    kernel.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | flags, 1, 0) + body)
    bodies: list[bytes] = []
    while True:
        for answered, content in _messages(kernel.recv(_RECEIVED_MAX)):
            if answered == _ERROR:
                _raise_unless_ack(content)
            if answered in (_ERROR, _DONE):
                return bodies
            bodies.append(content)
            if not flags:
                return bodies


def _messages(received: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(received):
        length, kind, *_ = _HEADER.unpack_from(received, at)
        yield kind, received[at + _HEADER.size : at + length]
        at += length + 3 & ~3


def _raise_unless_ack(content: bytes) -> None:
    number = -struct.unpack_from("=i", content)[0]
    if number in (errno.ENOENT, errno.ESRCH):
        raise _GoneError(f"the kernel does not know it (any more): {os.strerror(number)}")
    if number:
        raise HostError(
            f"the kernel refuses: {os.strerror(number)}",
            why="to close connections it needs CONFIG_INET_DIAG_DESTROY" if number == errno.EOPNOTSUPP else "",
        )
