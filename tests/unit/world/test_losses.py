"""The kinds of loss: the fault that each makes of a link, and the times that follow from its kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.oracle.expect import Step, Window
from harness.world.engine import TO_CLIENT, TO_SERVER, Fault, Moment
from harness.world.losses import EVERY, UNHEARD, VISIBLE, back, healed_in_time_s, interrupted, left, lose
from harness.world.world import Person

INJECTED, HEALED = Moment(1_000, 2_000), Moment(7_000, 9_000)
FAULTS: dict[str, tuple[str, tuple[object, ...], dict[str, object]]] = {
    "cut": ("cut", (), {}),
    "reset": ("reset", (), {}),
    "hang_connects": ("hang_connects", (), {}),
    "truncate": ("truncate", (), {"after_bytes": 10}),
    "blackhole": ("blackhole", (), {}),
    "blackhole_until_closed": ("blackhole", (), {"closes_on_heal": True}),
    "freeze": ("freeze", (), {}),
    "silence_to_server": ("silence", (TO_SERVER,), {}),
    "silence_to_client": ("silence", (TO_CLIENT,), {}),
    "freeze_to_server": ("freeze", (TO_SERVER,), {}),
    "freeze_to_client": ("freeze", (TO_CLIENT,), {}),
}


class FakeFault:
    """A fault that takes effect when it is awaited."""

    injected, healed = INJECTED, HEALED

    def __init__(self) -> None:
        self.effective = False

    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        self.effective = True
        return self


@dataclass
class FakeLink:
    """Puts down what it is asked for."""

    asked: list[tuple[str, tuple[object, ...], dict[str, object]]]

    def __getattr__(self, name: str) -> Callable[..., FakeFault]:
        def make(*args: object, **kwargs: object) -> FakeFault:
            self.asked.append((name, args, kwargs))
            return FakeFault()

        return make


def person(link: FakeLink | None = None, *, heartbeat_s: float = 0.5, retry_s: float = 1.0) -> Person:
    return cast(Person, SimpleNamespace(link=link, heartbeat_s=heartbeat_s, retry_s=retry_s))


LOSS = cast(Fault, FakeFault())


def window_of(step: Step) -> Window:
    assert step.window is not None
    return step.window


def test_every_kind_is_tried_here() -> None:
    assert tuple(FAULTS) == EVERY


@pytest.mark.parametrize("kind", EVERY)
def test_each_kind_makes_its_fault_and_waits_until_that_has_taken_effect(kind: str) -> None:
    link = FakeLink([])
    fault = asyncio.run(lose(person(link), kind))
    assert link.asked == [FAULTS[kind]]
    assert cast(FakeFault, fault).effective


def test_no_other_kind_is_there() -> None:
    with pytest.raises(KeyError):
        asyncio.run(lose(person(FakeLink([])), "flood"))


def test_what_both_ends_see_and_what_the_server_hears_nothing_through() -> None:
    assert set(EVERY) - set(VISIBLE) == {
        "blackhole",
        "blackhole_until_closed",
        "freeze",
        "silence_to_server",
        "silence_to_client",
        "freeze_to_server",
        "freeze_to_client",
    }
    assert set(EVERY) - set(UNHEARD) == {"silence_to_client", "freeze_to_client"}
    assert set(VISIBLE) < set(UNHEARD)


@pytest.mark.parametrize("kind", EVERY)
def test_a_loss_interrupts_after_4_s_and_what_is_not_seen_at_once_may_move_by_a_heartbeat(kind: str) -> None:
    step = interrupted(kind, LOSS, "CONNECTED-3")
    margins = {"truncate": ((), ("heartbeat",))} | dict.fromkeys(("cut", "reset", "hang_connects"), ((), ()))
    early, late = margins.get(kind, (("heartbeat",), ("heartbeat",)))
    assert window_of(step) == Window(1_000, 2_000, 4.0, 4.0, early, late)
    assert step.args == {"state": "RECONNECTING", "reason": "INTERRUPTED"}
    assert step.clauses == ("CONNECTED-3",)


@pytest.mark.parametrize("kind", EVERY)
def test_others_see_somebody_leave_30_s_after_their_last_heartbeat(kind: str) -> None:
    step = left(kind, LOSS, "OPEN-8", channel="lobby", member="bob")
    late = ("heartbeat",) if kind == "truncate" else ()
    assert window_of(step) == Window(1_000, 2_000, 30.0, 30.0, ("heartbeat",), late)
    assert (step.name, step.args) == ("onMemberLeft", {"channel": "lobby", "member": "bob"})
    assert step.clauses == ("OPEN-8",)


def test_the_way_back_begins_with_the_healing_and_ends_as_soon_as_the_client_tries_again() -> None:
    step = back(LOSS, "RECONNECTING-4")
    assert window_of(step) == Window(7_000, 9_000, 0.0, 0.2, (), ("retry",))
    assert step.args == {"state": "CONNECTED", "reason": "LOGIN_SUCCESS"}
    assert step.clauses == ("RECONNECTING-4",)


def test_from_a_loss_that_was_never_healed_there_is_no_way_back() -> None:
    lasting = cast(Fault, SimpleNamespace(injected=INJECTED, healed=None))
    with pytest.raises(ValueError, match="a fault that was never healed"):
        back(lasting)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize(("heartbeat_s", "retry_s"), [(0.5, 1.0), (0.25, 2.0), (1.5, 0.0)])
def test_who_is_to_be_back_in_time_is_healed_so_early(kind: str, heartbeat_s: float, retry_s: float) -> None:
    someone = person(heartbeat_s=heartbeat_s, retry_s=retry_s)
    waits_s = retry_s if kind in VISIBLE else retry_s + heartbeat_s
    assert healed_in_time_s(someone, kind) == 3.5 - waits_s
