"""Both cores together over links with a delay, in virtual time: a slow link, a thaw, a kick, a restart."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.spec.states import LoginError, Reason, State
from harness.spec.timing import ns
from tests.unit.reference.client_net import APP, LOGGED_IN, Net
from tests.unit.reference.client_rig import CONNECTED, CONNECTING, KICKED, RECONNECTING

TIMED_OUT = [
    ("onLoginFailure", LoginError.TIMEOUT),
    ("onConnectionStateChanged", State.DISCONNECTED, Reason.LOGIN_TIMEOUT),
]


# Connect and upgrade, login and confirmation take six times the delay. Beyond 1.0 s that is more than the 6 s of
# CONNECTING-5, which is accepted: a link with a round trip of two seconds is no link to log in on.
@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_slow_link_settles_on_one_connection(delay_s: float) -> None:
    net = Net(delay_s)
    alice = net.person("alice").login()
    began, told_ns = net.now, []
    alice.when_told[CONNECTED] = lambda: told_ns.append(net.now)
    net.wait(20)
    assert alice.take() == LOGGED_IN
    assert told_ns == [began + 6 * net.delay_ns]
    opens = alice.opens
    net.wait(60)
    assert alice.take() == []
    assert alice.opens == opens
    assert net.server.stats().connections == 1
    assert net.server.online(APP) == ["alice"]
    assert net.server.attempts_of(APP, "alice") == 1  # beyond 0.5 s others were opened beside it, and turned away


@pytest.mark.parametrize("delay_s", [1.1, 1.3, 1.6])
def test_a_link_that_is_too_slow_times_out_and_leaves_no_ghost(delay_s: float) -> None:
    net = Net(delay_s)
    alice = net.person("alice").login()
    net.wait(6 + delay_s)  # with 1.1 s the session was confirmed after 5.5 s: the logout after 6 s ends it
    assert alice.take() == [CONNECTING, *TIMED_OUT]
    net.wait(0.001)
    assert net.server.online(APP) == []
    net.wait(2 * delay_s)
    assert net.server.stats().connections == 0


@pytest.mark.parametrize("delay_s", [0.9, 1.1, 1.2])
def test_a_slow_link_is_good_enough_for_a_return_to_a_new_session(delay_s: float) -> None:
    net = Net(0.01)
    alice = net.person("alice").login()
    net.wait(1)
    alice.take()
    net.cut(alice, server_sees=True, clients_see=True)
    net.wait(40)
    net.delay_ns = ns(delay_s)
    net.heal(alice)
    net.wait(1 + 6 * delay_s)
    assert alice.take() == [RECONNECTING, CONNECTED]
    net.wait(60)
    assert alice.take() == []
    assert net.server.attempts_of(APP, "alice") == 2


@pytest.mark.parametrize("frozen_s", [0.3, 1.0, 2.0, 3.0, 3.9])
def test_a_thaw_within_the_grace_switches_nothing_and_is_told_to_nobody(frozen_s: float) -> None:
    net = Net(0.01)
    alice, bob = net.person("alice").login(), net.person("bob").login()
    net.wait(1)
    for person in (bob, alice):
        assert person.core.join(net.now, "lobby") == 0
        net.wait(0.1)
    for person in (alice, bob):
        person.take()
    net.wait(0.39)  # a ping is about to go out, so that the silence is counted from here on
    net.freeze()
    net.wait(frozen_s)
    net.thaw()
    net.wait(30)
    assert alice.take() == []
    assert bob.take() == []
    assert net.server.stats().connections == 2
    call = alice.core.get_members(net.now, "lobby")
    net.wait(1)
    assert alice.replies[call] == {"members": ["alice", "bob"]}


def test_a_thaw_after_the_grace_is_a_return_to_the_same_session() -> None:
    net = Net(0.01)
    alice = net.person("alice").login()
    net.wait(1)
    alice.core.join(net.now, "lobby")
    net.wait(1)
    alice.take()
    net.freeze()
    net.wait(20)
    net.thaw()
    net.wait(30)
    assert alice.take() == [RECONNECTING, CONNECTED]
    assert net.server.stats().connections == 1


def test_a_restart_restores_channels_and_attributes() -> None:
    net = Net(0.01)
    alice = net.person("alice").login()
    net.wait(1)
    alice.core.join(net.now, "lobby")
    alice.core.set_attributes(net.now, {"mood": "good"})
    net.wait(1)
    assert alice.take() == [*LOGGED_IN, ("onJoinSuccess", "lobby")]
    net.restart()
    net.wait(3)
    members, attributes = alice.core.get_members(net.now, "lobby"), alice.core.get_attributes(net.now, "alice")
    net.wait(1)
    assert alice.take() == []
    assert alice.replies[members] == {"members": ["alice"]}
    assert alice.replies[attributes] == {"attributes": {"mood": "good"}}


def test_of_two_instances_exactly_one_survives() -> None:
    # mqttjs/MQTT.js#1585: two clients kick each other for ever
    net = Net(0.01)
    first = net.person("alice").login()
    net.wait(1)
    second = net.person("alice").login()
    net.wait(20)
    assert first.take() == [*LOGGED_IN, KICKED]
    assert second.take() == LOGGED_IN


@pytest.mark.parametrize("frozen_s", [2.0, 6.0])
def test_one_that_is_superseded_while_it_is_away_does_not_kick_the_newcomer(frozen_s: float) -> None:
    net = Net(0.01)
    first = net.person("alice").login()
    net.wait(1)
    first.take()
    for conn in range(1, first.opens + 1):
        first.core.connection_lost(net.now, conn)  # on its side alone
    net.settle()
    net.freeze()
    net.wait(frozen_s)
    # The newcomer's own link is not frozen: it logs in on the spot.
    net.server.connected(net.now, 1000)
    net.server.received(
        net.now, 1000, b'{"type":"login","app_id":"app","uid":"alice","token":"alice","instance":"other","attempt":1}'
    )
    net.thaw()
    net.wait(3)
    assert first.take() == ([KICKED] if frozen_s < 4 else [RECONNECTING, KICKED])
    assert first.core.state is State.ABORTED
    assert net.server.online(APP) == ["alice"]


def test_many_clients_do_not_come_back_in_step_or_more_often_than_they_must() -> None:
    net = Net(0.01)
    people = [net.person(f"user-{number}").login() for number in range(20)]
    net.wait(2)
    net.restart()
    net.wait(10)
    assert Counter(person.core.state for person in people) == {State.CONNECTED: 20}
    assert all(person.opens == 2 for person in people)
