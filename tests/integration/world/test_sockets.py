"""What the kernel says of real sockets of a child, of its child, and of others."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.addresses import Address, family_of
from harness.world import sockets
from harness.world.sockets import connections_to

# Connects so often, says so, and waits until its input ends; its first argument is this text, for a child of its own.
CHILD = """
import socket, subprocess, sys
family, port, own, of_child = (int(word) for word in sys.argv[2:6])
host = sys.argv[6]
sockets = [socket.socket(family) for _ in range(own)]
for each in sockets:
    each.connect((host, port))
if of_child:
    arguments = [sys.argv[1], str(family), str(port), str(of_child), "0", host]
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", sys.argv[1], *arguments], stdout=subprocess.PIPE)
    child.stdout.readline()
print("connected", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees what an earlier one has read."""
    monkeypatch.setattr(sockets, "_tables", sockets._Tables())


def counted(address: Address, *, of_process: int) -> int:
    """What there is now, and not what there was when somebody looked a moment ago."""
    sockets._tables = sockets._Tables()
    return connections_to(address, of_process=of_process)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody who takes every connection and keeps it in the queue."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as made:
        yield made


@contextmanager
def child(to: Address, own: int, *, of_child: int = 0) -> Iterator[subprocess.Popen[str]]:
    """A process with so many connections, and a child of its own with so many."""
    arguments = [str(int(number)) for number in (family_of(to), to[1], own, of_child)]
    command = [sys.executable, "-I", "-S", "-c", CHILD, CHILD, *arguments, to[0]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "connected\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()


def address_of(listener: socket.socket) -> Address:
    host, port = listener.getsockname()
    return host, port


@pytest.mark.parametrize("own", [0, 1, 3])
def test_the_connections_of_a_process_are_counted(listener: socket.socket, own: int) -> None:
    address = address_of(listener)
    with child(address, own) as process:
        assert counted(address, of_process=process.pid) == own


def test_those_of_its_children_are_counted_with_them(listener: socket.socket) -> None:
    address = address_of(listener)
    with child(address, 1, of_child=2) as process:
        assert counted(address, of_process=process.pid) == 3
        assert counted(address, of_process=os.getpid()) == 3  # a grandchild of this one


def test_those_to_other_addresses_and_those_of_others_are_not(listener: socket.socket) -> None:
    address = address_of(listener)
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        child(address_of(other), 2) as process,
        child(address, 3) as stranger,
        socket.create_connection(address),
    ):
        assert counted(address, of_process=process.pid) == 0
        assert counted(address_of(other), of_process=process.pid) == 2
        assert counted(address, of_process=stranger.pid) == 3


def test_the_other_end_of_a_connection_is_none(listener: socket.socket) -> None:
    address = address_of(listener)
    with socket.create_connection(address), listener.accept()[0] as accepted:
        assert counted(address, of_process=os.getpid()) == 1
        assert accepted.getsockname() == address


def test_a_runtime_that_opens_ipv6_sockets_for_everything_is_counted_too(listener: socket.socket) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this host has no IPv6")
    address = address_of(listener)
    with child((f"::ffff:{address[0]}", address[1]), 2) as process:
        assert counted(address, of_process=process.pid) == 2


def test_those_to_an_address_of_ipv6_are_counted() -> None:
    if not socket.has_ipv6:
        pytest.skip("this host has no IPv6")
    with (
        socket.create_server(("::1", 0), family=socket.AF_INET6, backlog=100) as made,
        socket.create_server(("127.0.0.1", made.getsockname()[1]), backlog=100) as namesake,
    ):
        address = ("::1", made.getsockname()[1])
        with child(address, 2) as process, child(address_of(namesake), 1) as other:
            assert counted(address, of_process=process.pid) == 2
            assert counted(address, of_process=other.pid) == 0
            assert counted(address_of(namesake), of_process=process.pid) == 0


def test_a_connection_that_was_closed_at_either_end_does_not_count(listener: socket.socket) -> None:
    address = address_of(listener)
    ours = [socket.create_connection(address) for _ in range(2)]
    accepted = [listener.accept()[0] for _ in ours]
    ours[0].close()
    accepted[1].close()
    assert ours[1].recv(1) == b""  # by now it is CLOSE_WAIT
    assert counted(address, of_process=os.getpid()) == 0
    for each in (ours[1], accepted[0]):
        each.close()


def test_of_a_process_that_has_ended_there_are_none(listener: socket.socket) -> None:
    address = address_of(listener)
    with child(address, 1) as process:
        pass
    assert process.returncode == 0
    assert counted(address, of_process=process.pid) == 0


def test_those_who_ask_together_share_one_look(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns = 5 * sockets.SHARED_NS
    monkeypatch.setattr(sockets, "now_ns", lambda: now_ns)
    address = address_of(listener)
    with socket.create_connection(address):
        assert connections_to(address, of_process=os.getpid()) == 1
        with socket.create_connection(address):
            now_ns += sockets.SHARED_NS
            assert connections_to(address, of_process=os.getpid()) == 1
            now_ns += 1
            assert connections_to(address, of_process=os.getpid()) == 2
