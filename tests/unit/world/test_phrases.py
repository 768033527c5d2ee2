"""The shared sequences, held against what may have been seen: literally, and in both orders where both are accepted."""

from __future__ import annotations

import pytest

from harness.oracle.expect import AT_ONCE_S, Node
from harness.oracle.verdict import Verdict
from harness.world.phrases import (
    ALICE_JOINED_LOBBY,
    JOINED_LOBBY,
    LOGGED_IN,
    logged_out,
    logged_out_at_once,
    login_failed,
)
from tests.unit.oracle.story import Story

RESULT, SWITCH = ("onLoginSuccess",), ("CONNECTED", "LOGIN_SUCCESS")
Said = tuple[str, ...]


def tell(story: Story, at_s: float, *said: Said) -> None:
    """A switch is told by two words, a callback by one, or by its name, the name of an argument and that."""
    for words in said:
        match words:
            case (to, reason):
                story.switched(at_s, to, reason)
            case (name,):
                story.said(at_s, name)
            case (name, *pairs):
                story.said(at_s, name, **dict(zip(pairs[::2], pairs[1::2], strict=True)))


def passes(*said: Said, expected: tuple[Node, ...], at_s: float = 1.0, calls: Said = ("login",)) -> bool:
    story = Story("OPEN-15")
    story.declared()
    for name in calls:
        story.called(0.5, name, token="t")
        story.returned(0.6, name, code="OK")
    tell(story, at_s, *said)
    return story.expects(*expected).judged().verdict is Verdict.PASS


@pytest.mark.parametrize("said", [(RESULT, SWITCH), (SWITCH, RESULT)])
def test_a_login_that_succeeds_tells_its_result_right_before_its_switch_or_right_after(said: tuple[Said, Said]) -> None:
    assert passes(("CONNECTING", "LOGIN"), *said, expected=LOGGED_IN)


@pytest.mark.parametrize(
    "said",
    [
        (("CONNECTING", "LOGIN"), SWITCH),
        (("CONNECTING", "LOGIN"), RESULT),
        (SWITCH, RESULT),
        (RESULT, ("CONNECTING", "LOGIN"), SWITCH),
    ],
)
def test_a_login_that_succeeds_lacks_nothing_of_it(said: tuple[Said, ...]) -> None:
    assert not passes(*said, expected=LOGGED_IN)


def test_joining_the_lobby_comes_after_the_login() -> None:
    joined = ("onJoinSuccess", "channel", "lobby")
    assert passes(("CONNECTING", "LOGIN"), RESULT, SWITCH, joined, expected=JOINED_LOBBY)
    assert not passes(("CONNECTING", "LOGIN"), joined, RESULT, SWITCH, expected=JOINED_LOBBY)


FAILED = ("onLoginFailure", "code", "TIMEOUT"), ("DISCONNECTED", "LOGIN_TIMEOUT")


@pytest.mark.parametrize("order", [1, -1])
def test_a_login_that_fails_does_so_in_both_orders_and_names_its_clauses_for_both(order: int) -> None:
    expected = login_failed("TIMEOUT", "LOGIN_TIMEOUT", "CONNECTING-5")
    assert passes(("CONNECTING", "LOGIN"), *FAILED[::order], expected=(LOGGED_IN[0], expected))
    assert [step.clauses for step in expected.steps] == [("CONNECTING-5",)] * 2


OUT = ("onLogout", "code", "OK"), ("DISCONNECTED", "LOGOUT")


@pytest.mark.parametrize("order", [1, -1])
def test_a_logout_that_succeeds_does_so_in_both_orders(order: int) -> None:
    said = (("CONNECTING", "LOGIN"), RESULT, SWITCH, *OUT[::order])
    expected = logged_out("CONNECTED-6")
    assert passes(*said, expected=(*LOGGED_IN, expected), calls=("login", "logout"))
    assert not passes(*said[:-1], expected=(*LOGGED_IN, expected), calls=("login", "logout"))
    assert [step.clauses for step in expected.steps] == [("CONNECTED-6",)] * 2
    assert all(step.window is None for step in expected.steps)


def test_an_immediate_logout_is_the_same_and_due_at_once_after_the_call() -> None:
    call = Story().called(3, "logout")
    timed = logged_out_at_once(call, "OPEN-16")
    assert [(step.name, step.args, step.clauses) for step in timed.steps] == [
        (step.name, step.args, step.clauses) for step in logged_out("OPEN-16").steps
    ]
    windows = [step.window for step in timed.steps if step.window is not None]
    assert [(each.from_ns, each.earliest_s, each.latest_s) for each in windows] == [(call.t0_ns, 0.0, AT_ONCE_S)] * 2


def test_what_others_see_of_alices_coming_names_nobody_else() -> None:
    assert (ALICE_JOINED_LOBBY.name, ALICE_JOINED_LOBBY.args) == (
        "onMemberJoined",
        {"channel": "lobby", "member": "alice"},
    )
