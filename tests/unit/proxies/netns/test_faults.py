from __future__ import annotations

import pytest

from proxies import gates, recipes
from proxies.effects import Effect, change_address, drop, unplug
from proxies.lacking import LackingFaultError
from proxies.netns.faults import check_means_for, measure_of
from proxies.netns.interface import Move, Unplug
from proxies.netns.measures import Close, CloseLater, Hold, Measure, Slow, Treat
from proxies.netns.namespaces import Namespace
from proxies.netns.rules import Treatment
from proxies.netns.wire import End, Wire, address_of
from proxies.toxics import BOTH, Direction

SERVER = ("10.99.0.1", 1)
TO_SERVER, TO_CLIENT = Direction.TO_SERVER, Direction.TO_CLIENT
LOST, REFUSED, UNANSWERED, UNENDING = Treatment.LOST, Treatment.REFUSED, Treatment.UNANSWERED, Treatment.UNENDING
PERSON, HUB = "eth0", "wire1"


@pytest.fixture
def wire() -> Wire:
    return Wire(1, 4, End(Namespace(-2), PERSON), End(Namespace(-1), HUB), [address_of(1, 4)])


# Of each fault: what carries it out, and at which ends what is done to packets that arrive.
TREATED: dict[str, tuple[Effect, type[Measure], dict[str, Treatment]]] = {
    "cut": (gates.Cut("cut", SERVER), Close, {HUB: REFUSED}),
    "refuse": (gates.Cut("refuse", SERVER), Close, {HUB: REFUSED}),
    "reset": (gates.Reset(SERVER), Close, {HUB: REFUSED}),
    "hang_connects": (gates.HangConnects(SERVER), Close, {HUB: REFUSED | UNANSWERED}),
    "blackhole": (recipes.blackhole(), Treat, {HUB: LOST, PERSON: LOST}),
    "blackhole that closes": (recipes.blackhole_then_close(), CloseLater, {HUB: LOST, PERSON: LOST}),
    "silence to server": (recipes.silence(TO_SERVER), Treat, {HUB: LOST}),
    "silence to client": (recipes.silence(TO_CLIENT), Treat, {PERSON: LOST}),
    "half_open to server": (recipes.half_open(TO_SERVER), Treat, {HUB: UNENDING}),
    "half_open to client": (recipes.half_open(TO_CLIENT), Treat, {PERSON: UNENDING}),
    "drop": (drop(BOTH), Treat, {HUB: LOST, PERSON: LOST}),
    "drop to server": (drop((TO_SERVER,)), Treat, {HUB: LOST}),
    "drop to client": (drop((TO_CLIENT,)), Treat, {PERSON: LOST}),
}
# And in front of which ends what leaves is held.
HELD: dict[str, tuple[Effect, type[Measure], list[str]]] = {
    "freeze": (recipes.freeze(BOTH), Hold, [PERSON, HUB]),
    "freeze to server": (recipes.freeze((TO_SERVER,)), Hold, [PERSON]),
    "freeze to client": (recipes.freeze((TO_CLIENT,)), Hold, [HUB]),
    "trickle to client": (recipes.trickle(2, (TO_CLIENT,)), Slow, [HUB]),
}


@pytest.mark.parametrize(("effect", "kind", "treatments"), TREATED.values(), ids=TREATED)
def test_packets_are_treated_where_they_arrive(
    wire: Wire, effect: Effect, kind: type[Measure], treatments: dict[str, Treatment]
) -> None:
    check_means_for(effect, wire)
    measure = measure_of(effect, wire)
    assert type(measure) is kind
    assert isinstance(measure, Treat)
    assert {end.device: each for end, each in measure._treatments.items()} == treatments


@pytest.mark.parametrize(("effect", "kind", "ends"), HELD.values(), ids=HELD)
def test_packets_are_held_where_they_leave(wire: Wire, effect: Effect, kind: type[Measure], ends: list[str]) -> None:
    check_means_for(effect, wire)
    measure = measure_of(effect, wire)
    assert type(measure) is kind
    assert isinstance(measure, Slow)
    assert sorted(end.device for end in measure._ends) == sorted(ends)
    assert measure._rate == (2000 if kind is Slow else 8)


@pytest.mark.parametrize(("effect", "kind"), [(unplug(), Unplug), (change_address(), Move)])
def test_the_interface_is_told_to_the_person(wire: Wire, effect: Effect, kind: type[Measure]) -> None:
    check_means_for(effect, wire)
    assert type(measure_of(effect, wire)) is kind


@pytest.mark.parametrize(
    ("effect", "why"),
    [
        (recipes.delay(0.1, BOTH), "the kernel delays packets by its module netem alone"),
        (recipes.truncate(3, TO_CLIENT), "a rule decides about whole packets"),
    ],
)
def test_what_the_kernel_has_no_means_for_is_lacking(wire: Wire, effect: Effect, why: str) -> None:
    with pytest.raises(LackingFaultError, match=f"cannot make the fault '{effect.effect}'") as raised:
        check_means_for(effect, wire)
    assert why in raised.value.why


def test_an_address_is_changed_once(wire: Wire) -> None:
    wire.addresses = [wire.second_address, wire.address]
    with pytest.raises(LackingFaultError, match="can be changed once"):
        check_means_for(change_address(), wire)
