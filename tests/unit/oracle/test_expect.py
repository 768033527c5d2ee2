from __future__ import annotations

import msgspec
import pytest

from harness.oracle.expect import (
    AT_ONCE_S,
    AnyOrder,
    Nothing,
    OneOf,
    Step,
    Window,
    answer,
    any_order,
    callback,
    from_data,
    nothing,
    one_of,
    state,
    to_data,
)
from tests.unit.oracle.story import Moment

CUT = Moment(100, 200)


def test_the_words_of_a_scenario_are_data() -> None:
    switched = Step("onConnectionStateChanged", {"state": "ABORTED", "reason": "REMOTE_LOGIN"}, ("CONNECTED-5",))
    assert state("ABORTED", "REMOTE_LOGIN", "CONNECTED-5") == switched
    assert callback("onLogout", "OPEN-15", code="OK") == Step("onLogout", {"code": "OK"}, ("OPEN-15",))
    assert answer("getMembers", members=["bob"]) == Step("getMembers", {"members": ["bob"]})
    assert any_order(switched, switched) == AnyOrder((switched, switched))
    assert one_of("OPEN-10", none=(), one=(switched,)) == OneOf("OPEN-10", {"none": (), "one": (switched,)})
    assert nothing("CONNECTED-4", "OPEN-3") == Nothing(("CONNECTED-4", "OPEN-3"))


def test_a_time_counts_from_the_whole_moment_of_its_cause() -> None:
    assert callback("onLogout").at(4.0, after=CUT, early="heartbeat", late="heartbeat retry").window == Window(
        100, 200, 4.0, 4.0, ("heartbeat",), ("heartbeat", "retry")
    )
    assert callback("onLogout").within(0.0, 1.5, after=CUT).window == Window(100, 200, 0.0, 1.5)


def test_at_once_is_a_time_too() -> None:
    assert AT_ONCE_S == 0.2
    assert callback("onLogout").at_once(after=CUT).window == Window(100, 200, 0.0, 0.2)
    assert callback("onLogout").at_once(after=CUT, late="retry").window == Window(100, 200, 0.0, 0.2, (), ("retry",))


def test_a_timed_step_is_another_step_and_the_first_stays_as_it_was() -> None:
    step = callback("onLogout", "OPEN-15", code="OK")
    timed = step.at(1.0, after=CUT)
    assert step.window is None
    assert (timed.name, timed.args, timed.clauses) == (step.name, step.args, step.clauses)


def test_nothing_is_due_after_something_that_never_happened() -> None:
    said = "^onLogout is due after what has not happened: a fault that was never healed\\?$"
    for timed in (callback("onLogout").at_once, lambda *, after: callback("onLogout").at(1.0, after=after)):
        with pytest.raises(ValueError, match=said):
            timed(after=None)


@pytest.mark.parametrize("side", ["early", "late"])
def test_a_margin_that_nobody_declares_is_refused(side: str) -> None:
    with pytest.raises(ValueError, match=r"no margin is called \['jitter'\]"):
        callback("onLogout").within(1.0, 2.0, after=CUT, **{side: "heartbeat jitter"})


def test_an_alternative_accepts_something() -> None:
    with pytest.raises(ValueError, match="accepts no answer at all"):
        one_of("OPEN-10")


def test_what_is_no_expectation_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        from_data([{"type": "sometimes"}])


def test_an_expectation_survives_being_stored_as_json() -> None:
    nodes = (callback("onLogout", "OPEN-15", code="OK").at(1.5, after=CUT, late="retry"), nothing("OPEN-3"))
    assert from_data(msgspec.json.decode(msgspec.json.encode(to_data(nodes)))) == nodes
