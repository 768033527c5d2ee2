"""The search: the reference keeps every rule as far as it goes, and a client that breaks one is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.explore.actions import Accept, Ban, Call, Fire, Refuse, Seen
from harness.explore.cores import Config
from harness.explore.credentials import BRIEF, LASTING
from harness.explore.exhaustive import Bounds, Progress, Result, online, replay, run, search
from harness.reference.client_core import Callback, ClientCore
from harness.spec.states import LoginError, Reason, State
from harness.spec.timing import ns
from harness.spec.transitions import TRANSITIONS

ALICE = "alice-1"
LOGIN = Call(ALICE, "login", (LASTING,))
# What a client does about its link by itself: nobody calls it, and what breaks is seen by both ends.
ALONE = Config(calls=(), losses=(Seen.BY_BOTH,), bans=False)


def explored(config: Config, depth: int, *, states_max: int = 10**6, is_online: bool = False) -> Result:
    start = online(config) if is_online else ()
    return search(config, Bounds(depth, states_max), lambda _: None, start=start)


# --------------------------------------------------------------------------------------------------- the reference


@pytest.mark.parametrize(
    ("config", "depth", "is_online"),
    [
        (Config(), 5, False),
        (Config(tokens=(LASTING, BRIEF), losses=tuple(Seen), restarts=True), 3, True),
        (Config(uids=("alice", "alice"), calls=("login", "logout")), 3, True),
        (Config(uids=("alice", "bob")), 2, True),
        (ALONE, 6, True),
    ],
)
def test_the_reference_keeps_every_rule(config: Config, depth: int, is_online: bool) -> None:
    result = explored(config, depth, is_online=is_online)
    assert result.violation is None
    assert result.depth_reached == depth
    assert result.states > 100


def test_an_interruption_is_among_what_comes_about() -> None:
    result = explored(ALONE, 5, is_online=True)
    assert [(row.source, row.target) for row in result.rows] == [(State.CONNECTED, State.RECONNECTING)]


# ---------------------------------------------------------------------------------------------------- wrong clients


class Twice(ClientCore):
    """Tells each interruption twice."""

    def _interrupted(self, now: int) -> None:
        super()._interrupted(now)
        args = {"state": State.RECONNECTING, "reason": Reason.INTERRUPTED}
        self._emit(Callback("onConnectionStateChanged", args))


class Early(ClientCore):
    """Takes an interruption for one after 3 s."""

    def _reconnecting_ns(self) -> int | None:
        at_ns = super()._reconnecting_ns()
        return None if at_ns is None else at_ns - ns(1.0)


class Mute(ClientCore):
    """Gives no result of a login that times out."""

    def _login_failed(self, now: int, code: LoginError, reason: Reason) -> None:
        if code is not LoginError.TIMEOUT:
            super()._login_failed(now, code, reason)
            return
        self._forget(now)
        self._switch(State.DISCONNECTED, reason)


MUTE = replace(ALONE, calls=("login",), core=Mute)


class Stubborn(ClientCore):
    """Goes on looking for a link after it was banned."""

    def _aborted(self, now: int, reason: Reason) -> None:
        session = self._session
        super()._aborted(now, reason)
        self._session = session
        self._attempts.seek(now)


def test_an_interruption_that_is_told_twice_is_found() -> None:
    violation = explored(replace(ALONE, core=Twice), 7, is_online=True).violation
    assert violation is not None
    assert violation.broken == ("GENERAL-1: RECONNECTING / INTERRUPTED in RECONNECTING",)
    assert len(violation.path) - len(online(ALONE)) == 5  # a silent link needs no loss to be interrupted


def test_an_interruption_that_is_told_too_early_is_found() -> None:
    violation = explored(replace(ALONE, core=Early), 7, is_online=True).violation
    assert violation is not None
    assert violation.broken == ("CONNECTED-3: RECONNECTING after 3 s",)
    assert violation.path == (*online(ALONE), *[Fire()] * 4)  # the heartbeat is 1 s


def test_a_login_without_a_result_is_found_by_a_shortest_way() -> None:
    violation = explored(MUTE, 8).violation
    assert violation is not None
    assert violation.broken == ("GENERAL-3: DISCONNECTED, and the login() has no result",)
    assert violation.path == (LOGIN, *[Fire()] * 6)


def test_a_banned_client_that_goes_on_is_found() -> None:
    violation = explored(Config(core=Stubborn), 3, is_online=True).violation
    assert violation is not None
    assert violation.broken == ("ABORTED-1: a deadline while ABORTED",)
    assert [str(action) for action in violation.path[-2:]] == [
        "alice is banned",
        "the next of alice-1's connection 1 reaches the client",
    ]


def test_a_violation_happens_again_on_its_way() -> None:
    violation = explored(MUTE, 8).violation
    assert violation is not None
    assert tuple(replay(MUTE, violation.path).check()) == violation.broken
    assert replay(MUTE, violation.path[:-1]).check() == []


# --------------------------------------------------------------------------------------------------------- the search


def test_every_way_of_one_and_two_actions_is_gone() -> None:
    # At first a login and a ban; then after the login: an opening, a refusal, a logout, a ban and the next attempt; and
    # after the ban a login.
    one, two = explored(Config(), 1), explored(Config(), 2)
    assert (one.states, one.transitions, one.rows) == (3, 2, frozenset({TRANSITIONS[0]}))
    after = [len(replay(Config(), (first,)).enabled()) for first in (LOGIN, Ban("alice"))]
    assert two.transitions == 2 + sum(after)
    assert after == [5, 1]
    # The refused logout changed nothing, and it does not matter which of the ban and the login came first.
    assert two.states == 3 + sum(after) - 2
    assert [*replay(Config(), (LOGIN,)).enabled()][1:3] == [Accept(ALICE, 1), Refuse(ALICE, 1)]


def test_the_same_search_comes_to_the_same() -> None:
    assert explored(Config(), 5) == explored(Config(), 5)


def test_it_stops_at_so_many_states() -> None:
    result = explored(Config(), 9, states_max=100)
    assert (result.states, result.depth_reached, result.is_exhausted) == (100, 4, False)


def test_where_nothing_can_happen_nothing_is_left() -> None:
    result = explored(Config(calls=(), bans=False), 9)
    assert (result.states, result.transitions, result.is_exhausted) == (1, 0, True)


def test_progress_is_told_now_and_then() -> None:
    told: list[Progress] = []
    result = search(Config(), Bounds(4, 5_000), told.append)
    assert [each.depth for each in told] == [1, 2, 3, 4]
    assert [each.states for each in told] == [explored(Config(), depth).states for depth in (1, 2, 3, 4)]
    assert told[-1] == Progress(4, result.states, result.transitions)


def test_a_run_says_what_it_came_to() -> None:
    said: list[str] = []
    result = run(Config(uids=("alice", "alice")), Bounds(3, 1_000), said.append)
    assert said[-3:] == [
        f"{result.states} states reached by {result.transitions} transitions, all of up to 3 actions",
        f"{len(result.rows)} of the 13 rows of the table were taken",
        "every rule holds in all of them",
    ]


def test_a_run_says_what_is_broken_and_how_to_get_there() -> None:
    said: list[str] = []
    run(Config(core=Stubborn), Bounds(3, 10_000), said.append, is_online=True)
    assert said[-3:] == [
        "  10. alice is banned",
        "  11. the next of alice-1's connection 1 reaches the client",
        "ABORTED-1: a deadline while ABORTED",
    ]
    assert "broken after 11 actions:" in said
