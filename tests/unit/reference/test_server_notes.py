"""What the core notes of its deeds, and that no token is ever in it."""

from __future__ import annotations

import pytest

from harness.reference.notes_core import Ending, Note, What
from harness.reference.server_core import ServerLimits
from harness.reference.wire import Code, Join, Login, Logout, RenewToken, encode
from tests.unit.reference.server_bench import APP, Bench, token


def of(bench: Bench, what: What) -> list[Note]:
    return [note for note in bench.notes if note.what is what]


@pytest.mark.parametrize("how", ["new", "resume", "retire", "take_over"])
def test_a_login_is_noted_with_how_it_was_let_in(how: str) -> None:
    bench = Bench()
    _, session = bench.online("alice")
    if how == "resume":
        bench.online("alice", resume=session, attempt=2)
    elif how == "retire":
        bench.online("alice", attempt=2)
    elif how == "take_over":
        bench.online("alice", instance="laptop")
    last = of(bench, What.LOGIN)[-1]
    assert last == Note(What.LOGIN, how, last.conn, APP, "alice")


def test_a_refused_login_is_noted_with_its_code() -> None:
    bench = Bench()
    wire = bench.connect()
    wire.log_in("alice", with_token="no token")
    assert bench.notes == [
        Note(What.REFUSED, Code.INVALID_TOKEN, wire.conn, APP, "alice"),
        Note(What.CLOSED, "1008", wire.conn, detail="login refused: invalid_token"),
    ]


def test_each_end_of_a_session_is_noted_once_with_its_reason() -> None:
    bench = Bench()
    bench.user("alice").send(Logout())
    bench.online("bob")[0].drop()
    bench.wait(30)
    bench.online("carol", confirm=False)[0].drop()
    bench.online("dave", confirm=False)
    bench.wait(6)
    bench.user("erin", instance="phone")
    bench.user("erin", instance="laptop")
    bench.online("frank")
    bench.online("frank", attempt=2)
    bench.core.ban(bench.now, APP, "frank")
    bench.settle()
    assert [(note.uid, note.why) for note in of(bench, What.ENDED)] == [
        ("alice", Ending.LOGOUT),
        ("bob", Ending.EXPIRED),
        ("carol", Ending.UNCONFIRMED),
        ("dave", Ending.UNCONFIRMED),
        ("erin", Ending.REMOTE_LOGIN),
        ("frank", Ending.RETIRED),
        ("frank", Ending.BANNED),
    ]


def test_a_request_that_failed_is_noted_and_one_that_was_done_is_not() -> None:
    bench = Bench()
    alice = bench.user("alice")
    alice.ask(Join(1, "lobby"))
    alice.ask(Join(2, "lobby"))
    assert of(bench, What.FAILED) == [Note(What.FAILED, Code.ALREADY_JOINED, alice.conn, APP, "alice")]


def test_a_connection_that_is_gone_is_noted_by_who_ended_it() -> None:
    bench = Bench(ServerLimits(connections_max=2))
    alice, bob = bench.user("alice"), bench.user("bob")
    third = bench.connect()
    third.drop()
    alice.drop()
    bench.core.dropped(bench.now, bob.conn)
    bench.settle()
    bob.drop()
    ends = [note for note in bench.notes if note.what in (What.CLOSED, What.LOST, What.DROPPED)]
    assert ends == [
        Note(What.CLOSED, "1013", third.conn, detail="too many connections"),
        Note(What.LOST, "", alice.conn, APP, "alice"),
        Note(What.DROPPED, "", bob.conn, APP, "bob"),
    ]
    assert bench.core.connections_of(APP, "bob") == 0
    assert bench.core.online(APP) == ["alice", "bob"]


def test_who_was_dropped_before_a_confirmation_is_forgotten_at_once() -> None:
    bench = Bench()
    bench.user("bob").ask(Join(1, "lobby"))
    alice, _ = bench.online("alice", confirm=False)
    bench.core.dropped(bench.now, alice.conn)
    assert bench.core.online(APP) == ["bob"]


def test_who_does_not_read_the_last_word_before_a_close_is_closed_and_not_dropped_as_well() -> None:
    bench = Bench()
    alice = bench.user("alice")
    alice.send(Logout())
    bench.core.dropped(bench.now, alice.conn)
    assert [note.what for note in bench.notes[-2:]] == [What.ENDED, What.CLOSED]


SECRET_TOKEN = token("alice") + ".signature"


@pytest.mark.parametrize(
    "sent",
    [
        encode(Login(APP, "alice", SECRET_TOKEN, "phone", 1)).decode(),
        f'{{"type":"{SECRET_TOKEN}"}}',
        f'{{"type":"ping","n":1,"{SECRET_TOKEN}":1}}',
        f'{{"type":"login","token":"{SECRET_TOKEN}"}}',
        SECRET_TOKEN,
    ],
)
def test_no_note_holds_a_token_wherever_a_client_put_it(sent: str) -> None:
    bench = Bench()
    bench.connect().raw(sent)
    bench.user("bob").raw(sent)
    bench.user("carol").ask(RenewToken(1, SECRET_TOKEN))
    assert len(bench.notes) > 4
    assert not [note for note in bench.notes if "signature" in str(note)]
