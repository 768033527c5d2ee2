"""Stories with links, and what the rules of times say of them; times are seconds after the start of the story."""

from __future__ import annotations

from harness.oracle.budget import Budget
from harness.oracle.history import History
from harness.oracle.invariants_settled import SETTLED_INVARIANTS
from harness.oracle.invariants_timed import TIMED_INVARIANTS
from harness.oracle.verdict import Check, Verdict
from harness.trace import What
from tests.unit.oracle.story import Story, at_ns

END_S = 91.0
HEARTBEAT_S, RETRY_S = 0.5, 2.0  # as a story's people declare them


def online(*, at_s: float = 1.0) -> Story:
    """Alice, CONNECTED 0.1 s after this."""
    return Story("CONNECTED-1").logged_in(at_s=at_s)


def lost(story: Story, from_s: float, to_s: float | None = None, *, kind: str = "cut", person: str = "alice") -> None:
    """A fault on a link, healed or not."""
    story.put(from_s, person, What.FAULT, kind)
    if to_s is not None:
        story.put(to_s, person, What.FAULT, f"healing of {kind}")


def deed(story: Story, at_s: float, name: str, **args: str) -> None:
    story.put(at_s, "server", What.SERVER, name, **args)


def host_late(story: Story, at_s: float) -> None:
    """From here on nothing that is timed can be held against anybody, for a while."""
    story.delayed(at_s, 200_000_000)


def history_of(story: Story, *, end_s: float = END_S) -> History:
    return History(story.trace, at_ns(end_s), Budget(story.trace))


def checks(story: Story, clause: str, *, person: str = "alice", end_s: float = END_S) -> list[Check]:
    """What the rules say of this clause and this person."""
    history = history_of(story, end_s=end_s)
    rules = (*TIMED_INVARIANTS, *SETTLED_INVARIANTS)
    return [check for rule in rules for check in rule(person, history) if check.clause == clause]


def verdict(story: Story, clause: str, *, person: str = "alice", end_s: float = END_S) -> Verdict | None:
    """The one verdict on this clause; None where nothing could be said."""
    found = checks(story, clause, person=person, end_s=end_s)
    assert len(found) <= 1, found
    return found[0].verdict if found else None
