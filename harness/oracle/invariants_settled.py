"""What must hold in every trace once all is quiet: who is in a channel, and which of two instances is left.

Quiet is when nothing has stood between anybody and the server for so long that each client must have noticed what it
lost, and be back: the 4 s and a heartbeat, and the declared time to try again.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.oracle.history import History, Spell, called, is_callback
from harness.oracle.invariants_timed import TIMING, TimedInvariant
from harness.oracle.troubles import FOR_EVER_NS
from harness.oracle.verdict import Check, Verdict
from harness.spec.timing import ns
from harness.trace import Observation, What

# What moves nobody in or out of anything.
_IDLE_CALLS = ("getMembers", "getAttributes", "queryOnline")


def _members_are_told(person: str, history: History) -> Iterator[Check]:
    """OPEN-23: when all is quiet, those are in a channel who are CONNECTED and in it by their own callbacks."""
    asked: Observation | None = None
    broken: list[str] = []
    checked = False
    for seen in history.of(person):
        asked = seen if seen.what is What.CALL and seen.name == "getMembers" else asked
        if asked is None or seen.what is not What.RETURN or seen.name != "getMembers":
            continue
        told = seen.args.get("members")
        is_answered = isinstance(told, list) and "code" not in seen.args  # with a code it is a refusal
        if is_answered and _is_quiet(history, asked.at_ns, seen.at_ns):
            checked = True
            broken += _wrong_members(
                history, str(asked.args.get("channel")), {str(uid) for uid in told or ()}, asked.at_ns
            )
    if checked:
        rule = "in a channel are those who are CONNECTED and joined it"
        verdict = Verdict.FAIL if broken else Verdict.PASS
        yield Check("OPEN-23", verdict, person, f"{rule}; but {'; '.join(broken)}" if broken else rule)


def _wrong_members(history: History, channel: str, told: set[str], at_ns: int) -> list[str]:
    missing, extra = [], []
    for uid in sorted({uid for person in history.people for uid in history.uids(person)}):
        inside = {_is_inside(history, person, channel, at_ns) for person in history.with_uid(uid)}
        if True in inside and uid not in told:
            missing.append(f"{uid} is in {channel}, and the server says otherwise")
        elif inside == {False} and uid in told:
            extra.append(f"{uid} is not in {channel}, and the server says otherwise")
    return missing + extra


def _is_inside(history: History, person: str, channel: str, at_ns: int) -> bool | None:
    """Whether somebody is in a channel by their own callbacks; None where the server may have it otherwise."""
    spell = _spell_at(history, person, at_ns)
    if history.lived_until_ns(person) <= at_ns or spell.state in ("CONNECTING", "RECONNECTING"):
        return None
    if spell.state != "CONNECTED":
        # A logout that the server did not hear of leaves a ghost until the 30 s are up (OPEN-16).
        gone_ns = ns(TIMING.presence_s) + history.budget.declared(person).heartbeat_ns
        return None if spell.entered is not None and at_ns - spell.from_ns <= gone_ns else False
    inside: bool | None = False
    for seen in history.of(person):
        if seen.at_ns > at_ns:
            break
        inside = _moved(seen, channel, inside)
    return inside


def _moved(seen: Observation, channel: str, inside: bool | None) -> bool | None:
    """Whether somebody is in a channel after this."""
    if is_callback(seen, "onConnectionStateChanged") and seen.args["state"] in ("DISCONNECTED", "ABORTED"):
        return False
    if seen.args.get("channel") != channel:
        made = called(seen, "join") or called(seen, "leave")
        return inside if made is None or made.get("channel") != channel else None
    if is_callback(seen, "onJoinSuccess"):
        return True
    if is_callback(seen, "onLeave"):
        return False if seen.args.get("code") in ("OK", "NOT_IN_CHANNEL") else None
    # A join or a leave that is under way or that failed: the server may have heard of it, or not.
    moves = is_callback(seen, "onJoinFailure") or called(seen, "join") is not None or called(seen, "leave") is not None
    return None if moves else inside


def _is_quiet(history: History, from_ns: int, to_ns: int) -> bool:
    """Whether for long nothing has been in anybody's way, and nobody has done anything, up to the end of this."""
    quiet_ns = max(_settling_ns(history, person) for person in history.people)
    since_ns = from_ns - quiet_ns
    if history.is_disturbed(max(since_ns, history.begin_ns), to_ns):
        return False
    if any(history.troubles_during(person, since_ns - 1, FOR_EVER_NS) for person in history.people):
        return False
    return not any(_moves(seen) and since_ns <= seen.at_ns <= to_ns for seen in history.trace)


def _moves(seen: Observation) -> bool:
    if seen.what is What.CALL:
        return seen.name not in _IDLE_CALLS
    return seen.what in (What.CALLBACK, What.SERVER)


def _settling_ns(history: History, person: str) -> int:
    """Return how long a client may take to notice that it lost something, and to be back."""
    unnoticed_ns = ns(TIMING.interruption_s) + history.budget.declared(person).heartbeat_ns
    error_ns = history.budget.error_ns(person, history.begin_ns, history.end_ns)
    return unnoticed_ns + history.back_ns(person, error_ns)


def _spell_at(history: History, person: str, at_ns: int) -> Spell:
    spells = history.spells(person)
    return next((spell for spell in reversed(spells) if spell.from_ns <= at_ns), spells[0])


def _one_survives(person: str, history: History) -> Iterator[Check]:
    """OPEN-20: when all is quiet in the end, no two instances of one uid are CONNECTED."""
    rivals = sorted({rival for uid in history.uids(person) for rival in history.with_uid(uid)} - {person})
    end_ns = history.end_ns
    if not rivals or not _is_quiet(history, end_ns, end_ns):
        return
    connected = [each for each in (person, *rivals) if _spell_at(history, each, end_ns).state == "CONNECTED"]
    if person in connected:
        broken = f"; but {' and '.join(sorted(connected))} are" if len(connected) > 1 else ""
        yield Check("OPEN-20", Verdict.FAIL if broken else Verdict.PASS, person, f"one instance is CONNECTED{broken}")


SETTLED_INVARIANTS: tuple[TimedInvariant, ...] = (_members_are_told, _one_survives)
