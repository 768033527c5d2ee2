"""Which measure makes which fault: the words of a link, as far as the kernel has the means below TCP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from proxies.effects import CHANGE_ADDRESS, DROP, UNPLUG, Effect
from proxies.lacking import LackingFaultError
from proxies.netns.interface import Move, Unplug
from proxies.netns.measures import Close, CloseLater, Hold, Measure, Slow, Treat
from proxies.netns.rules import Treatment
from proxies.netns.wire import Wire
from proxies.toxics import BOTH, Direction


def check_means_for(recipe: Effect, wire: Wire) -> None:
    """Make sure that a fault can be made.

    Raises:
        LackingFaultError: nothing here can make it.
    """
    if recipe.effect in _LACKING:
        raise LackingFaultError(
            f"network namespaces cannot make the fault {recipe.effect!r}", why=_LACKING[recipe.effect]
        )
    if recipe.effect == CHANGE_ADDRESS and wire.address == wire.second_address:
        raise LackingFaultError("a client's address can be changed once", why="there are no more than two for each")


def measure_of(recipe: Effect, wire: Wire) -> Measure:
    """Return what makes a fault on a wire."""
    return _MEASURES[recipe.effect](recipe, wire)


def _directions(recipe: Effect) -> Sequence[Direction]:
    chosen = recipe.parameters.get("direction", "both")
    return BOTH if chosen == "both" else (Direction(str(chosen)),)


def _refusing(_: Effect, wire: Wire) -> Measure:
    return Close(wire, {wire.hub: Treatment.REFUSED})


def _hanging(_: Effect, wire: Wire) -> Measure:
    return Close(wire, {wire.hub: Treatment.REFUSED | Treatment.UNANSWERED})


def _losing(recipe: Effect, wire: Wire) -> Measure:
    """Drop what arrives: whoever has sent it knows nothing of that, and sends it again."""
    losing = {wire.receiver(direction): Treatment.LOST for direction in _directions(recipe)}
    return CloseLater(wire, losing) if recipe.parameters.get("closes_on_heal") else Treat(wire, losing)


def _holding(recipe: Effect, wire: Wire) -> Measure:
    return Hold([wire.sender(direction) for direction in _directions(recipe)])


def _trickling(recipe: Effect, wire: Wire) -> Measure:
    rate = int(recipe.parameters["rate_kb_per_s"]) * 1000
    return Slow([wire.sender(direction) for direction in _directions(recipe)], rate)


def _keeping_open(recipe: Effect, wire: Wire) -> Measure:
    return Treat(wire, {wire.receiver(direction): Treatment.UNENDING for direction in _directions(recipe)})


def _unplugging(_: Effect, wire: Wire) -> Measure:
    return Unplug(wire)


def _moving(_: Effect, wire: Wire) -> Measure:
    return Move(wire)


_MEASURES: Final[dict[str, Callable[[Effect, Wire], Measure]]] = {
    "cut": _refusing,
    "refuse": _refusing,
    "reset": _refusing,
    "flap": _refusing,
    "hang_connects": _hanging,
    "blackhole": _losing,
    "silence": _losing,
    "freeze": _holding,
    "trickle": _trickling,
    "half_open": _keeping_open,
    DROP: _losing,
    UNPLUG: _unplugging,
    CHANGE_ADDRESS: _moving,
}
_LACKING: Final = {
    "truncate": "a rule decides about whole packets, and a frame is cut in the middle of one",
    "delay": "the kernel delays packets by its module netem alone, which not every machine has",
}
