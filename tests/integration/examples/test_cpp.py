"""The C++ example over its fake SDK, built with sanitizers: each callback, call, reaction, race and end."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.examples.cpp_rig import (
    COMPILE_S,
    ENVIRONMENT,
    EXAMPLE,
    TOOLS,
    Talk,
    answers,
    build,
    hold,
    run,
    say,
)
from tests.integration.examples.example_rig import need

pytestmark = pytest.mark.timeout(3 * COMPILE_S)  # the first test of a build waits for the compiler

CREATE = '{"id": 1, "call": "create", "args": {"url": "ws://127.0.0.1:9", "app_id": "1-cpp"}}'
LOGGED_IN = [
    ("onConnectionStateChanged", {"state": 2, "reason": 1}),
    ("onLoginSuccess", {}),
    ("onConnectionStateChanged", {"state": 3, "reason": 2}),
]
LOGGED_OUT = [("onLogout", {"code": 0}), ("onConnectionStateChanged", {"state": 1, "reason": 6})]


@pytest.fixture(scope="module", params=["address,undefined", "thread"])
def binary(request: pytest.FixtureRequest) -> Path:
    need("C++", *TOOLS)
    made = build(EXAMPLE / "build" / request.param.replace(",", "-"), f"-DSANITIZE={request.param}")
    tried = say(made)
    if tried.returncode != 0:
        pytest.skip(f"the sanitizer '{request.param}' does not run on this machine: {tried.stderr}")
    return made


def test_a_login_and_a_logout_are_called_back_in_order(binary: Path, tmp_path: Path) -> None:
    async def talk_over(talk: Talk) -> None:
        assert await talk.code("logout") == 102
        await talk.log_in()
        assert await talk.code("login", token="good", uid="alice") == 8
        assert await talk.code("logout") == 0
        await talk.sees("onConnectionStateChanged", state=1, reason=6)

    talk = hold(binary, tmp_path, talk_over)
    assert talk.events() == LOGGED_IN + LOGGED_OUT
    stamps = [event.at_ns for event, _ in talk.seen]
    assert stamps == sorted(stamps), "one thread called back all of these"


def test_a_refused_login_and_what_becomes_of_tokens(binary: Path, tmp_path: Path) -> None:
    async def talk_over(talk: Talk) -> None:
        assert await talk.code("login", token="", uid="alice") == 3
        assert await talk.code("login", token="refused", uid="alice") == 0
        await talk.sees("onConnectionStateChanged", state=1, reason=3)
        assert await talk.code("login", token="expiring", uid="alice") == 0
        await talk.sees("onTokenExpired")
        assert await talk.code("renewToken", token="refused") == 0
        assert await talk.code("renewToken", token="good") == 0
        await talk.sees("onRenewTokenResult", token="good", code=0)

    assert hold(binary, tmp_path, talk_over).events() == [
        ("onConnectionStateChanged", {"state": 2, "reason": 1}),
        ("onLoginFailure", {"code": 5}),
        ("onConnectionStateChanged", {"state": 1, "reason": 3}),
        *LOGGED_IN,
        ("onTokenExpired", {}),
        ("onRenewTokenResult", {"token": "refused", "code": 6}),
        ("onRenewTokenResult", {"token": "good", "code": 0}),
    ]


def test_a_channel_from_join_to_leave(binary: Path, tmp_path: Path) -> None:
    async def talk_over(talk: Talk) -> None:
        assert await talk.code("join", channel="lobby") == 102
        await talk.log_in()
        assert await talk.result("getMembers", channel="lobby") == {"code": 5, "members": []}
        assert await talk.code("sendToChannel", channel="lobby", text="hello?") == 1
        assert await talk.code("join", channel="lobby") == 0
        assert await talk.code("join", channel="lobby") == 0
        await talk.sees("onJoinFailure", channel="lobby", code=6)
        assert await talk.code("sendToPeer", peer="echo", text="/come lobby") == 0
        await talk.sees("onMemberJoined", channel="lobby", member="echo")
        assert await talk.result("getMembers", channel="lobby") == {"code": 0, "members": ["alice", "echo"]}
        assert await talk.code("sendToChannel", channel="lobby", text="hello") == 0
        await talk.sees("onMessageReceived", channel="lobby", member="echo", text="hello")
        assert await talk.code("sendToChannel", channel="lobby", text="/go") == 0
        await talk.sees("onMemberLeft", channel="lobby", member="echo")
        assert await talk.code("leave", channel="lobby") == 0
        assert await talk.code("leave", channel="lobby") == 0
        await talk.sees("onLeave", channel="lobby", code=3)

    assert hold(binary, tmp_path, talk_over).events() == [
        *LOGGED_IN,
        ("onJoinSuccess", {"channel": "lobby"}),
        ("onJoinFailure", {"channel": "lobby", "code": 6}),
        ("onMemberJoined", {"channel": "lobby", "member": "echo"}),
        ("onMessageReceived", {"channel": "lobby", "member": "echo", "text": "hello"}),
        ("onMemberLeft", {"channel": "lobby", "member": "echo"}),
        ("onLeave", {"channel": "lobby", "code": 0}),
        ("onLeave", {"channel": "lobby", "code": 3}),
    ]


@pytest.mark.parametrize("text", ["hello", 'a "quoted" \\ \n\t\x01 line', "grüße, 你好, 🎈", "x" * 900_000], ids=len)
def test_a_text_arrives_as_it_was_sent(binary: Path, tmp_path: Path, text: str) -> None:
    async def talk_over(talk: Talk) -> None:
        await talk.log_in()
        assert await talk.code("sendToPeer", peer="nobody", text=text) == 3
        for peer in ("alice", "echo"):
            assert await talk.code("sendToPeer", peer=peer, text=text) == 0
            await talk.sees("onMessageReceivedFromPeer", peer=peer, text=text)

    assert len(hold(binary, tmp_path, talk_over).seen) == len(LOGGED_IN) + 2


def test_attributes_and_presence(binary: Path, tmp_path: Path) -> None:
    async def talk_over(talk: Talk) -> None:
        assert await talk.code("setAttributes", attributes={"mood": "good"}) == 102
        await talk.log_in()
        assert await talk.code("setAttributes", attributes={"mood": "good", "place": "here"}) == 0
        assert await talk.code("addAttributes", attributes={"place": "there", "": ""}) == 0
        assert await talk.code("deleteAttributes", keys=["mood", "none"]) == 0
        left = {"code": 0, "attributes": {"place": "there", "": ""}}
        assert await talk.result("getAttributes", uid="alice") == left
        assert await talk.result("getAttributes", uid="nobody") == {"code": 6, "attributes": {}}
        online = {"alice": True, "echo": True, "nobody": False}
        assert await talk.result("queryOnline", uids=list(online)) == {"code": 0, "online": online}
        assert await talk.result("queryOnline", uids=[]) == {"code": 0, "online": {}}

    assert hold(binary, tmp_path, talk_over).events() == LOGGED_IN


def test_a_call_is_made_inside_its_callback_once_for_each_request(binary: Path, tmp_path: Path) -> None:
    async def talk_over(talk: Talk) -> None:
        for call, args in (("join", {"channel": "lobby"}), ("logout", {})):
            assert await talk.code("react", callback="onLoginSuccess", call=call, args=args) == 0
        assert await talk.code("react", callback="onLogout", call="login", args={"token": "t", "uid": "bob"}) == 0
        await talk.log_in()  # joins in its callback
        await talk.sees("onJoinSuccess", channel="lobby")
        assert await talk.code("logout") == 0  # logs in again in its callback, and there logs out
        for _ in range(2):
            await talk.sees("onConnectionStateChanged", state=1, reason=6)

    talk = hold(binary, tmp_path, talk_over)
    connection = [event for event in talk.events() if event[0] != "onJoinSuccess"]
    switch = [("onConnectionStateChanged", {"state": state, "reason": reason}) for state, reason in ((2, 1), (3, 2))]
    assert connection == [*LOGGED_IN, LOGGED_OUT[0], LOGGED_OUT[1], switch[0], LOGGED_IN[1], switch[1], *LOGGED_OUT]
    assert ("onJoinSuccess", {"channel": "lobby"}) in talk.events()
    said = talk.log()
    assert said.count("fake SDK, app: login()") == said.count("fake SDK, service: login()") == 1
    assert said.count("fake SDK, app: logout()") == said.count("fake SDK, service: logout()") == 1


def test_an_exception_goes_through_to_the_sdk(binary: Path, tmp_path: Path) -> None:
    async def talk_over(talk: Talk) -> None:
        for callback in ("onConnectionStateChanged", "onJoinSuccess"):
            assert await talk.code("react", callback=callback, call="", args={}) == 0
        await talk.log_in()
        assert await talk.code("join", channel="lobby") == 0
        await talk.sees("onJoinSuccess", channel="lobby")
        assert await talk.code("leave", channel="lobby") == 0
        await talk.sees("onLeave", channel="lobby", code=0)

    talk = hold(binary, tmp_path, talk_over)
    assert talk.events()[:3] == LOGGED_IN, "it was reported first, and broke nothing"
    for thread, callback in (("service", "onConnectionStateChanged"), ("channels", "onJoinSuccess")):
        assert f"fake SDK, {thread}: the app raised: raised in {callback}, as it was asked for" in talk.log()


def test_many_calls_at_once_are_each_given_their_own_outcome(binary: Path, tmp_path: Path) -> None:
    async def talk_over(talk: Talk) -> None:
        await talk.log_in()
        assert await talk.code("join", channel="lobby") == 0
        await talk.sees("onJoinSuccess", channel="lobby")
        assert await talk.code("sendToPeer", peer="echo", text="/come lobby") == 0
        await talk.sees("onMemberJoined", channel="lobby", member="echo")
        asked = []
        for number in range(60):
            asked += [
                talk.result("queryOnline", uids=[f"user {number}"]),
                talk.result("sendToChannel", channel="lobby", text=f"{number}"),
                talk.result("sendToPeer", peer="echo" if number % 2 else "nobody", text=f"{number}"),
                talk.result("getMembers", channel="lobby" if number % 2 else f"empty {number}"),
            ]
        came = await asyncio.gather(*asked)
        for number in range(60):
            online, sent, told, members = came[4 * number : 4 * number + 4]
            assert online == {"code": 0, "online": {f"user {number}": False}}
            assert sent == {"code": 0}
            assert told == {"code": 0 if number % 2 else 3}
            assert members == ({"code": 0, "members": ["alice", "echo"]} if number % 2 else {"code": 5, "members": []})
        await talk.sees("onMessageReceived", channel="lobby", member="echo", text="59")
        await talk.sees("onMessageReceivedFromPeer", peer="echo", text="59")

    talk = hold(binary, tmp_path, talk_over)
    for name, sent in (("onMessageReceived", range(60)), ("onMessageReceivedFromPeer", range(1, 60, 2))):
        texts = [args["text"] for event, args in talk.events() if event == name]
        assert texts == [str(number) for number in sent]


def test_the_end_of_its_input_ends_it_whatever_is_under_way(binary: Path) -> None:
    login = '{"id": 2, "call": "login", "args": {"token": "t", "uid": "alice"}}'
    again = '{"id": 3, "call": "react", "args": {"callback": "onLogout", "call": "", "args": {}}}'
    for lines in ((), (CREATE,), (CREATE, login), (CREATE, again, login, '{"id": 4, "call": "logout", "args": {}}')):
        done = say(binary, *lines)
        assert done.returncode == 0, done.stderr
        messages = [json.loads(line) for line in done.stdout.splitlines()]
        assert len([message for message in messages if "id" in message]) == len(lines)


def test_what_the_sdk_prints_is_kept_off_standard_output(binary: Path) -> None:
    done = say(binary, CREATE, '{"id": 2, "call": "login", "args": {"token": "t", "uid": "alice"}}')
    assert "fake SDK, app: login()" in done.stderr
    assert "fake SDK" not in done.stdout


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('{"id": 2, "call": "login", "args": {"token": "t"}}', "'uid' is missing, or is not a string"),
        ('{"id": 2, "call": "login", "args": {"token": 5, "uid": "a"}}', "'token' is missing, or is not a string"),
        ('{"id": 2, "call": "login", "args": {"token": "t\\u0000t", "uid": "a"}}', "a string with a NUL in it"),
        ('{"id": 2, "call": "login", "args": []}', "'args' is missing, or is not an object"),
        ('{"id": 2, "call": "queryOnline", "args": {"uids": ["a", 1]}}', "'uids' is not a list of strings"),
        ('{"id": 2, "call": "setAttributes", "args": {"attributes": {"a": null}}}', "is not an object of strings"),
        ('{"id": 2, "call": "join", "args": {"channel": ""}}', "createChannel() returned null for ''"),
        ('{"id": 2, "call": "react", "args": {"callback": "onRain", "call": ""}}', "there is no callback 'onRain'"),
        ('{"id": 2, "call": "react", "args": {"callback": "onLogout", "call": "react"}}', "unsupported"),
        (CREATE.replace('"id": 1', '"id": 2'), "there is a client already"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_an_error(binary: Path, line: str, error: str) -> None:
    created, refused, clock = answers(binary, CREATE, line, '{"id": 3, "call": "clock", "args": {}}')
    assert created["result"] == {}
    assert refused["id"] == 2
    assert error in refused["error"]
    assert clock["result"]["now_ns"] == clock["at_ns"]


def test_what_comes_before_create_and_a_create_that_fails(binary: Path) -> None:
    join = '{"id": 1, "call": "join", "args": {"channel": "lobby"}}'
    failing = CREATE.replace("1-cpp", "").replace('"id": 1', '"id": 2')
    early, failed, created = answers(binary, join, failing, CREATE.replace('"id": 1', '"id": 3'))
    assert early["error"] == "join came before create"
    assert failed["error"] == "initialize() returned 3"
    assert created["result"] == {}, "it may be tried again"


@pytest.mark.parametrize("number", ["0", "-7", "123456789012345678901234567890", "1.50e+3"])
def test_an_id_comes_back_as_it_came(binary: Path, number: str) -> None:
    done = say(binary, f' {{ "call" : "clock" , "args" : {{ }} , "more" : [ 1 , {{ }} , [ ] ] , "id" : {number} }} ')
    assert f'"id": {number},' in done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        "{}",
        "[1]",
        '{"id": 1, "call": "clock"',
        '{"id": 1} {}',
        '{"id": 01}',
        '{"id": 1, "call": "\\ud800"}',
        '{"id": 1, "call": "\\x"}',
        '{"id": 1, "call": "\t"}',
        '{"id": 1, "call": tru}',
        "[" * 500_000,
    ],
    ids=range(12),
)
def test_a_line_that_is_no_request_ends_it_with_2(binary: Path, line: str) -> None:
    done = say(binary, line, CREATE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("linkproof-example-cpp: not a request: expected ")


def test_it_keeps_to_the_contract(binary: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main()", "adapter", "check", str(binary)],
        capture_output=True,
        text=True,
        timeout=120.0,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "it keeps to the contract" in done.stdout


def test_it_is_linked_with_a_library_and_built_against_that_librarys_header(tmp_path: Path) -> None:
    need("C++", *TOOLS)
    header, library = tmp_path / "sdk" / "IAgoraRtmService.h", tmp_path / "sdk" / "libsdk.so"
    header.parent.mkdir()
    # A header of another place and with more in it: a method before all others moves the rest.
    ours = (EXAMPLE / "include" / "IAgoraRtmService.h").read_text(encoding="utf-8")
    wanted = "  virtual int initialize("
    assert ours.count(wanted) == 1
    header.write_text(
        ours.replace(wanted, f"  virtual int moves_the_rest() {{ return 0; }}\n{wanted}"), encoding="utf-8"
    )
    source = EXAMPLE / "fake" / "service.cpp"
    flags = ("-std=c++17", "-shared", "-fPIC", "-pthread", f"-I{header.parent}")
    made = run("c++", *flags, source, "-o", library)
    assert made.returncode == 0, made.stderr
    binary = build(tmp_path / "build", f"-DSDK_INCLUDE={header.parent}", f"-DSDK_LIBRARY={library}")
    assert str(library) in run("ldd", binary).stdout
    assert "login()" not in binary.read_bytes().decode("latin-1"), "the fake is not in the adapter itself"

    async def talk_over(talk: Talk) -> None:
        await talk.log_in()

    assert hold(binary, tmp_path, talk_over).events() == LOGGED_IN


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("-DSDK_LIBRARY=/no/libsdk.so",), "SDK_INCLUDE: no IAgoraRtmService.h in ''"),
        ((f"-DSDK_INCLUDE={EXAMPLE / 'include'}",), "SDK_LIBRARY: there is no ''"),
    ],
)
def test_half_of_an_sdk_is_refused_before_anything_is_built(tmp_path: Path, options: tuple[str], why: str) -> None:
    need("C++", *TOOLS)
    done = run("cmake", "-S", EXAMPLE, "-B", tmp_path, *options)
    assert done.returncode == 1
    assert why in " ".join(done.stderr.split())
