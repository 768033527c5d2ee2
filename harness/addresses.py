"""A host and a port, over IPv4 and over IPv6."""

from __future__ import annotations

import errno
import socket

Address = tuple[str, int]


def written(address: Address) -> str:
    """Return it as ``host:port``; an IPv6 address stands in brackets (RFC 3986, 3.2.2)."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def family_of(address: Address) -> socket.AddressFamily:
    """Return the family of sockets that reach it."""
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


def refuses(address: Address) -> bool:
    """Whether nobody listens at an address."""
    with socket.socket(family_of(address)) as probe:
        probe.settimeout(0.01)  # one whose queue is full neither takes it nor refuses it
        return probe.connect_ex(address) == errno.ECONNREFUSED
