"""Messages, queries and attributes: their answers, their 5 s, and what becomes of them when the link goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from harness.reference.client_core import CallError, ClientCore
from harness.reference.client_requests_core import PENDING_MAX
from harness.reference.wire import (
    ATTRIBUTES_MAX,
    AddAttributes,
    AttributesOf,
    Code,
    DeleteAttributes,
    Done,
    Failed,
    Frame,
    GetAttributes,
    GetMembers,
    Members,
    Online,
    QueryOnline,
    SendToChannel,
    SendToPeer,
    SetAttributes,
)
from harness.spec.states import JoinChannelError
from harness.spec.timing import ns
from tests.unit.reference.client_rig import CONNECTED, LOGGED_OUT, RECONNECTING, Rig


class Case(NamedTuple):
    """A call with its arguments, the frame that it sends, the answer, and the values of the reply."""

    call: Callable[..., int]
    args: tuple[object, ...]
    sent: Frame
    answer: Frame
    values: dict[str, Any]


CASES = [
    Case(ClientCore.send_to_peer, ("bob", "hi"), SendToPeer(1, "bob", "hi"), Done(1), {}),
    Case(ClientCore.send_to_channel, ("lobby", "hi"), SendToChannel(1, "lobby", "hi"), Done(1), {}),
    Case(ClientCore.get_members, ("lobby",), GetMembers(1, "lobby"), Members(1, ["bob"]), {"members": ["bob"]}),
    Case(ClientCore.set_attributes, ({"k": "v"},), SetAttributes(1, {"k": "v"}), Done(1), {}),
    Case(ClientCore.add_attributes, ({"k": "v"},), AddAttributes(1, {"k": "v"}), Done(1), {}),
    Case(ClientCore.delete_attributes, (["k"],), DeleteAttributes(1, ["k"]), Done(1), {}),
    Case(
        ClientCore.get_attributes,
        ("bob",),
        GetAttributes(1, "bob"),
        AttributesOf(1, {"k": "v"}),
        {"attributes": {"k": "v"}},
    ),
    Case(
        ClientCore.query_online,
        (["bob"],),
        QueryOnline(1, ["bob"]),
        Online(1, {"bob": True}),
        {"online": {"bob": True}},
    ),
]
each_call = pytest.mark.parametrize("case", CASES, ids=lambda case: case.call.__name__)
MESSAGES = (SendToPeer, SendToChannel)
CHANGES = (SetAttributes, AddAttributes, DeleteAttributes)


def ask(rig: Rig, call: Callable[..., int], *args: object) -> int:
    return rig.ask(lambda now, *rest: call(rig.core, now, *rest), *args)


@each_call
def test_a_call_is_sent_and_answered(case: Case) -> None:
    rig = Rig()
    conn = rig.online()
    call_id = ask(rig, case.call, *case.args)
    assert rig.frames(conn) == [case.sent]
    assert rig.replies == {}
    rig.feed(conn, case.answer)
    assert rig.replies == {call_id: (CallError.OK, case.values)}
    rig.wait(60)
    assert rig.take() == []


@each_call
def test_a_call_of_one_who_is_not_logged_in_is_answered_at_once(case: Case) -> None:
    rig = Rig()
    call_id = ask(rig, case.call, *case.args)
    assert rig.replies == {call_id: (CallError.USER_NOT_LOGGED_IN, {})}
    rig.login()
    call_id = ask(rig, case.call, *case.args)
    assert rig.replies[call_id] == (CallError.USER_NOT_LOGGED_IN, {})


@each_call
def test_a_call_that_is_not_answered_fails_after_5_s(case: Case) -> None:
    rig = Rig()
    conn = rig.online()
    rig.wait(0.123)  # so that nothing else is due at the same time
    called = rig.now
    call_id = ask(rig, case.call, *case.args)
    rig.wait_until(called + ns(5.0) - 1)
    assert rig.replies == {}
    rig.wait_until(called + ns(5.0))
    assert rig.replies == {call_id: (CallError.TIMEOUT, {})}
    rig.feed(conn, case.answer)  # too late for anybody
    assert rig.open == {conn}


@each_call
def test_a_call_without_a_link_waits_for_one(case: Case) -> None:
    rig = Rig()
    rig.lose(rig.online())
    call_id = ask(rig, case.call, *case.args)
    rig.wait(3.9)
    assert rig.let_in(rig.last, resumed=True) == [case.sent]
    rig.feed(rig.last, case.answer)
    assert rig.replies == {call_id: (CallError.OK, case.values)}
    assert rig.take() == []


@each_call
def test_a_call_whose_link_is_lost_is_made_again_unless_it_is_a_message(case: Case) -> None:
    rig = Rig()
    conn = rig.online()
    call_id = ask(rig, case.call, *case.args)
    rig.lose(conn)
    if isinstance(case.sent, MESSAGES):
        assert rig.replies == {call_id: (CallError.FAILURE, {})}
        assert rig.let_in(rig.last, resumed=True) == []
    else:
        assert rig.replies == {}
        assert rig.let_in(rig.last, resumed=True) == [case.sent]
        rig.feed(rig.last, case.answer)
        assert rig.replies == {call_id: (CallError.OK, case.values)}


@each_call
def test_a_call_while_reconnecting_fails_after_5_s_unless_it_is_a_change(case: Case) -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(10)
    called = rig.now
    call_id = ask(rig, case.call, *case.args)
    if isinstance(case.sent, CHANGES):
        assert rig.replies == {call_id: (CallError.OK, {})}
        return
    rig.wait_until(called + ns(5.0) - 1)
    assert rig.replies == {}
    rig.wait_until(called + ns(5.0))
    assert rig.replies == {call_id: (CallError.TIMEOUT, {})}
    assert rig.let_in(rig.last, resumed=True) == []


@each_call
def test_a_call_under_way_fails_with_the_logout(case: Case) -> None:
    rig = Rig()
    rig.online()
    call_id = ask(rig, case.call, *case.args)
    rig.logout()
    assert rig.replies == {call_id: (CallError.FAILURE, {})}
    assert rig.take() == [*LOGGED_OUT]


@each_call
def test_an_answer_of_another_kind_is_nonsense(case: Case) -> None:
    rig = Rig()
    conn = rig.online()
    ask(rig, case.call, *case.args)
    wrong = Members(1, []) if not isinstance(case.sent, GetMembers) else Done(1)
    rig.feed(conn, wrong)
    assert rig.closed == {conn: False}
    assert f"{type(wrong).__name__} does not answer {type(case.sent).__name__}" in rig.logs[0]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (Code.INVALID_ARGUMENT, CallError.INVALID_ARGUMENT),
        (Code.NOT_AUTHORIZED, CallError.REJECTED),
        (Code.NOT_IN_CHANNEL, CallError.REJECTED),
        (Code.EXCEED_LIMIT, CallError.REJECTED),
        (Code.REJECTED, CallError.REJECTED),
        (Code.TOO_OFTEN, CallError.TOO_OFTEN),
        (Code.BANNED, CallError.FAILURE),
    ],
)
@each_call
def test_a_call_that_is_refused(case: Case, code: Code, told: CallError) -> None:
    rig = Rig()
    conn = rig.online()
    call_id = ask(rig, case.call, *case.args)
    rig.feed(conn, Failed(1, code))
    assert rig.replies == {call_id: (told, {})}
    rig.lose(conn)
    assert rig.let_in(rig.last) == []  # a change that was refused is not in the client's copy


@pytest.mark.parametrize(
    ("call", "args"),
    [
        (ClientCore.send_to_peer, ("", "hi")),
        (ClientCore.send_to_peer, ("bob", "x" * (32 * 1024 + 1))),
        (ClientCore.send_to_channel, ("lobby", 5)),
        (ClientCore.get_members, (None,)),
        (ClientCore.set_attributes, ({"k": "v" * 1025},)),
        (ClientCore.set_attributes, ({"k": object()},)),
        (ClientCore.add_attributes, ({str(number): "" for number in range(ATTRIBUTES_MAX + 1)},)),
        (ClientCore.delete_attributes, (["\ud800"],)),
        (ClientCore.get_attributes, ("u" * 65,)),
        (ClientCore.query_online, ("bob",)),
    ],
)
def test_bad_arguments_are_answered_at_once(call: Callable[..., int], args: tuple[object, ...]) -> None:
    rig = Rig()
    conn = rig.online()
    call_id = ask(rig, call, *args)
    assert rig.replies == {call_id: (CallError.INVALID_ARGUMENT, {})}
    assert rig.frames(conn) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda core, now: core.logout(now),
        lambda core, now: core.renew_token(now, "token-2"),
        lambda core, now: core.join(now, "lobby"),
        lambda core, now: core.leave(now, "lobby"),
        lambda core, now: core.query_online(now, ["bob"]),
        lambda core, now: core.login(now, "token", "alice"),
    ],
    ids=["logout", "renew_token", "join", "leave", "query_online", "login"],
)
def test_each_call_comes_after_what_is_due_by_then(call: Callable[[ClientCore, int], object]) -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.now += ns(4.0)
    call(rig.core, rig.now)
    assert rig.take()[0] == RECONNECTING


def test_codes_that_have_no_published_numbers_share_those_of_the_join() -> None:
    shared = {code.name: code.value for code in CallError if code is not CallError.TIMEOUT}
    assert shared == {name: JoinChannelError[name].value for name in shared}
    assert CallError.TIMEOUT.value == JoinChannelError.JOIN_CHANNEL_TIMEOUT.value


def test_no_more_than_so_many_wait_at_once() -> None:
    rig = Rig()
    conn = rig.online()
    for _ in range(PENDING_MAX):
        ask(rig, ClientCore.get_members, "lobby")
    call_id = ask(rig, ClientCore.get_members, "lobby")
    assert rig.replies == {call_id: (CallError.TOO_OFTEN, {})}
    rig.feed(conn, Members(1, []))
    ask(rig, ClientCore.get_members, "lobby")
    assert len(rig.frames(conn)) == PENDING_MAX + 1


# ---------------------------------------------------------------------------------------------------------- attributes


def with_attributes() -> tuple[Rig, int]:
    rig = Rig()
    conn = rig.online()
    change(rig, conn, ClientCore.set_attributes, {"a": "1", "b": "1"})
    return rig, conn


def change(rig: Rig, conn: int, call: Callable[..., int], argument: object) -> None:
    ask(rig, call, argument)
    request_id = rig.frames(conn)[-1].id  # type: ignore[attr-defined]
    rig.feed(conn, Done(request_id))
    assert rig.replies.popitem()[1] == (CallError.OK, {})


def restored(frames: list[Frame]) -> list[dict[str, str]]:
    return [frame.attributes for frame in frames if isinstance(frame, SetAttributes)]


def test_a_return_to_the_same_session_sends_no_attributes() -> None:
    rig, conn = with_attributes()
    rig.lose(conn)
    rig.wait(25)
    assert rig.let_in(rig.last, resumed=True) == []


def test_a_return_to_a_new_session_sends_the_clients_copy() -> None:
    rig, conn = with_attributes()
    change(rig, conn, ClientCore.add_attributes, {"b": "2", "c": "2"})
    change(rig, conn, ClientCore.delete_attributes, ["a"])
    rig.lose(conn)
    rig.wait(40)
    conn = rig.last
    (frame,) = rig.let_in(conn)
    assert isinstance(frame, SetAttributes)
    assert frame.attributes == {"b": "2", "c": "2"}
    rig.feed(conn, Done(frame.id))
    rig.lose(conn)
    rig.wait(1)
    assert rig.let_in(rig.last, resumed=True) == []  # told already


def test_without_attributes_there_is_nothing_to_send() -> None:
    rig, conn = with_attributes()
    change(rig, conn, ClientCore.delete_attributes, ["a", "b"])
    rig.lose(conn)
    assert rig.let_in(rig.last) == []


@pytest.mark.parametrize("resumed", [True, False])
def test_a_change_made_while_reconnecting_is_what_counts(resumed: bool) -> None:
    # ably/ably-java#930: old attributes overwrite new ones
    rig, conn = with_attributes()
    rig.lose(conn)
    rig.wait(5)
    ask(rig, ClientCore.add_attributes, {"b": "2"})
    ask(rig, ClientCore.delete_attributes, ["a"])
    assert [code for code, _ in rig.replies.values()] == [CallError.OK] * 2
    rig.wait(20)
    assert restored(rig.let_in(rig.last, resumed=resumed)) == [{"b": "2"}]
    assert rig.take() == [RECONNECTING, CONNECTED]


def test_all_attributes_deleted_while_reconnecting_are_deleted_in_the_same_session_too() -> None:
    rig, conn = with_attributes()
    rig.lose(conn)
    rig.wait(5)
    ask(rig, ClientCore.set_attributes, {})
    assert restored(rig.let_in(rig.last, resumed=True)) == [{}]


def test_a_change_under_way_when_the_switch_comes_takes_place_here() -> None:
    rig, conn = with_attributes()
    ask(rig, ClientCore.add_attributes, {"b": "2"})
    rig.lose(conn)
    ask(rig, ClientCore.add_attributes, {"c": "2"})
    assert rig.replies == {}
    rig.wait(4)
    assert [code for code, _ in rig.replies.values()] == [CallError.OK] * 2
    assert restored(rig.let_in(rig.last, resumed=True)) == [{"a": "1", "b": "2", "c": "2"}]


def test_changes_in_the_grace_are_sent_behind_what_a_new_session_lacks() -> None:
    rig, conn = with_attributes()
    ask(rig, ClientCore.add_attributes, {"b": "2"})
    rig.lose(conn)
    ask(rig, ClientCore.delete_attributes, ["a"])
    old, added, deleted = rig.let_in(rig.last)
    assert restored([old]) == [{"a": "1", "b": "1"}]
    assert isinstance(added, AddAttributes)
    assert isinstance(deleted, DeleteAttributes)


def test_a_change_without_an_answer_leaves_the_clients_copy_to_be_told_again() -> None:
    rig, conn = with_attributes()
    ask(rig, ClientCore.set_attributes, {"x": "1"})
    rig.wait(5)
    rig.lose(conn)
    assert restored(rig.let_in(rig.last, resumed=True)) == [{"a": "1", "b": "1"}]


def test_a_restoration_that_was_cut_off_is_made_again() -> None:
    rig, conn = with_attributes()
    rig.lose(conn)
    conn = rig.last
    assert restored(rig.let_in(conn)) == [{"a": "1", "b": "1"}]
    rig.lose(conn)
    rig.wait(1)
    assert restored(rig.let_in(rig.last, resumed=True)) == [{"a": "1", "b": "1"}]


def test_more_attributes_than_the_server_takes_are_not_taken_here_either() -> None:
    rig, conn = with_attributes()
    rig.lose(conn)
    rig.wait(5)
    ask(rig, ClientCore.add_attributes, {str(number): "" for number in range(ATTRIBUTES_MAX)})
    assert rig.replies.popitem()[1] == (CallError.REJECTED, {})
    assert rig.let_in(rig.last, resumed=True) == []


def test_what_the_app_changes_later_in_what_it_passed_has_no_effect() -> None:
    rig = Rig()
    rig.lose(rig.online())
    attributes = {"a": "1"}
    ask(rig, ClientCore.set_attributes, attributes)
    attributes["a"] = "2"
    assert restored(rig.let_in(rig.last, resumed=True)) == [{"a": "1"}]
