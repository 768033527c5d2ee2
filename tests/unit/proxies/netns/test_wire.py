from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxies.netns.namespaces import Namespace
from proxies.netns.wire import SERVERS, WIRES_MAX, End, Wire, address_of
from proxies.toxics import Direction

NUMBERS = st.integers(1, WIRES_MAX)
VERSIONS = st.sampled_from([4, 6])


def wire(number: int = 7, version: int = 4) -> Wire:
    hub = End(Namespace(-1), f"wire{number}")
    return Wire(number, version, End(Namespace(-2), "eth0"), hub, [address_of(number, version)])


@given(number=NUMBERS, other=NUMBERS, version=VERSIONS)
def test_nobody_has_an_address_of_somebody_else(number: int, other: int, version: int) -> None:
    here, there = wire(number, version), wire(other, version)
    addresses = {here.address, here.second_address, SERVERS[version]}
    assert len(addresses) == 3
    assert number == other or not addresses & {there.address, there.second_address}


@given(number=NUMBERS, version=VERSIONS)
def test_each_address_is_of_its_version_and_of_the_run_alone(number: int, version: int) -> None:
    for each in (wire(number, version).address, wire(number, version).second_address):
        address = ipaddress.ip_address(each)
        assert address.version == version
        assert address in ipaddress.ip_network("10.98.0.0/16" if version == 4 else "fd98::/16")


def test_a_direction_leaves_at_one_end_and_arrives_at_the_other() -> None:
    it = wire()
    assert (it.sender(Direction.TO_SERVER), it.receiver(Direction.TO_SERVER)) == (it.person, it.hub)
    assert (it.sender(Direction.TO_CLIENT), it.receiver(Direction.TO_CLIENT)) == (it.hub, it.person)


@pytest.mark.parametrize(
    ("version", "steps"),
    [
        (
            4,
            (
                "addr replace 10.98.0.7/32 dev eth0",
                "addr del 10.98.0.7/32 dev eth0",
                "route replace 10.99.0.1 dev eth0 src 10.98.0.7",
                "route replace 10.98.0.7/32 dev wire7 src 10.99.0.1",
                "route del 10.98.0.7/32 dev wire7 src 10.99.0.1",
            ),
        ),
        (
            6,
            (
                "addr replace fd98::7/128 dev eth0 nodad",
                "addr del fd98::7/128 dev eth0",
                "route replace fd99::1 dev eth0 src fd98::7",
                "route replace fd98::7/128 dev wire7 src fd99::1",
                "route del fd98::7/128 dev wire7 src fd99::1",
            ),
        ),
    ],
)
def test_the_steps_that_ip_is_told(version: int, steps: tuple[str, ...]) -> None:
    it = wire(version=version)
    having = (it.having(it.address), it.having(it.address, verb="del"))
    assert (*having, it.way, it.route(it.address), it.route(it.address, verb="del")) == steps
