"""The table, held against what the document says of it, written out."""

from __future__ import annotations

from itertools import product

from harness.spec.clauses import BY_ID
from harness.spec.states import Reason, State
from harness.spec.transitions import INITIAL_STATE, LEGAL_PAIRS, TRANSITIONS, allowed

LEGAL = """
CONNECTING/LOGIN, CONNECTED/LOGIN_SUCCESS, DISCONNECTED/LOGIN_FAILURE, DISCONNECTED/LOGIN_TIMEOUT, DISCONNECTED/LOGOUT,
RECONNECTING/INTERRUPTED, ABORTED/REMOTE_LOGIN, ABORTED/BANNED_BY_SERVER
"""
SWITCHES = """
DISCONNECTED>CONNECTING/LOGIN
CONNECTING>CONNECTED/LOGIN_SUCCESS
CONNECTING>DISCONNECTED/LOGIN_FAILURE
CONNECTING>DISCONNECTED/LOGIN_TIMEOUT
CONNECTED>RECONNECTING/INTERRUPTED
CONNECTED>ABORTED/REMOTE_LOGIN
CONNECTED>ABORTED/BANNED_BY_SERVER
CONNECTED>DISCONNECTED/LOGOUT
RECONNECTING>CONNECTED/LOGIN_SUCCESS
RECONNECTING>ABORTED/REMOTE_LOGIN
RECONNECTING>ABORTED/BANNED_BY_SERVER
RECONNECTING>DISCONNECTED/LOGOUT
ABORTED>DISCONNECTED/LOGOUT
"""


def test_the_legal_pairs_are_these_eight() -> None:
    assert {f"{state.name}/{reason.name}" for state, reason in LEGAL_PAIRS} == set(LEGAL.replace(",", " ").split())
    assert len(LEGAL_PAIRS) == 8


def test_exactly_these_switches_are_allowed_and_no_other_of_all_that_there_could_be() -> None:
    found = {
        f"{source.name}>{target.name}/{reason.name}"
        for source, target, reason in product(State, State, Reason)
        if allowed(source, target, reason)
    }
    assert found == set(SWITCHES.split())


def test_the_row_that_allows_a_switch_is_the_one_of_that_switch() -> None:
    for row in TRANSITIONS:
        assert allowed(row.source, row.target, row.reason) is row


def test_a_state_is_never_switched_to_itself() -> None:
    assert [row for row in TRANSITIONS if row.source is row.target] == []


def test_every_row_rests_on_clauses_that_exist() -> None:
    for row in TRANSITIONS:
        assert row.clauses
        assert set(row.clauses) <= BY_ID.keys()


def test_it_begins_disconnected() -> None:
    assert INITIAL_STATE is State.DISCONNECTED


def test_what_reconnecting_and_aborted_can_end_in_is_what_the_document_says() -> None:
    ways_out = {state: {row.target for row in TRANSITIONS if row.source is state} for state in State}
    assert ways_out[State.ABORTED] == {State.DISCONNECTED}
    assert ways_out[State.RECONNECTING] == {State.CONNECTED, State.ABORTED, State.DISCONNECTED}
