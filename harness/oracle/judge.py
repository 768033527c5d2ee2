"""Makes the verdict of one scenario from its trace, by two judges: what the scenario wrote down, and the table."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from harness.oracle import expect
from harness.oracle.budget import Budget, Fit
from harness.oracle.explain import at_of, column_in_vain, column_seen, columns_of, describe
from harness.oracle.history import History, of_person
from harness.oracle.honesty import dishonest
from harness.oracle.invariants import check_invariants
from harness.oracle.invariants_settled import SETTLED_INVARIANTS
from harness.oracle.invariants_timed import TIMED_INVARIANTS
from harness.oracle.matching import Path, match, remaining_steps
from harness.oracle.verdict import Check, Column, Judgement, Measured, Verdict, worst
from harness.spec.profiles import PROFILES, RTM_1_0, Profile
from harness.trace import Observation, What


class JudgeError(ValueError):
    """A trace that cannot be judged: it is incomplete, or was not written by a run."""


class CutShortError(JudgeError):
    """A trace without its end: the run was broken off while it was recorded."""


# What the judge reads of an observation, by its kind or (of a callback) its name; a run never leaves any of it out.
_NEEDED: dict[str, tuple[str, ...]] = {
    What.SCENARIO: ("clauses",),
    What.DECLARED: ("heartbeat_s", "retry_s", "clock_error_ns"),
    What.EXPECTED: ("sequence",),
    What.AWAITED: ("step", "within_s"),
    What.ERROR: ("text",),
    What.LACKING: ("text",),
    What.LATE: ("text",),
    "onConnectionStateChanged": ("state", "reason"),
    "onMemberJoined": ("channel", "member"),
    "onMemberLeft": ("channel", "member"),
    "onJoinSuccess": ("channel",),
    "onLeave": ("channel",),
    "onLogout": ("code",),
}


def seen_by(person: str, trace: Sequence[Observation]) -> list[Observation]:
    """Return what a scenario's expectation is compared with: all callbacks, and each answer that is more than 'ok'."""
    return [
        each
        for each in of_person(person, trace)
        if each.what is What.CALLBACK or (each.what is What.RETURN and each.args != {"code": "OK"})
    ]


def judge(trace: Sequence[Observation]) -> Judgement:
    """Return the verdict of one scenario.

    By which rules says the trace itself.

    Raises:
        JudgeError: the trace does not begin with its scenario, names a profile that there is not, or was not written by
            a run.
        CutShortError: it lacks its end.
    """
    if not trace or trace[0].what is not What.SCENARIO:
        raise JudgeError("a trace begins with its scenario; this one does not")
    _check_whole(trace)
    scenario, clauses = trace[0].name, list(trace[0].args["clauses"])
    ended = next((index for index, each in enumerate(trace) if each.what is What.END), None)
    if ended is None:
        raise CutShortError(f"{scenario}: the trace has no end; the run was cut short while it was recorded")
    # What fails while everything is taken away comes after the end, and still spoils the scenario.
    late_errors = [each for each in trace[ended:] if each.what is What.ERROR]
    case = _Case(scenario, clauses, [*trace[:ended], *late_errors], trace[ended].at_ns, _profile_of(trace[0]))
    judgement = case.judgement()
    args = trace[0].args
    return msgspec.structs.replace(judgement, attempt=args.get("attempt", 1), repetition=args.get("repetition", 0))


def _profile_of(scenario: Observation) -> Profile:
    name = str(scenario.args.get("profile", RTM_1_0.name))  # a trace of before there were others names none
    if name not in PROFILES:
        raise JudgeError(f"{scenario.name}: no profile is called {name!r}; there are {', '.join(PROFILES)}")
    return PROFILES[name]


def _check_whole(trace: Sequence[Observation]) -> None:
    declared = {each.source for each in trace if each.what is What.DECLARED}
    for each in trace:
        needed = _NEEDED.get(each.name if each.what is What.CALLBACK else each.what, ())
        lacking = [key for key in needed if key not in each.args]
        if lacking:
            raise JudgeError(f"{trace[0].name}: {each.source}'s {each.what} {each.name!r} does not say its {lacking}")
        if each.what is What.EXPECTED and each.source not in declared:
            raise JudgeError(f"{trace[0].name}: of {each.source} something is expected, and nothing was declared")


class _Case:
    """One trace on its way to a verdict."""

    def __init__(
        self, scenario: str, clauses: list[str], trace: Sequence[Observation], end_ns: int, profile: Profile
    ) -> None:
        self._scenario = scenario
        self._clauses = clauses
        self._trace = trace
        self._end_ns = end_ns
        self._profile = profile
        self._budget = Budget(trace)
        self._checks: list[Check] = []
        self._columns: list[Column] = []
        self._answers: dict[str, dict[str, None]] = {}  # names in the order in which they were seen

    def judgement(self) -> Judgement:
        broken = self._of_kind(What.ERROR) + self._of_kind(What.LACKING)
        late = self._of_kind(What.LATE)
        for expected in self._of_kind(What.EXPECTED):
            self._judge_sequence(expected.source, expected.args["sequence"])
        for awaited in self._of_kind(What.AWAITED):
            self._judge_awaited(awaited)
        history = History(self._trace, self._end_ns, self._budget)
        self._judge_invariants(history)
        if broken:
            return self._cannot_tell(broken[0])
        lies = list(dishonest(history))
        if lies:
            self._checks.clear()  # they rest on what it says
            return self._make(Verdict.ERROR, f"the adapter cannot be believed: {'; '.join(lies)}", blame="adapter")
        verdict = worst(check.verdict for check in self._checks)
        if late and verdict is not Verdict.FAIL:
            return self._make(Verdict.INCONCLUSIVE, late[0].args["text"], blame="host")
        spoken = (What.EXPECTED, What.AWAITED, What.RULES_ALONE, What.LATE)
        if verdict is None or not any(each.what in spoken for each in self._trace):
            return self._make(Verdict.ERROR, "the scenario checked nothing", blame="harness")
        decisive = [check for check in self._checks if check.verdict is verdict]
        reason = "" if verdict is Verdict.PASS else f"{decisive[0].clause}: {decisive[0].person}: {decisive[0].what}"
        blame = {Verdict.FAIL: "implementation", Verdict.INCONCLUSIVE: "host"}.get(verdict, "")
        return self._make(verdict, reason, blame=blame)

    def _cannot_tell(self, cause: Observation) -> Judgement:
        verdict = Verdict.UNSUPPORTED if cause.what is What.LACKING else Verdict.ERROR
        return self._make(verdict, cause.args["text"], blame=cause.args.get("blame", ""))

    def _make(self, verdict: Verdict, reason: str, *, blame: str) -> Judgement:
        return Judgement(
            scenario=self._scenario,
            verdict=verdict,
            reason=reason,
            checks=self._checks,
            columns=self._columns,
            blame=blame,
            answers={clause: ", ".join(names) for clause, names in self._answers.items()},
            clauses=self._clauses,
        )

    def _of_kind(self, what: What) -> list[Observation]:
        return [each for each in self._trace if each.what is what]

    def _judge_invariants(self, history: History) -> None:
        for person in history.people:
            if self._profile.has_table:
                disturbed = history.is_disturbed(history.begin_ns, history.end_ns)
                self._checks += check_invariants(person, history.beside_server(person), disturbed=disturbed)
                for rule in (*TIMED_INVARIANTS, *SETTLED_INVARIANTS):
                    self._checks += rule(person, history)
            if self._of_kind(What.RULES_ALONE):
                self._columns.append(column_seen(person, seen_by(person, self._trace), self._trace))

    def _judge_sequence(self, person: str, sequence: object) -> None:
        try:
            nodes = expect.from_data(sequence)
        except msgspec.ValidationError as error:
            raise JudgeError(f"{self._scenario}: the expectation of {person} cannot be read: {error}") from error
        seen = seen_by(person, self._trace)
        # Where it can be read in several ways, the one whose times fit best; of those the first that is written.
        path = min(match(nodes, seen), key=lambda each: self._misfit(person, each, seen))
        self._judge_steps(person, path, seen)
        if len(path.steps) < len(seen):
            extra = seen[len(path.steps)]
            self._break(person, self._blamed(path), f"{describe(extra)} was not expected here", extra.at_ns)
        elif path.due is not None:
            missing = remaining_steps(path)
            self._break(person, missing[0].clauses, f"{at_of(missing[0])} never came", self._end_ns)
        else:
            self._pass(person, path.silent, "nothing else until the end")
            for clause, name in path.answers.items():
                self._pass(person, (clause,), f"answered by {name!r}")
            for clause, name in path.answers.items():
                self._answers.setdefault(clause, {}).update(dict.fromkeys(name.split(", ")))
        self._columns.append(columns_of(person, path, seen, self._trace, self._budget))

    def _misfit(self, person: str, path: Path, seen: Sequence[Observation]) -> int:
        timed = ((step.window, each) for step, each in zip(path.steps, seen, strict=False) if step.window is not None)
        return max((self._budget.hold(person, window, each).fit.value for window, each in timed), default=0)

    def _judge_steps(self, person: str, path: Path, seen: Sequence[Observation]) -> None:
        for step, silent, observation in zip(path.steps, path.kept_silent, seen, strict=False):
            what = describe(observation)
            self._pass(person, silent, f"nothing else before {what}")
            if step.window is None:
                self._pass(person, step.clauses, what)
                continue
            timed = self._budget.hold(person, step.window, observation)
            verdict = {Fit.INSIDE: Verdict.PASS, Fit.UNCERTAIN: Verdict.INCONCLUSIVE}.get(timed.fit, Verdict.FAIL)
            text = f"{what} after {timed.elapsed_s:.3f} s, due in [{timed.earliest_s:.3f}, {timed.latest_s:.3f}] s"
            if verdict is Verdict.INCONCLUSIVE:
                text += f", and times are known to {timed.error_s:.3f} s only"
            # What is in time proves only what it names; what is not spoils what the scenario is about.
            named = step.clauses if verdict is Verdict.PASS else step.clauses or self._own()
            measured = Measured(what, timed.elapsed_s, timed.earliest_s, timed.latest_s, timed.margin_s, timed.error_s)
            self._checks += [Check(clause, verdict, person, text, measured) for clause in named]

    def _blamed(self, path: Path) -> tuple[str, ...]:
        if path.silent:
            return path.silent
        due = remaining_steps(path)
        if due:
            return due[0].clauses
        return (self._profile.unexpected,) if self._profile.unexpected else self._own()

    def _judge_awaited(self, awaited: Observation) -> None:
        try:
            step = msgspec.convert(awaited.args["step"], expect.Step)
        except msgspec.ValidationError as error:
            text = f"{self._scenario}: what {awaited.source} waited for cannot be read: {error}"
            raise JudgeError(text) from error
        waited = f"waited {awaited.args['within_s']:g} s for {at_of(step)}, which never came"
        self._break(awaited.source, step.clauses, waited, awaited.at_ns)
        seen = seen_by(awaited.source, self._trace)
        self._columns.append(column_in_vain(awaited.source, step, seen, self._trace))

    def _own(self) -> tuple[str, ...]:
        """What a check without a clause of its own speaks for: what the scenario sets out to prove."""
        return tuple(self._clauses)

    def _pass(self, person: str, clauses: tuple[str, ...], what: str) -> None:
        # A step without clauses is only there to be complete; it proves nothing in particular.
        self._checks += [Check(clause, Verdict.PASS, person, what) for clause in clauses]

    def _break(self, person: str, clauses: tuple[str, ...], what: str, by_ns: int) -> None:
        """Something is missing or extra, noticed at ``by_ns``: a broken rule, unless the host was disturbed."""
        late_ns = self._budget.disturbed_ns(self._trace[0].at_ns, by_ns)
        verdict = Verdict.INCONCLUSIVE if late_ns else Verdict.FAIL
        if late_ns:
            what = f"{what}; but on this host things may have been {late_ns / 1e6:.0f} ms late"
        self._checks += [Check(clause, verdict, person, what) for clause in clauses or self._own()]
