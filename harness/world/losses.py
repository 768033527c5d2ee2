"""The kinds of loss, by name: what scenarios are parametrized with that differ in nothing but how the link fails."""

from __future__ import annotations

from collections.abc import Callable

from harness.oracle.expect import Step, callback, state
from harness.world.engine import TO_CLIENT, TO_SERVER, Fault, Link
from harness.world.world import Person

_LOSSES: dict[str, Callable[[Link], Fault]] = {
    "cut": lambda link: link.cut(),
    "reset": lambda link: link.reset(),
    "hang_connects": lambda link: link.hang_connects(),
    "truncate": lambda link: link.truncate(after_bytes=10),  # in the middle of the next frame, and of every handshake
    "blackhole": lambda link: link.blackhole(),
    "blackhole_until_closed": lambda link: link.blackhole(closes_on_heal=True),
    "freeze": lambda link: link.freeze(),
    "silence_to_server": lambda link: link.silence(TO_SERVER),
    "silence_to_client": lambda link: link.silence(TO_CLIENT),
    "freeze_to_server": lambda link: link.freeze(TO_SERVER),
    "freeze_to_client": lambda link: link.freeze(TO_CLIENT),
}
# Below TCP: for scenarios that say so in their mark (needs=...).
_LOSSES_BELOW_TCP: dict[str, Callable[[Link], Fault]] = {
    "drop": lambda link: link.drop(),
    "drop_to_server": lambda link: link.drop(TO_SERVER),
    "drop_to_client": lambda link: link.drop(TO_CLIENT),
    "unplug": lambda link: link.unplug(),
}

EVERY = tuple(_LOSSES)
DROPS = ("drop", "drop_to_server", "drop_to_client")
# Both ends see it: FIN or RST.
VISIBLE = ("cut", "reset", "hang_connects", "truncate")
# After these the server hears nothing more. The others let heartbeats through as long as the client goes on.
UNHEARD = tuple(kind for kind in EVERY if not kind.endswith("_to_client"))


async def lose(person: Person, kind: str) -> Fault:
    """Put a loss of this kind on a person's link (which has to be resettable for a reset)."""
    return await (_LOSSES | _LOSSES_BELOW_TCP)[kind](person.link)


def healed_in_time_s(person: Person, kind: str) -> float:
    """When to heal a loss at the latest so that the client is back within 3.5 s, whatever it is just waiting for.

    A silent loss counts from the oldest heartbeat without an answer, which may be one interval older than the loss.
    """
    return 3.5 - person.retry_s - (0.0 if kind in VISIBLE else person.heartbeat_s)


def interrupted(kind: str, loss: Fault, *clauses: str) -> Step:
    """The switch that a loss of over 4 s brings (OPEN-1)."""
    step = state("RECONNECTING", "INTERRUPTED", *clauses)
    if kind == "truncate":  # it is seen when the next byte is due, with the answer to a heartbeat
        return step.at(4.0, after=loss.injected, late="heartbeat")
    if kind in VISIBLE:
        return step.at(4.0, after=loss.injected)
    return step.at(4.0, after=loss.injected, early="heartbeat", late="heartbeat")


def left(kind: str, loss: Fault, *clauses: str, channel: str, member: str) -> Step:
    """What others see 30 s after the server last heard of a member (OPEN-8)."""
    step = callback("onMemberLeft", *clauses, channel=channel, member=member)
    late = "heartbeat" if kind == "truncate" else ""  # until the byte that it breaks at, the link works
    return step.at(30.0, after=loss.injected, early="heartbeat", late=late)


def back(loss: Fault, *clauses: str) -> Step:
    """The switch that follows when a loss is healed: as soon as the client tries again."""
    return state("CONNECTED", "LOGIN_SUCCESS", *clauses).at_once(after=loss.healed, late="retry")
