"""Messages to the kernel and from it, against a kernel of the test's own."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HostError
from proxies.netns import netlink
from proxies.netns.namespaces import Namespace
from proxies.netns.netlink import attributes, change_queue, close_connections, group_of, queue_of, set_group

HEADER = struct.Struct("=IHHII")
ERROR, DONE = 2, 3
HERE = Namespace(-1)
KINDS = st.integers(1, 0x3FFF)


def message(kind: int, body: bytes) -> bytes:
    length = HEADER.size + len(body)
    return HEADER.pack(length, kind, 0, 1, 0) + body.ljust(len(body) + 3 & ~3, b"\0")


def answer(number: int = 0) -> bytes:
    """The kernel's ACK, or its refusal."""
    return message(ERROR, struct.pack("=i", -number) + bytes(16))


@dataclass
class Kernel:
    """Keeps what it is sent, and answers what the test has laid ready."""

    answers: list[bytes] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)

    def send(self, data: bytes) -> None:
        length, *_ = HEADER.unpack_from(data)
        assert length == len(data)
        self.asked.append(data)

    def recv(self, _: int) -> bytes:
        return self.answers.pop(0)

    def bodies(self) -> list[bytes]:
        return [data[HEADER.size :] for data in self.asked]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()

    @contextmanager
    def opened(_: Namespace, __: int) -> Iterator[socket.socket]:
        yield cast(socket.socket, made)

    monkeypatch.setattr(netlink, "_opened", opened)
    monkeypatch.setattr(netlink, "_index", lambda _, device: int(device.removeprefix("wire")))
    return made


@given(told=st.dictionaries(KINDS, st.binary(max_size=64), max_size=8), before=st.integers(0, 16).map(bytes))
def test_attributes_come_back_as_they_were_written(told: dict[int, bytes], before: bytes) -> None:
    written = before + b"".join(netlink._attribute(kind, value) for kind, value in told.items())
    assert attributes(written, len(before)) == told


@given(value=st.binary(max_size=64), kind=KINDS)
def test_the_bits_of_a_nested_attribute_are_no_part_of_its_kind(value: bytes, kind: int) -> None:
    assert attributes(netlink._attribute(kind | 0x8000, value)) == {kind: value}


@given(parts=st.lists(st.tuples(st.integers(4, 99), st.binary(max_size=40)), max_size=6))
def test_messages_come_back_as_they_were_packed(parts: list[tuple[int, bytes]]) -> None:
    assert list(netlink._messages(b"".join(message(kind, body) for kind, body in parts))) == parts


def test_a_group_is_set(kernel: Kernel) -> None:
    kernel.answers = [answer()]
    set_group(HERE, "wire7", 5)
    (body,) = kernel.bodies()
    assert struct.unpack_from("=BxHiII", body) == (socket.AF_UNSPEC, 0, 7, 0, 0)
    assert attributes(body, 16) == {27: struct.pack("=I", 5)}


def test_a_group_is_read(kernel: Kernel) -> None:
    link = struct.pack("=BxHiII", 0, 1, 7, 0, 0)
    kernel.answers = [message(16, link + netlink._attribute(3, b"wire7\0") + netlink._attribute(27, b"\5\0\0\0"))]
    assert group_of(HERE, "wire7") == 5


@pytest.mark.parametrize(
    ("number", "why"), [(errno.EPERM, "Operation not permitted"), (errno.ENOENT, "No such file or directory")]
)
def test_what_the_kernel_refuses_is_the_hosts(kernel: Kernel, number: int, why: str) -> None:
    kernel.answers = [answer(number)]
    with pytest.raises(HostError, match=why):
        set_group(HERE, "wire7", 5)


def queue(index: int, kind: bytes = b"tbf\0", *, rate: int = 8, waiting: int = 0, parent: int = 0xFFFF_FFFF) -> bytes:
    """What the kernel says of a queue."""
    qopt = bytes(8) + struct.pack("=I", rate) + bytes(24)
    options = netlink._attribute(2, netlink._attribute(1, qopt))
    stats = netlink._attribute(3, bytes(32) + struct.pack("=I", waiting))
    head = struct.pack("=BxxxiIII", 0, index, 0x8001_0000, parent, 0)
    return message(36, head + netlink._attribute(1, kind) + options + stats)


def test_the_queue_of_one_interface_is_found_among_all(kernel: Kernel) -> None:
    others = queue(6, rate=1) + queue(7, parent=1, rate=2) + queue(7, b"noqueue\0", rate=3)
    kernel.answers = [others, queue(7, rate=8, waiting=1514), message(DONE, bytes(4))]
    assert queue_of(HERE, "wire7") == (8, 1514)


def test_a_queue_that_is_gone_is_the_hosts(kernel: Kernel) -> None:
    kernel.answers = [queue(6), message(DONE, bytes(4))]
    with pytest.raises(HostError, match="there is no token bucket in front of wire7 any more"):
        queue_of(HERE, "wire7")


@given(
    rate=st.integers(1, 1 << 31), burst=st.integers(1, 1 << 31), limit=st.integers(1, 1 << 31), index=st.integers(1, 99)
)
def test_a_queue_is_changed_to_what_was_asked_for(rate: int, burst: int, limit: int, index: int) -> None:
    made = Kernel([answer()])

    @contextmanager
    def opened(_: Namespace, __: int) -> Iterator[Kernel]:
        yield made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(netlink, "_opened", opened)
        patch.setattr(netlink, "_index", lambda *_: index)
        change_queue(HERE, "wire", rate=rate, burst=burst, limit=limit)
    (body,) = made.bodies()
    assert struct.unpack_from("=BxxxiIII", body) == (0, index, 0, 0xFFFF_FFFF, 0)
    found = attributes(body, 20)
    assert found[1] == b"tbf\0"
    options = attributes(found[2])
    assert len(options[1]) == 36, "struct tc_tbf_qopt"
    assert struct.unpack_from("=I", options[1], 8) == (rate,)
    assert struct.unpack_from("=I", options[1], 24) == (limit,)
    assert options[6] == struct.pack("=I", burst)


def connection(source: str, destination: str, port: int) -> bytes:
    """What the kernel says of a socket (struct inet_diag_msg)."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    ends = [socket.inet_pton(family, each).ljust(16, b"\0") for each in (source, destination)]
    return message(20, bytes((family, 1, 0, 0)) + struct.pack("!HH", 80, port) + b"".join(ends) + bytes(12) + bytes(20))


@pytest.mark.parametrize(
    ("server", "first", "second", "other"),
    [
        ("10.99.0.1", "10.98.0.1", "10.98.117.49", "10.98.0.2"),
        ("fd99::1", "fd98::1", "fd98::7531", "fd98::2"),
    ],
    ids=["IPv4", "IPv6"],
)
def test_only_the_connections_of_these_addresses_are_closed(
    kernel: Kernel, server: str, first: str, second: str, other: str
) -> None:
    listed = [connection(server, peer, port) for port, peer in enumerate((first, other, second, first), start=1000)]
    # The last one has ended by itself meanwhile.
    kernel.answers = [b"".join(listed), message(DONE, bytes(4)), answer(), answer(), answer(errno.ENOENT)]
    assert close_connections(HERE, [first, second], is_peer=True) == 2
    destroyed = [struct.unpack_from("!H", body, 10)[0] for body in kernel.bodies()[1:]]
    assert destroyed == [1000, 1002, 1003]
    kernel.answers = [b"".join(listed), message(DONE, bytes(4))]
    assert close_connections(HERE, [first, second], is_peer=False) == 0, "they are the other ends"


def test_a_kernel_that_cannot_close_connections_says_what_it_needs(kernel: Kernel) -> None:
    kernel.answers = [connection("10.98.0.1", "10.99.0.1", 1), message(DONE, bytes(4)), answer(errno.EOPNOTSUPP)]
    with pytest.raises(HostError, match="CONFIG_INET_DIAG_DESTROY"):
        close_connections(HERE, ["10.98.0.1"], is_peer=False)
