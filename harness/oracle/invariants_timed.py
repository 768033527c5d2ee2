"""What must hold in every trace of the times: when states may begin and must end, and who may be told of whom.

Nothing is known here of what a scenario expects. So a rule speaks only where no conforming client could have done
otherwise: where the host was not late, and where nothing that was done to a link or to the server can explain it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

from harness.oracle.budget import NS_PER_S, Fit
from harness.oracle.expect import AT_ONCE_S, Window
from harness.oracle.history import History, Spell, called, is_callback
from harness.oracle.troubles import FOR_EVER_NS, Trouble
from harness.oracle.verdict import Check, Verdict
from harness.spec.timing import Timing, ns
from harness.trace import Observation, What

TIMING = Timing()

# However it is timed, it is never too late.
NEVER_LATE_S = 1e9

# Nothing passes, in one direction or in both, for as long as one of these is there.
TOTAL_LOSSES = ("cut", "refuse", "reset", "hang_connects", "blackhole", "freeze", "silence")

TimedInvariant = Callable[[str, History], Iterator[Check]]


def _verdict(person: str, clause: str, rule: str, broken: list[str]) -> Check:
    verdict = Verdict.FAIL if broken else Verdict.PASS
    return Check(clause, verdict, person, f"{rule}; but {'; '.join(broken)}" if broken else rule)


def _at(history: History, at_ns: int) -> str:
    return f"at {(at_ns - history.begin_ns) / NS_PER_S:.3f} s"


# ------------------------------------------------------------------------------------------ CONNECTING


def _connecting_ends(person: str, history: History) -> Iterator[Check]:
    """CONNECTING-5: CONNECTING ends within 6 s, in one way or the other."""
    broken = []
    checked = False
    for spell in history.spells(person, "CONNECTING"):
        if history.is_disturbed(spell.from_ns, spell.to_ns):
            continue
        lasted_ns = spell.to_ns - spell.from_ns
        if lasted_ns > ns(TIMING.login_s) + 2 * history.budget.error_ns(person, spell.from_ns, spell.to_ns):
            broken.append(f"the one {_at(history, spell.from_ns)} lasted {lasted_ns / NS_PER_S:.3f} s")
        checked = checked or spell.following is not None or bool(broken)
    if checked:
        yield _verdict(person, "CONNECTING-5", "CONNECTING ends within 6 s", broken)


def _results_come(person: str, history: History) -> Iterator[Check]:
    """CONNECTING-1, CONNECTING-3: a login that ends has its result, right before its switch or right after it."""
    expected = {"CONNECTED": ("CONNECTING-1", "onLoginSuccess"), "DISCONNECTED": ("CONNECTING-3", "onLoginFailure")}
    results = [each for each in history.of(person) if is_callback(each, "onLoginSuccess", "onLoginFailure")]
    results.sort(key=_at_ns)
    for spell in history.spells(person, "CONNECTING"):
        ended = spell.following
        if ended is None or ended.args["state"] not in expected:
            continue
        by_ns = spell.to_ns + ns(AT_ONCE_S) + 2 * history.budget.error_ns(person, spell.from_ns, spell.to_ns)
        if history.lived_until_ns(person) < by_ns or history.is_disturbed(spell.from_ns, by_ns):
            continue
        clause, name = expected[ended.args["state"]]
        first, end = bisect_left(results, spell.from_ns, key=_at_ns), bisect_right(results, by_ns, key=_at_ns)
        came = any(each.name == name for each in results[first:end])
        broken = [] if came else [f"the one that ended {_at(history, spell.to_ns)} has none"]
        yield _verdict(person, clause, f"a login that ends in {ended.args['state']} gives {name}", broken)


# ------------------------------------------------------------------------------------------ interruptions


def _not_interrupted_early(person: str, history: History) -> Iterator[Check]:
    """CONNECTED-4: RECONNECTING comes only of an interruption, and only when that has lasted for its 4 s (OPEN-1)."""
    broken = []
    checked = False
    doubts = _doubts(person, history)
    for spell in history.spells(person, "CONNECTED"):
        there = history.troubles_during(person, spell.from_ns, spell.to_ns)
        ended = spell.following
        if _is_doubtful(spell, doubts):
            continue
        if ended is None or ended.args["state"] != "RECONNECTING":
            checked = checked or bool(there)
        elif not history.is_disturbed(spell.from_ns, spell.to_ns):
            checked = True
            since_ns = _interrupted_since_ns(person, history, spell)
            window = Window(since_ns, since_ns, TIMING.interruption_s, NEVER_LATE_S, early=("heartbeat",))
            if since_ns == FOR_EVER_NS:
                broken.append(f"that {_at(history, ended.at_ns)} came with nothing in the way of its connection")
            elif history.budget.hold(person, window, ended).fit is Fit.OUTSIDE:
                lasted_s = (ended.at_ns - since_ns) / NS_PER_S
                broken.append(f"that {_at(history, ended.at_ns)} came {lasted_s:.3f} s after it can have begun")
    if checked:
        yield _verdict(person, "CONNECTED-4", "RECONNECTING comes after an interruption of 4 s only", broken)


def _interrupted_since_ns(person: str, history: History, spell: Spell) -> int:
    """Return when the interruption that ended a spell can have begun; FOR_EVER_NS where there was none."""
    error_ns = history.budget.error_ns(person, spell.from_ns, spell.to_ns)
    outages = history.outages(person, history.back_ns(person, error_ns), spell.to_ns)
    from_ns, to_ns = next(outages, (FOR_EVER_NS, FOR_EVER_NS))  # that before was over when this one began
    since_ns = from_ns if spell.to_ns <= to_ns else FOR_EVER_NS
    return since_ns if since_ns == FOR_EVER_NS else max(since_ns, spell.from_ns)


def _interrupted_in_time(person: str, history: History) -> Iterator[Check]:
    """CONNECTED-3: a loss that nothing else disturbs, and that lasts for over 4 s, ends CONNECTED by then."""
    broken = []
    checked = False
    budget, last_ns = history.budget, history.lived_until_ns(person)
    for loss in _lone_losses(person, history):
        error_ns = budget.error_ns(person, loss.from_ns, min(loss.to_ns, last_ns))
        known_ns = loss.from_ns if loss.done.until_ns is None else loss.done.until_ns
        allowed_ns = ns(TIMING.interruption_s) + budget.declared(person).heartbeat_ns + 2 * error_ns
        due_ns = known_ns + allowed_ns
        if due_ns > min(loss.to_ns, last_ns) or history.is_disturbed(loss.from_ns, due_ns):
            continue
        spell = history.spell_around(person, loss.from_ns)
        if spell is not None and spell.state == "CONNECTED":
            checked = True
            if spell.to_ns > due_ns:
                broken.append(f"the {loss.name} {_at(history, loss.from_ns)} had not ended it by then")
    if checked:
        yield _verdict(person, "CONNECTED-3", "a loss of over 4 s, and a heartbeat, ends CONNECTED", broken)


def _lone_losses(person: str, history: History) -> Iterator[Trouble]:
    """Losses with nothing else in the way of the same client, from so long before that all of that is over."""
    alone = history.lone_troubles(person, 2 * ns(TIMING.interruption_s))
    return (each for each in alone if each.name in TOTAL_LOSSES)


# ------------------------------------------------------------------------------------------ the way back


def _keeps_trying(person: str, history: History) -> Iterator[Check]:
    """RECONNECTING-1: on a link that is there again, the client is back when it has tried once, which has its 6 s."""
    broken = []
    checked = False
    doubts = _doubts(person, history)
    spells = [] if _is_banned(person, history) else history.spells(person, "RECONNECTING")
    for spell in spells:
        if _is_doubtful(spell, doubts):
            continue
        for from_ns, to_ns in _free(history.troubles_during(person, spell.from_ns, spell.to_ns), spell):
            error_ns = history.budget.error_ns(person, from_ns, to_ns)
            allowed_ns = history.budget.declared(person).retry_ns + ns(TIMING.login_s) + 2 * error_ns
            if history.is_disturbed(from_ns, to_ns):
                continue
            if to_ns - from_ns > allowed_ns:
                still = f"its way was free from {(from_ns - history.begin_ns) / NS_PER_S:.3f} s on"
                broken.append(f"{still}, and it was not back {allowed_ns / NS_PER_S:.3f} s later")
            checked = checked or bool(broken) or (to_ns == spell.to_ns and _came_back(spell))
    if checked:
        yield _verdict(person, "RECONNECTING-1", "RECONNECTING ends when the way is free again", broken)


def _free(troubles: list[Trouble], spell: Spell) -> Iterator[tuple[int, int]]:
    """Yield the parts of a spell in which nothing stood in the way."""
    from_ns = spell.from_ns
    for each in troubles:
        if each.from_ns > from_ns and from_ns < spell.to_ns:
            yield from_ns, min(each.from_ns, spell.to_ns)
        from_ns = max(from_ns, each.to_ns)
    if from_ns < spell.to_ns:
        yield from_ns, spell.to_ns


# ------------------------------------------------------------------------------------------ what others see


def _presumed_online(person: str, history: History) -> Iterator[Check]:
    """RECONNECTING-2: nobody who did not go is seen to leave before they were unheard for 30 s (OPEN-8)."""
    broken = []
    checked = False
    went_ns: dict[tuple[str, str], int] = {}
    for seen in history.of(person):
        if not is_callback(seen, "onMemberLeft"):
            continue
        uid, channel = str(seen.args["member"]), str(seen.args["channel"])
        members = history.with_uid(uid)
        if members and (uid, channel) not in went_ns:
            went_ns[uid, channel] = _went_by_itself_ns(history, uid, channel)
        if not members or went_ns[uid, channel] <= seen.at_ns:
            continue
        if history.is_disturbed(history.begin_ns, seen.at_ns):
            continue
        checked = True
        if not any(_was_unheard(member, person, history, seen.at_ns) for member in members):
            broken.append(f"{uid} was seen to leave {channel} {_at(history, seen.at_ns)}")
    if checked:
        yield _verdict(person, "RECONNECTING-2", "nobody leaves before they were away for 30 s", broken)


def _went_by_itself_ns(history: History, uid: str, channel: str) -> int:
    """Return when first something other than an absence can have taken a user out of a channel."""
    went, logins = [FOR_EVER_NS], [FOR_EVER_NS, FOR_EVER_NS]
    for seen in history.trace:
        if seen.what is What.SERVER and (seen.name in ("server kill", "server stop") or seen.args.get("uid") == uid):
            went.append(seen.at_ns)
        if uid not in history.uids(seen.source):
            continue
        left = called(seen, "leave") or (seen.args if is_callback(seen, "onJoinFailure", "onLeave") else {})
        if left.get("channel") == channel or called(seen, "logout") is not None:
            went.append(seen.at_ns)
        if called(seen, "login") is not None:
            logins.append(seen.at_ns)
    # A second login is one of another instance, or of one that has begun anew.
    return min(*went, sorted(logins)[1])


def _was_unheard(member: str, observer: str, history: History, by_ns: int) -> bool:
    """Whether a client can have been unheard for its 30 s, less a heartbeat, at some time before."""
    budget = history.budget
    error_ns = budget.error_ns(observer, history.begin_ns, by_ns)
    away_ns = ns(TIMING.presence_s) - budget.declared(member).heartbeat_ns - 2 * error_ns
    # Where times are known that badly, what began later may count too.
    outages = history.outages(member, history.back_ns(member, error_ns), max(by_ns, by_ns - away_ns))
    return any(min(to_ns, by_ns) - from_ns >= away_ns for from_ns, to_ns in outages)


# ------------------------------------------------------------------------------------------ helpers


def _came_back(spell: Spell) -> bool:
    return spell.following is not None and spell.following.args["state"] == "CONNECTED"


def _at_ns(seen: Observation) -> int:
    return seen.at_ns


def _doubts(person: str, history: History) -> list[tuple[int, int]]:
    """Return when the server may refuse a client's token: it has expired, or the app gave it another one."""
    doubts: list[tuple[int, int]] = []
    since_ns: int | None = None
    for seen in history.of(person):
        is_settled = is_callback(seen, "onLoginSuccess", "onRenewTokenResult") and seen.args.get("code", "OK") == "OK"
        if since_ns is not None and is_settled:
            doubts.append((since_ns, seen.at_ns))
            since_ns = None
        elif since_ns is None and not is_settled and _casts_doubt(seen):
            since_ns = seen.at_ns
    return doubts if since_ns is None else [*doubts, (since_ns, FOR_EVER_NS)]


def _casts_doubt(seen: Observation) -> bool:
    return is_callback(seen, "onTokenExpired", "onRenewTokenResult") or called(seen, "renewToken") is not None


def _is_doubtful(spell: Spell, doubts: list[tuple[int, int]]) -> bool:
    """Whether the server may refuse a client's token at some time in a spell."""
    index = bisect_right(doubts, spell.to_ns, key=lambda doubt: doubt[0])
    return index > 0 and doubts[index - 1][1] >= spell.from_ns


def _is_banned(person: str, history: History) -> bool:
    banned = {each.args.get("uid") for each in history.trace if each.what is What.SERVER and each.name == "ban"}
    return bool(banned & history.uids(person))


TIMED_INVARIANTS: tuple[TimedInvariant, ...] = (
    _connecting_ends,
    _results_come,
    _not_interrupted_early,
    _interrupted_in_time,
    _keeps_trying,
    _presumed_online,
)
