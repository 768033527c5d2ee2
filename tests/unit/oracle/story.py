"""Builds a trace as a run would have written it; times are seconds after the start of the story."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.oracle.expect import Node, Step, callback, state, to_data
from harness.oracle.judge import judge
from harness.oracle.verdict import Judgement, Verdict
from harness.trace import Observation, What

# Far from zero, and no round number: times that are mixed up with durations show at once.
START_NS = 7_340_021_913_000_000_007

LOGGED_IN: tuple[Step, ...] = (
    state("CONNECTING", "LOGIN", "DISCONNECTED-2"),
    callback("onLoginSuccess", "CONNECTING-1"),
    state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2"),
)


@dataclass(frozen=True)
class Moment:
    """At one moment between two."""

    t0_ns: int
    t1_ns: int


def at_ns(seconds: float) -> int:
    return START_NS + round(seconds * 1_000_000_000)


class Story:
    """A trace on its way; every method adds one observation, and returns when that was."""

    def __init__(self, *clauses: str) -> None:
        self.trace: list[Observation] = []
        self.put(0, "scenario", What.SCENARIO, "test_story", clauses=list(clauses))

    def put(self, at_s: float, source: str, what: What, name: str, /, **args: Any) -> Moment:
        self.trace.append(Observation(at_ns(at_s), source, what, name, args))
        return Moment(at_ns(at_s), at_ns(at_s))

    def declared(self, person: str = "alice", *, clock_error_ns: int = 0) -> Moment:
        declared = {"heartbeat_s": 0.5, "retry_s": 2.0, "clock_error_ns": clock_error_ns}
        return self.put(0.1, person, What.DECLARED, "sdk", **declared)

    def called(self, at_s: float, name: str, /, *, person: str = "alice", **args: Any) -> Moment:
        return self.put(at_s, person, What.CALL, name, **args)

    def returned(self, at_s: float, name: str, /, *, person: str = "alice", **args: Any) -> Moment:
        return self.put(at_s, person, What.RETURN, name, **args)

    def said(self, at_s: float, name: str, /, *, person: str = "alice", **args: Any) -> Moment:
        return self.put(at_s, person, What.CALLBACK, name, **args)

    def switched(self, at_s: float, to: str, reason: str, *, person: str = "alice") -> Moment:
        return self.said(at_s, "onConnectionStateChanged", person=person, state=to, reason=reason)

    def logged_in(self, person: str = "alice", *, at_s: float = 0.5, clock_error_ns: int = 0) -> Story:
        """Somebody whose login has succeeded."""
        self.declared(person, clock_error_ns=clock_error_ns)
        self.called(at_s, "login", person=person, uid=person, token=f"{person}'s token")
        self.returned(at_s, "login", person=person, code="OK")
        self.switched(at_s, "CONNECTING", "LOGIN", person=person)
        self.said(at_s + 0.1, "onLoginSuccess", person=person)
        self.switched(at_s + 0.1, "CONNECTED", "LOGIN_SUCCESS", person=person)
        return self

    def fault(self, from_s: float, to_s: float, person: str = "alice") -> Moment:
        moment = Moment(at_ns(from_s), at_ns(to_s))
        self.trace.append(Observation(moment.t0_ns, person, What.FAULT, "cut", until_ns=moment.t1_ns))
        return moment

    def delayed(self, due_s: float, by_ns: int, *, source: str = "host") -> None:
        due_ns = at_ns(due_s)
        self.trace.append(Observation(due_ns, source, What.DELAY, "late", until_ns=due_ns + by_ns))

    def expects(self, *nodes: Node, person: str = "alice") -> Story:
        self.put(90, person, What.EXPECTED, "saw", sequence=to_data(nodes))
        return self

    def ended(self) -> list[Observation]:
        self.put(91, "scenario", What.END, "end")
        return self.trace

    def judged(self) -> Judgement:
        return judge(self.ended())


def blamed(judgement: Judgement) -> list[str]:
    """The clauses that a judgement lays its verdict on."""
    return sorted({check.clause for check in judgement.checks if check.verdict is judgement.verdict})


def what_failed(judgement: Judgement) -> list[str]:
    return [check.what for check in judgement.checks if check.verdict is Verdict.FAIL]
