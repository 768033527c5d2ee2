"""The second judge: what the table says must hold in every trace, whatever the scenario expected.

It knows nothing of the scenario. It reads a person's callbacks and calls in order, and yields a check for each rule
that it could hold them against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from harness.oracle.verdict import Check, Verdict
from harness.spec.states import Reason, State
from harness.spec.timing import NS_PER_S
from harness.spec.transitions import INITIAL_STATE, LEGAL_PAIRS, allowed
from harness.trace import Observation, What

# No document says how often a client may try. A client that goes on at five logins a second has no back-off; the one
# that shipped without made 189 attempts in half a second.
LOGINS_AT_ONCE_MAX = 10
LOGINS_PER_S_MAX = 5

Invariant = Callable[[str, Sequence[Observation]], Iterator[Check]]


def check_invariants(person: str, observations: Sequence[Observation], *, disturbed: bool = False) -> list[Check]:
    """Hold everything that a person's client was asked and said against the table.

    On a host that was ``disturbed`` a client may just then be on its way from one connection to another.
    """
    invariants = [each for each in INVARIANTS if not disturbed or each is not _connections]
    return [check for invariant in invariants for check in invariant(person, observations)]


def _callbacks(observations: Sequence[Observation], *names: str) -> list[Observation]:
    return [each for each in observations if each.what is What.CALLBACK and each.name in names]


def _verdict(person: str, clause: str, rule: str, broken: Sequence[str]) -> Check:
    if not broken:
        return Check(clause, Verdict.PASS, person, rule)
    return Check(clause, Verdict.FAIL, person, f"{rule}; but {'; '.join(broken)}")


def _switches(person: str, observations: Sequence[Observation]) -> Iterator[Check]:
    """GENERAL-1: only rows of the table, only legal pairs, never a callback without a switch."""
    broken: list[str] = []
    current = INITIAL_STATE
    for seen in _callbacks(observations, "onConnectionStateChanged"):
        pair = f"{seen.args['state']} / {seen.args['reason']}"
        target = State.__members__.get(seen.args["state"])
        reason = Reason.__members__.get(seen.args["reason"])
        if target is None or reason is None or (target, reason) not in LEGAL_PAIRS:
            broken.append(f"{pair} is no legal pair")
        elif allowed(current, target, reason) is None:
            broken.append(f"{pair} came in {current.name}, where the table has no such switch")
        if target is not None:
            current = target
    if _callbacks(observations, "onConnectionStateChanged"):
        yield _verdict(person, "GENERAL-1", "every switch is a row of the table", broken)


def _login_results(person: str, observations: Sequence[Observation]) -> Iterator[Check]:
    """GENERAL-3: at most one result for each login() call, and none without one."""
    broken: list[str] = []
    open_calls = 0
    for seen in observations:
        if _is_call(seen, "login"):
            open_calls += 1
        elif _is_login_result(seen):
            open_calls -= 1
            if open_calls < 0:
                broken.append(f"{seen.name} {seen.what} came without a login() call that was still waiting for it")
                open_calls = 0
    if any(_is_call(seen, "login") for seen in observations):
        yield _verdict(person, "GENERAL-3", "one login result for each login() call", broken)


def _is_call(seen: Observation, name: str) -> bool:
    """Whether the app is made to call this: by the harness, or from inside a callback."""
    return seen.what is What.CALL and (seen.name == name or (seen.name == "react" and seen.args.get("call") == name))


def _is_accepted_logout(seen: Observation) -> bool:
    """An answer that says so; or a call from inside a callback, whose answer the harness does not hear."""
    if seen.what is What.CALL:
        return seen.name == "react" and seen.args.get("call") == "logout"
    return seen.what is What.RETURN and seen.name == "logout" and seen.args.get("code") == "OK"


def _is_login_result(seen: Observation) -> bool:
    """A callback with the outcome, or (OPEN-12) an answer that says there will be none."""
    if seen.what is What.RETURN:
        return seen.name == "login" and seen.args.get("code") != "OK"
    return seen.what is What.CALLBACK and seen.name in ("onLoginSuccess", "onLoginFailure")


def _members(person: str, observations: Sequence[Observation]) -> Iterator[Check]:
    """OPEN-10, OPEN-24: of one member in one channel, Left and Joined come in turn, never two of a kind."""
    last: dict[tuple[str, str], str] = {}
    is_sure = True
    broken: list[str] = []
    member_events = _callbacks(observations, "onMemberJoined", "onMemberLeft")
    for seen in (each for each in observations if each.what in (What.CALLBACK, What.SERVER)):
        # An observer that was itself away, or out of the channel, gets no replay (OPEN-26): count anew. With a server
        # that ends all sessions are gone, and nobody was told so: who is back from there joins again (OPEN-27).
        if seen.what is What.SERVER:
            is_sure = is_sure and seen.name not in ("server kill", "server stop")
        elif seen.name == "onConnectionStateChanged":
            is_sure = True
            last.clear()
        elif seen.name in ("onJoinSuccess", "onLeave"):
            last = {key: name for key, name in last.items() if key[0] != str(seen.args["channel"])}
        elif seen.name in ("onMemberJoined", "onMemberLeft"):
            key = (str(seen.args["channel"]), str(seen.args["member"]))
            if last.get(key) == seen.name and is_sure:
                broken.append(f"a second {seen.name} of {key[1]} in {key[0]}")
            last[key] = seen.name
    if member_events:
        yield _verdict(person, "OPEN-24", "Left and Joined of a member come in turn", broken)


def _tokens(person: str, observations: Sequence[Observation]) -> Iterator[Check]:
    """OPEN-22: onTokenExpired at most once for each token."""
    given: set[str] = set()
    expired = 0
    broken: list[str] = []
    for seen in observations:
        if _is_call(seen, "login") or _is_call(seen, "renewToken"):
            given.add(str(seen.args.get("args", seen.args).get("token")))
        elif seen.what is What.CALLBACK and seen.name == "onTokenExpired":
            expired += 1
            if expired > len(given):
                broken.append(f"the {expired}. came when {len(given)} tokens had been given")
    if expired:
        yield _verdict(person, "OPEN-22", "onTokenExpired at most once for each token", broken)


def _answered(person: str, observations: Sequence[Observation]) -> Iterator[Check]:
    """OPEN-15: each logout() that is accepted gives exactly one onLogout."""
    accepted = sum(_is_accepted_logout(seen) for seen in observations)
    told = Counter(seen.args["code"] for seen in _callbacks(observations, "onLogout"))["OK"]
    if accepted or told:
        # Too few may be the host's doing, which only the scenario's own expectation can tell; too many never are.
        broken = [f"{told} came for {accepted} accepted calls"] if told > accepted else []
        yield _verdict(person, "OPEN-15", "no more than one onLogout(OK) for each logout() that is accepted", broken)


def _connections(person: str, observations: Sequence[Observation]) -> Iterator[Check]:
    """OPEN-2, OPEN-16, ABORTED-1: in the end one live connection while CONNECTED, none where none is to be."""
    counted = [each.args["connections"] for each in observations if "connections" in _counted(each)]
    switches = _callbacks(observations, "onConnectionStateChanged")
    state = switches[-1].args["state"] if switches else INITIAL_STATE.name
    if counted and not _is_faulty(observations) and state in _CONNECTIONS:
        clause, expected = _CONNECTIONS[state]
        broken = [f"{counted[-1]} were open"] if counted[-1] != expected else []
        yield _verdict(person, clause, f"{expected} live connections while {state}", broken)


# How many connections a client has in the end, and by which clause; while it looks for one it may have several.
_CONNECTIONS = {"CONNECTED": ("OPEN-2", 1), "DISCONNECTED": ("OPEN-16", 0), "ABORTED": ("ABORTED-1", 0)}


def _is_faulty(observations: Sequence[Observation]) -> bool:
    """Whether a fault was still on the person's link in the end."""
    faults = [each.name for each in observations if each.what is What.FAULT]
    return sum(1 if not name.startswith("healing of ") else -1 for name in faults) > 0


def _logins(person: str, observations: Sequence[Observation]) -> Iterator[Check]:
    """OPEN-28: however an attempt fails, the next one is not made at once."""
    for seen in observations:
        if "logins" in _counted(seen):
            lasted_s = (seen.at_ns - observations[0].at_ns) / NS_PER_S
            most = round(LOGINS_AT_ONCE_MAX + LOGINS_PER_S_MAX * lasted_s)
            broken = [f"there were {seen.args['logins']}"] if seen.args["logins"] > most else []
            yield _verdict(person, "OPEN-28", f"no storm: no more than {most} logins in {lasted_s:.0f} s", broken)


def _counted(seen: Observation) -> dict[str, Any]:
    return seen.args if seen.what is What.COUNTED else {}


INVARIANTS: tuple[Invariant, ...] = (
    _switches,
    _login_results,
    _members,
    _tokens,
    _answered,
    _connections,
    _logins,
)
