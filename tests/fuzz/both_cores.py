"""Both cores on a network that loses and delays, and changes nothing: the monitor's rules hold after each step.

The closed system is that of 'linkproof explore --exhaustive'. That one goes through every order of some events; this
one goes as far as the bytes lead, with more people, tokens and channels than could be gone through.
"""

from __future__ import annotations

from harness.explore.actions import Seen
from harness.explore.cores import Config, Cores
from harness.explore.credentials import BRIEF, LASTING
from tests.fuzz.choices import Choices

STEPS_MAX = 400
CONFIG = Config(
    uids=("alice", "alice", "bob"),
    tokens=(LASTING, BRIEF),
    channels=("lobby", "hall"),
    losses=tuple(Seen),
    restarts=True,
)


def run(data: bytes) -> str:
    """Let happen what the bytes say, of all that can happen."""
    choices, cores = Choices(data), Cores(CONFIG)
    for _ in range(STEPS_MAX):
        if not choices:
            break
        action = choices.pick(cores.enabled())
        cores.apply(action)
        broken = cores.check()
        assert not broken, f"{action}: {'; '.join(broken)}"
    return " ".join(person.core.state.name for person in cores.people.values())
