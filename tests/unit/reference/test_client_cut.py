"""Both cores over links that are cut, in virtual time: right after the login, half-way in it, again and again."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.reference.client_attempts_core import RETRY_S
from harness.spec.states import LoginError, Reason, State
from harness.spec.timing import ns
from tests.unit.reference.client_net import APP, LOGGED_IN, Net, Person
from tests.unit.reference.client_rig import CONNECTED, CONNECTING, HEARTBEAT_S, KICKED, LOGGED_OUT, RECONNECTING

DELAY_S = 0.01
TIMED_OUT = [
    ("onLoginFailure", LoginError.TIMEOUT),
    ("onConnectionStateChanged", State.DISCONNECTED, Reason.LOGIN_TIMEOUT),
]
# Who finds the connections broken by a cut: a proxy that drops everything shows it to nobody.
WHO_SEES = [
    pytest.param({}, id="nobody"),
    pytest.param({"server_sees": True}, id="the server"),
    pytest.param({"clients_see": True}, id="the clients"),
    pytest.param({"server_sees": True, "clients_see": True}, id="both"),
]


def sessions(net: Net) -> set[str]:
    """The sessions that are online, by id: one that is another one now has not lasted."""
    return {session.id for tenant in net.server._tenants.values() for session in tenant.sessions.values()}


# ------------------------------------------------------------------------------------ in the moment in which it is told


@pytest.mark.parametrize("who_sees", WHO_SEES)
@pytest.mark.parametrize("delay_s", [0.0, DELAY_S, 0.9])
def test_a_login_that_was_told_is_presumed_online_for_28_s(delay_s: float, who_sees: dict[str, bool]) -> None:
    net = Net(delay_s)
    alice = net.person("alice").login()
    alice.when_told[CONNECTED] = lambda: net.cut(alice, **who_sees)
    net.wait(6 * delay_s)
    assert alice.take() == LOGGED_IN
    before = sessions(net)
    for _ in range(27):
        net.wait(1)
        assert net.server.online(APP) == ["alice"]
    net.delay_ns = ns(DELAY_S)
    net.heal(alice)
    net.wait(RETRY_S + 6 * DELAY_S)
    assert alice.take() == [RECONNECTING, CONNECTED]
    assert sessions(net) == before


@pytest.mark.parametrize("who_sees", WHO_SEES)
def test_a_newcomer_that_was_told_is_not_superseded_by_the_one_it_superseded(who_sees: dict[str, bool]) -> None:
    # Seen in a real run: the newcomer was cut off, and the old instance came back as CONNECTED.
    net = Net(DELAY_S)
    old, new = net.person("alice").login(), net.person("alice")
    net.wait(1)
    net.cut(old, server_sees=True, clients_see=True)
    net.wait(6)
    assert old.take() == [*LOGGED_IN, RECONNECTING]
    new.login()
    new.when_told[CONNECTED] = lambda: net.cut(new, **who_sees)
    net.wait(1)
    assert new.take() == LOGGED_IN
    net.wait(25)
    net.heal(old)
    net.wait(RETRY_S + 6 * DELAY_S)
    assert old.take() == [KICKED]
    assert net.server.online(APP) == ["alice"]
    net.heal(new)
    net.wait(RETRY_S + 6 * DELAY_S)
    assert new.take() == [RECONNECTING, CONNECTED]


@pytest.mark.parametrize("who_sees", WHO_SEES)
def test_a_return_that_was_told_is_left_and_joined_once(who_sees: dict[str, bool]) -> None:
    net = Net(DELAY_S)
    alice, bob = net.person("alice").login(), net.person("bob").login()
    net.wait(1)
    for person in (alice, bob):
        person.core.join(net.now, "lobby")
        net.wait(0.1)
    for person in (alice, bob):
        person.take()
    net.cut(alice, server_sees=True, clients_see=True)
    net.wait(32)
    assert alice.take() == [RECONNECTING]
    assert bob.take() == [("onMemberLeft", "lobby", "alice")]
    net.heal(alice)
    alice.when_told[CONNECTED] = lambda: net.cut(alice, **who_sees)
    net.wait(2)
    assert alice.take() == [CONNECTED]
    before = sessions(net)
    net.wait(26)
    assert sessions(net) == before
    net.heal(alice)
    net.wait(2)
    assert alice.take() == [RECONNECTING, CONNECTED]
    assert bob.take() == [("onMemberJoined", "lobby", "alice")]
    assert sessions(net) == before


# --------------------------------------------------------------------------------------------------- given up half-way


def deaf_half_way(net: Net, person: Person) -> None:
    """Let the login of somebody be accepted, and nothing come after that."""
    net.wait(4.5 * DELAY_S)
    net.is_deaf = True
    net.wait(DELAY_S)
    assert person.core._attempts.get(person.opens).answer is not None  # type: ignore[union-attr]


def test_a_login_that_times_out_half_way_leaves_no_ghost() -> None:
    net = Net(DELAY_S)
    alice = net.person("alice").login()
    began = net.now
    deaf_half_way(net, alice)
    net.wait_until(began + ns(6.0) - 1)
    assert net.server.online(APP) == ["alice"]
    net.wait_until(began + ns(6.0))
    assert alice.take() == [CONNECTING, *TIMED_OUT]
    net.wait(DELAY_S)
    assert net.server.online(APP) == []
    net.wait(1)
    assert net.server.stats().connections == 0


def test_a_logout_half_way_leaves_no_ghost() -> None:
    net = Net(DELAY_S)
    alice = net.person("alice").login()
    net.wait(1)
    net.cut(alice, server_sees=True, clients_see=True)
    net.wait(31.5)
    alice.take()
    net.heal(alice)
    net.wait(0.5)
    deaf_half_way(net, alice)
    assert net.server.online(APP) == ["alice"]
    assert alice.core.logout(net.now) == 0
    net.wait(DELAY_S)
    assert alice.take() == [*LOGGED_OUT]
    assert net.server.online(APP) == []


def test_a_confirmation_that_was_lost_is_made_good_by_the_next_attempt() -> None:
    net = Net(DELAY_S)
    alice = net.person("alice").login()
    net.wait(4.5 * DELAY_S)  # the ping is on its way
    net.cut(alice)
    net.wait(2.0)
    net.heal(alice)
    net.wait(RETRY_S + 6 * DELAY_S)
    assert alice.take() == LOGGED_IN
    net.wait(60)
    assert alice.take() == []
    assert net.server.stats().connections == 1
    assert net.server.online(APP) == ["alice"]


# ------------------------------------------------------------------------------------------------------ again and again

Outage = tuple[float, float, dict[str, bool] | None]
outages = st.lists(
    st.tuples(
        st.floats(0.001, 3.0),  # how long it lasts
        st.floats(0.001, 0.2) | st.floats(0.2, 2.0),  # and for how long the link is usable
        st.none() | st.sampled_from([who.values[0] for who in WHO_SEES]),  # None: all is late, and nothing is lost
    ),
    max_size=8,
)


def suffer(net: Net, person: Person, down_s: float, who_sees: dict[str, bool] | None) -> None:
    """Let somebody's link be away for so long."""
    if who_sees is None:
        net.freeze()
        net.wait(down_s)
        net.thaw()
    else:
        net.cut(person, **who_sees)
        net.wait(down_s)
        net.heal(person)


@settings(max_examples=150, suppress_health_check=list(HealthCheck), derandomize=True)
@given(outages=outages, last_s=st.floats(0.001, 40.0), jitter=st.floats(0, 1, exclude_max=True))
def test_whatever_happened_a_second_after_the_last_outage_an_attempt_gets_through(
    outages: list[Outage], last_s: float, jitter: float
) -> None:
    net = Net(DELAY_S)
    alice = net.person("alice", jitter=jitter).login()
    net.wait(1)
    for down_s, up_s, who_sees in [*outages, (last_s, 0.0, {"clients_see": True})]:
        suffer(net, alice, down_s, who_sees)
        net.wait(up_s)
    # A link that is silent but not suspected yet is usable too: then it is its next heartbeat that counts.
    net.wait(max(RETRY_S, HEARTBEAT_S) + 6 * DELAY_S)
    assert alice.core.state is State.CONNECTED
    alice.take()
    net.wait(60)
    assert alice.take() == []
    assert net.server.stats().connections == 1
    assert net.server.online(APP) == ["alice"]


@settings(max_examples=150, suppress_health_check=list(HealthCheck), derandomize=True)
@given(outages=outages)
def test_so_it_does_within_the_6_s_of_a_login(outages: list[Outage]) -> None:
    net = Net(DELAY_S)
    alice = net.person("alice").login()
    began = net.now
    healed = began
    for down_s, up_s, who_sees in outages:
        if net.now + ns(down_s + up_s) > began + ns(6.0 - RETRY_S - 6 * DELAY_S):
            break
        net.wait(up_s)
        suffer(net, alice, down_s, who_sees)
        healed = net.now
    net.wait_until(healed + ns(RETRY_S + 6 * DELAY_S))
    told = alice.take()
    assert told[:3] == LOGGED_IN
    assert alice.core.state is State.CONNECTED
