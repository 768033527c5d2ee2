"""A fault on a link, as it is put down in a trace."""

from __future__ import annotations

from harness.trace import Observation, What
from proxies.fault import FaultEvent, Phase


def observed(person: str, event: FaultEvent) -> Observation:
    """Return the observation of a fault on a person's link that has taken effect, or was healed."""
    name = event.effect if event.phase is Phase.INJECTED else f"healing of {event.effect}"
    details = {
        "visible": event.visible,
        "proof": event.proof,
        "parameters": dict(event.parameters),
        "asked_ns": event.asked_ns,
    }
    return Observation(event.t0_ns, person, What.FAULT, name, details, until_ns=event.t1_ns)
