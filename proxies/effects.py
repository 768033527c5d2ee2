"""What a fault does to a link, whoever makes it; and the effects that lie below TCP, beyond what Toxiproxy can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from proxies.toxics import BOTH, Direction

# The claim of a fault that closes the link as a whole; the others claim the directions that they hold.
GATE: Final = "gate"

Parameters = Mapping[str, str | int | float | bool]


class Effect:
    """One effect, as a scenario asks for it.

    Attributes:
        effect: what the fault does; its name everywhere.
        visible: whether the ends are told by a FIN or an RST.
        claims: what no other fault on the link may hold at the same time.
        parameters: the arguments it was made with.
    """

    def __init__(self, effect: str, *, visible: bool, claims: Sequence[str], parameters: Parameters) -> None:
        self.effect = effect
        self.visible = visible
        self.claims = frozenset(claims)
        self.parameters = parameters

    def dispose(self) -> None:
        """Release what it holds outside of its link, when that is closed under it."""
        return


DROP: Final = "drop"
UNPLUG: Final = "unplug"
CHANGE_ADDRESS: Final = "change_address"
# For scenarios that need one of them, and for what plays them.
BELOW_TCP: Final = (DROP, UNPLUG, CHANGE_ADDRESS)


def drop(directions: Sequence[Direction]) -> Effect:
    """Every packet is dropped, those of a new connect too; after healing the kernel sends again what was lost."""
    return Effect(DROP, visible=False, claims=directions, parameters=where(directions))


def unplug() -> Effect:
    """The client's machine has no network: what is connected hears nothing more, and a new connect fails at once."""
    return Effect(UNPLUG, visible=False, claims=(GATE, *BOTH), parameters={})


def change_address() -> Effect:
    """The client's machine has another address: what was connected from the old one hears nothing more."""
    return Effect(CHANGE_ADDRESS, visible=False, claims=(GATE, *BOTH), parameters={})


def where(directions: Sequence[Direction]) -> Parameters:
    """Return how the directions of an effect are told."""
    return {"direction": "both" if len(directions) > 1 else directions[0].value}
