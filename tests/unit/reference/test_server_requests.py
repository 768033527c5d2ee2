from __future__ import annotations

import pytest

from harness.reference.limits_core import BoundedRecord, RateLimit
from harness.reference.server_core import ServerLimits
from harness.reference.wire import (
    ATTRIBUTES_MAX,
    FRAME_BYTES_MAX,
    AddAttributes,
    AttributesOf,
    ChannelMessage,
    Code,
    DeleteAttributes,
    Done,
    Failed,
    Frame,
    GetAttributes,
    GetMembers,
    Join,
    Leave,
    Logout,
    MemberJoined,
    MemberLeft,
    Members,
    Online,
    PeerMessage,
    QueryOnline,
    RenewToken,
    SendToChannel,
    SendToPeer,
    SetAttributes,
    encode,
)
from harness.spec.timing import NS_PER_S
from tests.unit.reference.server_bench import START_NS, Bench, token


def code(answer: Frame) -> Code:
    assert isinstance(answer, Failed), answer
    assert answer.id == 1
    return answer.code


# ----------------------------------------------------------------------------------------------------- channels


def test_members_hear_who_joins_and_who_leaves() -> None:
    bench = Bench()
    alice, bob = bench.user("alice"), bench.user("bob")
    assert alice.ask(Join(1, "lobby")) == Done(1)
    assert bob.ask(Join(2, "lobby")) == Done(2)
    assert alice.take() == [MemberJoined("lobby", "bob")]
    assert bob.ask(GetMembers(3, "lobby")) == Members(3, ["alice", "bob"])
    assert bob.ask(Leave(4, "lobby")) == Done(4)
    assert alice.take() == [MemberLeft("lobby", "bob")]
    assert bob.ask(GetMembers(5, "lobby")) == Members(5, ["alice"])


def test_a_channel_is_joined_once_and_left_once() -> None:
    bench = Bench()
    alice = bench.user("alice")
    assert code(alice.ask(Leave(1, "lobby"))) is Code.NOT_IN_CHANNEL
    assert alice.ask(Join(1, "lobby")) == Done(1)
    assert code(alice.ask(Join(1, "lobby"))) is Code.ALREADY_JOINED
    assert alice.ask(Leave(1, "lobby")) == Done(1)
    assert code(alice.ask(Leave(1, "lobby"))) is Code.NOT_IN_CHANNEL


def test_twenty_channels_and_no_more() -> None:
    bench = Bench()
    alice = bench.user("alice")
    answers = [alice.ask(Join(1, f"channel {number}")) for number in range(20)]
    assert answers == [Done(1)] * 20
    assert code(alice.ask(Join(1, "one more"))) is Code.EXCEED_LIMIT
    alice.ask(Leave(1, "channel 7"))
    assert alice.ask(Join(1, "one more")) == Done(1)


def test_a_channel_takes_so_many_members_and_no_more() -> None:
    bench = Bench(ServerLimits(members_max=1))
    assert bench.user("alice").ask(Join(1, "lobby")) == Done(1)
    assert code(bench.user("bob").ask(Join(1, "lobby"))) is Code.EXCEED_LIMIT


def test_members_that_do_not_fit_into_a_frame_are_not_sent() -> None:
    bench = Bench()
    for number in range(400):
        bench.user(f"{number:03}" + "😀" * 61).ask(Join(1, "lobby"))
    assert code(bench.user("alice").ask(GetMembers(1, "lobby"))) is Code.EXCEED_LIMIT


# ----------------------------------------------------------------------------------------------------- messages


def test_a_message_to_a_channel_reaches_all_others_in_it() -> None:
    bench = Bench()
    alice, bob, carol = (bench.user(uid) for uid in ("alice", "bob", "carol"))
    assert code(alice.ask(SendToChannel(1, "lobby", "hi"))) is Code.NOT_IN_CHANNEL
    alice.ask(Join(1, "lobby"))
    bob.ask(Join(1, "lobby"))
    alice.take()
    assert alice.ask(SendToChannel(2, "lobby", "hi")) == Done(2)
    assert bob.take() == [ChannelMessage("lobby", "alice", "hi")]
    assert carol.take() == []


def test_a_message_to_a_peer_reaches_it() -> None:
    bench = Bench()
    alice, bob = bench.user("alice"), bench.user("bob")
    assert alice.ask(SendToPeer(1, "bob", "hi")) == Done(1)
    assert bob.take() == [PeerMessage("alice", "hi")]


def test_a_message_to_somebody_offline_is_refused_and_to_somebody_interrupted_lost() -> None:
    bench = Bench()
    alice, bob = bench.user("alice"), bench.user("bob")
    bob.drop()
    assert alice.ask(SendToPeer(1, "bob", "lost")) == Done(1)
    bob, _ = bench.online("bob", resume="session-2", attempt=2)
    assert bob.take() == []
    bob.send(Logout())
    assert alice.ask(SendToPeer(1, "bob", "hi")) == Failed(1, Code.REJECTED, "bob is not online")


def test_a_message_that_just_fits_is_passed_on() -> None:
    bench = Bench()
    sender, bob = bench.user("somebody-with-a-longer-name"), bench.user("bob")
    empty = encode(PeerMessage("somebody-with-a-longer-name", ""))
    letters, odd = divmod(FRAME_BYTES_MAX - len(empty), 2)
    text = "é" * letters + "." * odd
    assert sender.ask(SendToPeer(1, "bob", text)) == Done(1)
    (message,) = bob.take()
    assert len(encode(message)) == FRAME_BYTES_MAX
    assert code(sender.ask(SendToPeer(1, "bob", text + "."))) is Code.EXCEED_LIMIT


@pytest.mark.parametrize("to_peer", [True, False])
def test_a_message_that_would_not_fit_with_its_senders_name_is_refused(to_peer: bool) -> None:
    bench = Bench()
    sender, bob = bench.user("😀" * 64), bench.user("bob")
    sender.ask(Join(1, "c"))
    bob.ask(Join(1, "c"))
    bob.take()
    # A frame of just the limit: each letter is two bytes.
    text = "é" * ((FRAME_BYTES_MAX - 80) // 2)
    request = SendToPeer(1, "bob", text) if to_peer else SendToChannel(1, "c", text)
    assert len(encode(request)) <= FRAME_BYTES_MAX
    assert code(sender.ask(request)) is Code.EXCEED_LIMIT
    assert bob.take() == []


# --------------------------------------------------------------------------------------------------- attributes


def test_attributes_are_set_added_deleted_and_read_by_anybody() -> None:
    bench = Bench()
    alice, bob = bench.user("alice"), bench.user("bob")
    assert alice.ask(SetAttributes(1, {"a": "1", "b": "2"})) == Done(1)
    assert alice.ask(AddAttributes(2, {"b": "3", "c": "4"})) == Done(2)
    assert alice.ask(DeleteAttributes(3, ["a", "unknown"])) == Done(3)
    assert bob.ask(GetAttributes(4, "alice")) == AttributesOf(4, {"b": "3", "c": "4"})
    assert alice.ask(SetAttributes(5, {})) == Done(5)
    assert bob.ask(GetAttributes(6, "alice")) == AttributesOf(6, {})
    assert bob.ask(GetAttributes(7, "nobody")) == AttributesOf(7, {})


def test_attributes_last_as_long_as_the_session() -> None:
    bench = Bench()
    alice, session = bench.online("alice")
    alice.ask(SetAttributes(1, {"a": "1"}))
    alice.drop()
    bench.wait(10)
    back, _ = bench.online("alice", resume=session, attempt=2)
    assert back.ask(GetAttributes(2, "alice")) == AttributesOf(2, {"a": "1"})
    back.drop()
    bench.wait(31)
    anew, _ = bench.online("alice", resume=session, attempt=3)
    assert anew.ask(GetAttributes(3, "alice")) == AttributesOf(3, {}), "the client's copy is what counts then"


def test_attributes_are_bounded_however_they_come() -> None:
    bench = Bench()
    alice = bench.user("alice")
    full = {f"{number}": "x" for number in range(ATTRIBUTES_MAX)}
    assert alice.ask(SetAttributes(1, full)) == Done(1)
    assert alice.ask(AddAttributes(1, {"0": "y"})) == Done(1)
    assert code(alice.ask(AddAttributes(1, {"one more": "x"}))) is Code.EXCEED_LIMIT
    assert alice.ask(GetAttributes(1, "alice")) == AttributesOf(1, full | {"0": "y"})


def test_attributes_that_nobody_could_be_told_are_not_kept() -> None:
    bench = Bench()
    alice = bench.user("alice")
    half = {f"{number}": "😀" * 1000 for number in range(15)}
    assert alice.ask(SetAttributes(1, half)) == Done(1)
    assert code(alice.ask(AddAttributes(1, {"b": "😀" * 1000, "c": "😀" * 1000}))) is Code.EXCEED_LIMIT
    assert alice.ask(GetAttributes(1, "alice")) == AttributesOf(1, half)


# --------------------------------------------------------------------------------------------- presence, tokens


def test_who_is_online_is_asked_for_by_name() -> None:
    bench = Bench()
    alice = bench.user("alice")
    bench.user("bob").drop()
    answer = alice.ask(QueryOnline(1, ["bob", "carol", "bob"]))
    assert answer == Online(1, {"bob": True, "carol": False}), "an interrupted user is online"


def test_a_new_token_tells_how_long_it_lives() -> None:
    bench = Bench()
    alice = bench.user("alice")
    assert alice.ask(RenewToken(1, token("alice", expires_in_s=7.5))) == Done(1, token_expires_in_s=7.5)
    assert alice.ask(RenewToken(1, token("alice"))) == Done(1)


@pytest.mark.parametrize(
    ("renewed", "refused_with"),
    [
        ("invalid_token", Code.INVALID_TOKEN),
        ("token_expired", Code.TOKEN_EXPIRED),
        (token("bob"), Code.NOT_AUTHORIZED),
        (token("alice", "other"), Code.NOT_AUTHORIZED),
    ],
)
def test_a_token_that_is_no_good_is_not_taken_and_the_session_goes_on(renewed: str, refused_with: Code) -> None:
    bench = Bench()
    alice = bench.user("alice")
    assert code(alice.ask(RenewToken(1, renewed))) is refused_with
    alice.ping()


def test_a_token_that_expires_while_connected_is_not_the_servers_business() -> None:
    bench = Bench()
    wire = bench.connect()
    wire.log_in("alice", with_token=token("alice", expires_in_s=1))
    bench.wait(5, awake=(wire,))
    assert wire.is_open()
    assert wire.take() == []


# ------------------------------------------------------------------------------------------------------- limits


def test_too_many_requests_are_refused_and_the_connection_lives_on() -> None:
    bench = Bench(ServerLimits(requests_per_s=10, requests_burst=3))
    alice = bench.user("alice")
    ask = GetMembers(1, "lobby")
    assert [alice.ask(ask) for _ in range(3)] == [Members(1, [])] * 3
    assert alice.ask(ask) == Failed(1, Code.TOO_OFTEN, "more than 10 requests a second")
    alice.ping()
    bench.wait(0.1)
    assert alice.ask(ask) == Members(1, [])
    assert code(alice.ask(ask)) is Code.TOO_OFTEN


def test_a_rate_limit_allows_its_burst_and_then_its_rate() -> None:
    limit = RateLimit(per_s=10, burst=5)
    taken = sum(limit.take(START_NS + tick * NS_PER_S // 1000) for tick in range(2000))
    assert taken == 5 + 19
    assert sum(limit.take(START_NS + 60 * NS_PER_S) for _ in range(10)) == 5


def test_a_bounded_record_forgets_what_came_first() -> None:
    record: BoundedRecord[str, int] = BoundedRecord(2)
    record.put("a", 1)
    record.put("b", 2)
    record.put("a", 3)
    assert (record.get("a"), record.get("b")) == (3, 2)
    record.put("c", 4)
    assert (record.get("a"), record.get("b"), record.get("c")) == (None, 2, 4)
    assert (record.pop("b"), record.pop("b")) == (2, None)
