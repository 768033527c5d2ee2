from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from harness.errors import AdapterError
from harness.oracle.expect import callback, from_data, state
from harness.trace import Observation, What
from harness.world.engine import Moment
from harness.world.phrases import LOGGED_IN
from harness.world.virtual_loop import START_NS, passed_s
from harness.world.world import PATIENCE_S, LackingError, Person, UnseenError, Waiting, World
from tests.unit.world.fake_engine import FakeEngine
from tests.unit.world.world_rig import S, kinds, played, the

# ------------------------------------------------------------------------------------------ people


def test_a_world_begins_with_its_scenario_and_what_that_sets_out_to_prove() -> None:
    async def body(world: World) -> None:
        assert world.now_ns() == START_NS

    told = {"clauses": ["CONNECTED-1"], "phase": "idle", "attempt": 1, "profile": "rtm-1.0", "repetition": 0}
    scenario = Observation(START_NS, "scenario", What.SCENARIO, "test_scenario", told)
    assert played(body).trace == [scenario]


def test_a_person_has_a_link_and_a_client_that_declares_itself_and_nothing_else_yet() -> None:
    async def body(world: World) -> None:
        alice = await world.person("alice")
        assert (alice.name, alice.uid, alice.link.name) == ("alice", "alice", "alice")

    world = played(body)
    assert kinds(world)[1:] == ["declared sdk"]
    declared = the(world, What.DECLARED)
    assert declared.source == "alice"
    assert {"heartbeat_s": 0.5, "retry_s": 1.0, "clock_error_ns": 1000}.items() <= declared.args.items()


def test_somebody_online_has_logged_in_as_themselves_and_joined_their_channels() -> None:
    engine = FakeEngine()
    engine.says["join"] = ((0.2, "onJoinSuccess", {"channel": "lobby"}),)

    async def body(world: World) -> None:
        await world.online("first", uid="alice", channels=["lobby"], expires_in_s=9)
        assert passed_s() == pytest.approx(0.3)

    world = played(body, engine)
    login = {"uid": "alice", "token": "token of alice for 9"}
    assert engine.clients["first"].calls == [("login", login), ("join", {"channel": "lobby"})]
    assert kinds(world)[2:] == [
        "call login",
        "return login",
        "callback onConnectionStateChanged",
        "callback onLoginSuccess",
        "callback onConnectionStateChanged",
        "call join",
        "return join",
        "callback onJoinSuccess",
    ]


def test_a_callback_is_recorded_with_published_names_and_both_of_its_times() -> None:
    async def body(world: World) -> None:
        await world.online("alice")

    seen = [each for each in played(body).trace if each.what is What.CALLBACK][-1]
    args = {"state": "CONNECTED", "reason": "LOGIN_SUCCESS"}
    assert (seen.source, seen.args, (seen.arrived_ns or 0) - seen.at_ns) == ("alice", args, 7)


def test_whoever_has_no_client_yet_can_make_no_call() -> None:
    async def body(world: World) -> None:
        link = (await world.person("bob")).link
        with pytest.raises(RuntimeError, match="alice has no client yet"):
            await Person(world, "alice", "alice", link).login()

    played(body)


# ------------------------------------------------------------------------------------------ calls


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        (lambda p: p.login("given"), ("login", {"uid": "alice", "token": "given"})),
        (lambda p: p.logout(), ("logout", {})),
        (lambda p: p.renew_token(expires_in_s=3), ("renewToken", {"token": "token of alice for 3"})),
        (lambda p: p.leave("lobby"), ("leave", {"channel": "lobby"})),
        (lambda p: p.send("hi", channel="lobby"), ("sendToChannel", {"channel": "lobby", "text": "hi"})),
        (lambda p: p.send("hi", peer="bob"), ("sendToPeer", {"peer": "bob", "text": "hi"})),
        (lambda p: p.set_attributes(mood="good"), ("setAttributes", {"attributes": {"mood": "good"}})),
        (lambda p: p.get_attributes("bob"), ("getAttributes", {"uid": "bob"})),
        (lambda p: p.get_members("lobby"), ("getMembers", {"channel": "lobby"})),
        (lambda p: p.query_online("bob", "carol"), ("queryOnline", {"uids": ["bob", "carol"]})),
        (
            lambda p: p.reacts("onLogout", "join", channel="lobby"),
            ("react", {"callback": "onLogout", "call": "join", "args": {"channel": "lobby"}}),
        ),
        (lambda p: p.raises_in("onLogout"), ("react", {"callback": "onLogout", "call": "", "args": {}})),
    ],
)
def test_what_a_person_does_is_a_call_of_the_contract(call: Callable[[Any], Awaitable[object]], sent: object) -> None:
    engine = FakeEngine()

    async def body(world: World) -> None:
        await call(await world.person("alice"))

    world = played(body, engine)
    assert engine.clients["alice"].calls == [sent]
    assert (the(world, What.CALL).name, the(world, What.CALL).args) == sent


@pytest.mark.parametrize(
    ("call", "result", "shown"),
    [
        ("login", {"code": 0}, {"code": "OK"}),
        ("login", {"code": 8}, {"code": "ALREADY_LOGGED_IN"}),
        ("login", {"code": 8, "message": "told"}, {"code": "ALREADY_LOGGED_IN"}),
        ("login", {"code": 0, "message": "told"}, {"code": "OK"}),
        ("getMembers", {"code": 0, "members": ["a"], "took_ms": 3}, {"members": ["a"]}),
        ("login", {"code": True}, {"code": "<True>"}),
        ("logout", {"code": 102}, {"code": "USER_NOT_LOGGED_IN"}),
        ("sendToPeer", {"code": 0}, {"code": "OK"}),
        ("sendToPeer", {"code": 3}, {"code": 3}),
        ("getMembers", {"code": 0, "members": ["a"]}, {"members": ["a"]}),
        ("getMembers", {"code": 1, "members": []}, {"code": 1}),
        # What is no int is no 0, though Python takes it for one.
        ("sendToPeer", {"code": False}, {"code": False}),
        ("sendToPeer", {"code": 0.0}, {"code": 0.0}),
        ("getMembers", {"code": None, "members": ["a"]}, {"code": None}),
        ("queryOnline", {"code": "0", "online": {}}, {"code": "0"}),
    ],
)
def test_an_answer_is_its_values_or_else_its_code(call: str, result: dict[str, Any], shown: dict[str, Any]) -> None:
    engine = FakeEngine()
    engine.answers[call] = result

    async def body(world: World) -> None:
        called = await (await world.person("alice")).call(call)
        assert called.values == shown
        assert called.t0_ns <= called.t1_ns

    returned = the(played(body, engine), What.RETURN)
    assert (returned.name, returned.args, (returned.arrived_ns or 0) - returned.at_ns) == (call, shown, 7)


@pytest.mark.parametrize("result", [{}, {"members": ["a"]}, {"Code": 0}])
def test_an_answer_without_its_code_is_a_mistake_of_the_adapter(result: dict[str, Any]) -> None:
    engine = FakeEngine()
    engine.answers["getMembers"] = result

    async def body(world: World) -> None:
        with pytest.raises(AdapterError) as raised:
            await (await world.person("alice")).get_members("lobby")
        assert raised.value.found.endswith(f"alice: getMembers was answered with {result!r}")
        assert raised.value.why.startswith("the result of a call carries its code: the published number, 0 for 'ok'")

    assert "return getMembers" not in kinds(played(body, engine))


def test_what_an_implementation_does_not_declare_is_not_asked_of_it() -> None:
    engine = FakeEngine()
    engine.capabilities = ["channels"]

    async def body(world: World) -> None:
        alice = await world.person("alice")
        await alice.join("lobby")
        with pytest.raises(LackingError):
            await alice.set_attributes(mood="good")

    world = played(body, engine)
    assert [name for name, _ in engine.clients["alice"].calls] == ["join"]
    assert the(world, What.LACKING).args == {"text": "sdk does not declare the capability 'attributes'"}


@pytest.mark.parametrize("reaction", [lambda p: p.reacts("onLogout", "login"), lambda p: p.raises_in("onLogout")])
def test_whoever_cannot_be_made_to_react_lacks_that(reaction: Callable[[Any], Awaitable[object]]) -> None:
    engine = FakeEngine()
    engine.capabilities = ["channels"]

    async def body(world: World) -> None:
        with pytest.raises(LackingError):
            await reaction(await world.person("alice"))

    assert the(played(body, engine), What.LACKING).args == {"text": "sdk does not declare the capability 'reactions'"}
    assert engine.clients["alice"].calls == []


def test_what_an_implementation_answers_with_unsupported_it_lacks() -> None:
    engine = FakeEngine()
    engine.answers["getMembers"] = "unsupported"

    async def body(world: World) -> None:
        with pytest.raises(LackingError):
            await (await world.person("alice")).get_members("lobby")

    lacking = the(played(body, engine), What.LACKING)
    assert (lacking.source, lacking.args["text"]) == ("alice", "sdk answered 'getMembers' with 'unsupported'")


@pytest.mark.parametrize("answer", ["it crashed", None])
def test_any_other_error_is_the_adapters(answer: str | None) -> None:
    engine = FakeEngine()
    engine.answers["logout"] = answer

    async def body(world: World) -> None:
        with pytest.raises(AdapterError, match="alice: logout was answered with"):
            await (await world.person("alice")).logout()

    assert "return logout" not in kinds(played(body, engine))


# ------------------------------------------------------------------------------------------ seeing


def test_waiting_for_a_callback_ends_when_it_comes_and_says_when_it_was_made() -> None:
    async def body(world: World) -> None:
        alice = await world.person("alice")
        await alice.login()
        seen = await alice.sees(callback("onLoginSuccess"))
        assert (seen, passed_s()) == (Moment(START_NS + S // 10, START_NS + S // 10), 0.1)
        assert world.waiting == Waiting("waiting for alice to see onLoginSuccess()", START_NS + round(PATIENCE_S * S))

    played(body)


def test_what_came_before_it_was_waited_for_is_seen_at_once_and_only_once() -> None:
    engine = FakeEngine()
    engine.says["login"] = ((0.1, "onTokenExpired", {}), (0.2, "onTokenExpired", {}))

    async def body(world: World) -> None:
        alice = await world.person("alice")
        await alice.login()
        await world.sleep(3)
        moments = [await alice.sees(callback("onTokenExpired")) for _ in range(2)]
        assert [(moment.t0_ns - START_NS) / S for moment in moments] == [0.1, 0.2]
        assert passed_s() == 3
        with pytest.raises(UnseenError):
            await alice.sees(callback("onTokenExpired"))

    played(body, engine)


@pytest.mark.parametrize("within_s", [PATIENCE_S, 0.5])
def test_what_never_comes_is_waited_for_that_long_and_no_longer_and_recorded(within_s: float) -> None:
    awaited = state("ABORTED", "REMOTE_LOGIN", "CONNECTED-5")

    async def body(world: World) -> None:
        alice = await world.person("alice")
        await alice.login()
        with pytest.raises(UnseenError, match="alice did not see ABORTED / REMOTE_LOGIN"):
            await alice.sees(awaited, within_s=within_s)
        assert passed_s() == within_s

    recorded = the(played(body), What.AWAITED)
    assert (recorded.source, recorded.args["within_s"]) == ("alice", within_s)
    assert from_data([recorded.args["step"]]) == (awaited,)


def test_what_a_person_is_to_have_seen_is_written_down_as_data() -> None:
    async def body(world: World) -> None:
        (await world.person("alice")).saw(*LOGGED_IN)

    expected = the(played(body), What.EXPECTED)
    assert (expected.source, from_data(expected.args["sequence"])) == ("alice", LOGGED_IN)


def test_a_token_that_expires_lives_from_its_issue_on_however_late_the_call_is_made() -> None:
    class BusyEngine(FakeEngine):
        lost_ns = 0

        def now_ns(self) -> int:
            return super().now_ns() + self.lost_ns

        def token(self, uid: str, expires_in_s: float | None) -> str:
            self.lost_ns += S // 4  # the host does something else for a moment
            return super().token(uid, expires_in_s)

    async def body(world: World) -> None:
        alice = await world.person("alice")
        began_ns = world.now_ns()
        assert (await alice.login(expires_in_s=2.0)).t0_ns == began_ns
        token, began_ns = world.token("alice", 3.0), world.now_ns() - S // 4
        assert (await alice.renew_token(token)).t0_ns == began_ns
        began_ns = world.now_ns()
        assert (await alice.renew_token()).t0_ns == began_ns + S // 4

    played(body, BusyEngine())
