"""What may be sent to Toxiproxy: the toxics this project uses, their attributes and the direction they sit in.

Toxiproxy takes a misspelt attribute for 0 and says nothing, so that a fault written wrongly would pass as a fault
that does nothing. Each toxic is therefore checked here, before it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from harness.errors import UsageError

_INT64_MAX: Final = 2**63 - 1

# Source: the `json` tags in toxics/*.go of Toxiproxy v2.12.0.
ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "timeout": frozenset({"timeout"}),
        "bandwidth": frozenset({"rate"}),
        "latency": frozenset({"latency", "jitter"}),
        "reset_peer": frozenset({"timeout"}),
        "limit_data": frozenset({"bytes"}),
        "slow_close": frozenset({"delay"}),
    }
)


class Direction(StrEnum):
    """Which of a link's two byte streams is meant."""

    TO_SERVER = "to_server"
    TO_CLIENT = "to_client"

    @property
    def stream(self) -> str:
        """Toxiproxy's own word for the direction."""
        return "upstream" if self is Direction.TO_SERVER else "downstream"


BOTH: Final = (Direction.TO_SERVER, Direction.TO_CLIENT)


@dataclass(frozen=True, slots=True)
class ToxicSpec:
    """One toxic as it is to be: checked when it is made, so that it can be sent as it stands.

    Raises:
        UsageError: the kind is unknown, an attribute is missing, misspelt, random or not a whole number.
    """

    name: str
    kind: str
    direction: Direction
    attributes: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = ATTRIBUTES.get(self.kind)
        if known is None:
            raise UsageError(f"there is no toxic {self.kind!r}", mend=f"one of: {', '.join(sorted(ATTRIBUTES))}")
        self._check_names(known)
        for name, value in self.attributes.items():
            self._check_value(name, value)

    def _check_names(self, known: frozenset[str]) -> None:
        given = set(self.attributes)
        if given != known:
            raise UsageError(
                f"the toxic {self.kind!r} takes {sorted(known)}, and was given {sorted(given)}",
                why="Toxiproxy reads an attribute that is missing or misspelt as 0 and says nothing.",
            )

    def _check_value(self, name: str, value: object) -> None:
        if type(value) is not int or not 0 <= value <= _INT64_MAX:
            raise UsageError(f"{self.kind}.{name} must be a whole number from 0 to 2**63-1, and is {value!r}")
        if name == "jitter" and value != 0:
            raise UsageError(
                f"{self.kind}.jitter must be 0, and is {value}",
                why="jitter is random and cannot be repeated, so no verdict may rest on it.",
            )
