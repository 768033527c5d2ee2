from __future__ import annotations

import socket

import pytest

from harness.addresses import Address, family_of, written


@pytest.mark.parametrize(
    ("address", "text", "family"),
    [
        (("127.0.0.1", 80), "127.0.0.1:80", socket.AF_INET),
        (("localhost", 80), "localhost:80", socket.AF_INET),
        (("::1", 80), "[::1]:80", socket.AF_INET6),
    ],
)
def test_an_address_of_ipv6_stands_in_brackets(address: Address, text: str, family: socket.AddressFamily) -> None:
    assert written(address) == text
    assert family_of(address) == family
