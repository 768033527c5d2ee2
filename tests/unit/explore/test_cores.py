"""The small world around the cores: what can happen, what it leads to, and what is noticed when it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from harness.explore.actions import Accept, Action, Ban, Call, Deliver, Fire, Lose, Refuse, RestartServer, Seen
from harness.explore.cores import Config, Cores
from harness.explore.credentials import APP, BRIEF, LASTING
from harness.explore.exhaustive import online, replay
from harness.reference.client_core import Callback, ClientCore, Send
from harness.reference.wire import Ping
from harness.spec.states import Reason, State
from harness.spec.timing import ns

ALICE = "alice-1"
LOGIN = Call(ALICE, "login", (LASTING,))
TO_SERVER, TO_CLIENT = Deliver(ALICE, 1, to_server=True), Deliver(ALICE, 1, to_server=False)
LOGGED_IN = (LOGIN, Accept(ALICE, 1), TO_SERVER, TO_CLIENT, TO_SERVER, TO_CLIENT)


def world(*path: Action, **how: Any) -> Cores:
    cores = replay(Config(**how), path)
    assert cores.check() == []
    return cores


def state(cores: Cores, name: str = ALICE) -> State:
    return cores.people[name].core.state


def do(cores: Cores, *actions: Action) -> Cores:
    for action in actions:
        assert action in cores.enabled()
        cores.apply(action)
        assert cores.check() == []
    return cores


def test_at_first_there_is_nothing_but_a_login_and_a_ban() -> None:
    assert world().enabled() == [LOGIN, Ban("alice")]


def test_a_login_takes_an_opening_and_two_round_trips() -> None:
    cores = do(world(), *LOGGED_IN)
    assert state(cores) is State.CONNECTED
    assert cores.server.online(APP) == ["alice"]
    assert [(row.target, row.reason) for row in cores.taken()] == [(State.CONNECTED, Reason.LOGIN_SUCCESS)]


def test_messages_wait_until_they_are_delivered_and_keep_their_order() -> None:
    cores = world(*LOGGED_IN)
    do(cores, Call(ALICE, "join", ("lobby",)), Fire())
    sent = [type(frame).__name__ for frame in next(iter(cores.people[ALICE].pipes.values())).to_server]
    assert sent == ["Join", "Ping"]
    do(cores, TO_SERVER)
    assert cores.people[ALICE].monitor.channels == {}
    do(cores, TO_CLIENT)
    assert list(cores.people[ALICE].monitor.channels) == ["lobby"]
    assert Call(ALICE, "leave", ("lobby",)) in cores.enabled()
    assert Call(ALICE, "join", ("lobby",)) not in cores.enabled()


def test_time_goes_to_the_earliest_deadline_and_only_when_told_to() -> None:
    cores = world()
    began = cores.now
    do(cores, LOGIN)
    assert cores.now == began
    do(cores, Fire())
    assert cores.now == began + ns(1.0)  # the second attempt
    do(cores, *[Fire()] * 5)
    assert cores.now == began + ns(6.0)
    assert state(cores) is State.DISCONNECTED


def test_a_deadline_of_the_server_that_has_moved_is_not_stopped_at() -> None:
    cores = world(*LOGGED_IN, Call(ALICE, "logout"), TO_SERVER)
    assert cores.server.next_deadline() is not None  # of the first login, in vain
    assert Fire() not in cores.enabled()


@pytest.mark.parametrize(
    ("seen", "client_knows", "server_knows"),
    [(Seen.BY_BOTH, True, True), (Seen.BY_CLIENT, True, False), (Seen.BY_SERVER, False, True)],
)
def test_a_loss_is_known_to_those_who_see_it(seen: Seen, client_knows: bool, server_knows: bool) -> None:
    cores = do(world(*LOGGED_IN, losses=tuple(Seen)), Lose(ALICE, 1, seen))
    assert (Accept(ALICE, 2) in do(cores, Fire()).enabled()) == client_knows
    assert (cores.server.connections_of(APP, "alice") == 0) == server_knows
    assert cores.server.online(APP) == ["alice"]


def test_an_end_that_arrives_later_tells_the_other_side() -> None:
    cores = do(world(*LOGGED_IN), Lose(ALICE, 1, Seen.BY_CLIENT), TO_SERVER)
    assert cores.server.connections_of(APP, "alice") == 0
    assert cores.people[ALICE].pipes == {}


def test_a_loss_takes_with_it_what_was_on_its_way_to_who_had_not_heard() -> None:
    cores = do(world(*LOGGED_IN), Call(ALICE, "logout"), Lose(ALICE, 1, Seen.BY_BOTH))
    assert state(cores) is State.DISCONNECTED
    assert cores.server.online(APP) == ["alice"]  # its logout never came


def test_a_refused_connection_is_followed_by_another() -> None:
    cores = do(world(), LOGIN, Refuse(ALICE, 1), Fire())
    assert Accept(ALICE, 2) in cores.enabled()


def test_four_seconds_after_a_loss_the_client_is_reconnecting() -> None:
    cores = do(world(*LOGGED_IN), Lose(ALICE, 1, Seen.BY_BOTH))
    lost = cores.now
    while state(cores) is State.CONNECTED:
        do(cores, Fire())
    assert cores.now == lost + ns(4.0)
    assert state(cores) is State.RECONNECTING


def test_a_ban_ends_the_session_and_comes_once() -> None:
    cores = do(world(*LOGGED_IN), Ban("alice"), TO_CLIENT)
    assert state(cores) is State.ABORTED
    assert Ban("alice") not in cores.enabled()


def test_a_restarted_server_has_forgotten_all_but_the_bans() -> None:
    cores = do(world(*LOGGED_IN, restarts=True), RestartServer())
    assert cores.server.online(APP) == []
    assert RestartServer() not in cores.enabled()
    do(cores, TO_CLIENT)
    assert state(cores) is State.CONNECTED
    banned = do(world(Ban("alice"), restarts=True), LOGIN, Accept(ALICE, 1), RestartServer())
    do(
        banned,
        TO_CLIENT,
        Fire(),
        Accept(ALICE, 2),
        Deliver(ALICE, 2, to_server=True),
        Deliver(ALICE, 2, to_server=False),
    )
    assert state(banned) is State.DISCONNECTED


def test_a_second_instance_takes_over() -> None:
    config = Config(uids=("alice", "alice"))
    cores = replay(config, online(config))
    second = "alice-2"
    do(cores, Call(second, "login", (LASTING,)), Accept(second, 1), Deliver(second, 1, to_server=True), TO_CLIENT)
    assert state(cores) is State.ABORTED
    do(cores, *[Deliver(second, 1, to_server=each) for each in (False, True, False)])
    assert state(cores, second) is State.CONNECTED


def test_online_brings_one_client_of_each_user_into_the_channel() -> None:
    config = Config(uids=("bob", "alice", "bob"))
    cores = replay(config, online(config))
    assert {name: state(cores, name).name for name in cores.people} == {
        "bob-1": "CONNECTED",
        "alice-2": "CONNECTED",
        "bob-3": "DISCONNECTED",
    }
    assert all(list(cores.people[name].monitor.channels) == ["lobby"] for name in ("bob-1", "alice-2"))
    assert cores.check() == []


def test_the_way_to_be_online_ends_where_a_rule_is_broken() -> None:
    config = Config(core=Talkative)
    assert online(config) == (LOGIN,)
    assert replay(config, online(config)).check() != []


def test_a_brief_token_expires_and_is_told_once() -> None:
    cores = world(calls=("login", "renew_token"), tokens=(BRIEF,))
    login = Call(ALICE, "login", (BRIEF,))
    do(cores, login, *LOGGED_IN[1:])
    told = 0
    for _ in range(20):
        do(cores, Fire() if TO_SERVER not in cores.enabled() else TO_SERVER)
        told += any(isinstance(each, Callback) and each.name == "onTokenExpired" for _, each in cores.effects)
        if TO_CLIENT in cores.enabled():
            do(cores, TO_CLIENT)
    assert told == 1
    assert state(cores) is State.CONNECTED


class Talkative(ClientCore):
    """Sends on a connection that is not open yet."""

    def login(self, now: int, token: str, uid: str) -> Any:
        code = super().login(now, token, uid)
        self._emit(Send(self._last_conn, Ping(1)))
        return code


class Fragile(ClientCore):
    """Raises where it is told of a loss."""

    def connection_lost(self, now: int, conn: int) -> None:
        super().connection_lost(now, conn)
        raise RuntimeError("lost")


def test_what_is_sent_on_a_connection_that_is_not_open_is_noticed() -> None:
    (broken,) = replay(Config(core=Talkative), (LOGIN,)).check()
    assert broken.startswith("ClientCore.drain: Send(")


def test_a_core_that_raises_is_noticed() -> None:
    assert replay(Config(core=Fragile), (LOGIN, Refuse(ALICE, 1))).check() == ["a core raised RuntimeError: lost"]


def test_two_sessions_of_one_user_are_noticed() -> None:
    config = Config(uids=("alice", "alice"))
    cores = replay(config, (*LOGGED_IN, Call("alice-2", "login", (LASTING,)), Accept("alice-2", 1)))
    assert cores.check() == []
    for person in cores.people.values():
        for pipe in person.pipes.values():
            pipe.is_logged_in = True
    assert cores.check() == ["OPEN-20: alice is logged in on two connections"]
