"""What has changed from one run to another: verdicts gained and lost, and timed steps that came closer to an edge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from harness.errors import UsageError
from harness.oracle.verdict import Judgement, Verdict, plain_name, worst
from harness.report.drift import Drift, are_lopsided, drift
from harness.report.margins import by_step
from harness.report.run_folder import RunInfo
from harness.report.summary import Summary, summarise
from harness.spec.profiles import Profile

NOT_ENDED = "not run to its end"


class Recorded(NamedTuple):
    """A run as it was recorded and judged."""

    info: RunInfo
    summary: Summary


class Change(msgspec.Struct, frozen=True, order=True):
    """A scenario or a rule that came out in another way; repetitions come out as the worst of them does."""

    what: str  # 'scenario' or 'rule'
    name: str
    old: str
    new: str


class Comparison(msgspec.Struct, frozen=True):
    """Two runs side by side, by what both of them played.

    ``lost`` is what passed and does not any more, and what fails that did not; ``gained`` is what passes now. What came
    out in another way without either of them is ``changed``. ``closer`` and ``farther`` are the steps that moved by
    more than the error of both measurements, and than ``threshold_s`` if there is one; those that moved most come
    first. ``lopsided`` is whether they came closer, taken together, as chance would hardly ever have it.
    """

    scenarios: int
    steps: int
    threshold_s: float | None
    lost: list[Change]
    gained: list[Change]
    changed: list[Change]
    only_old: list[str]
    only_new: list[str]
    closer: list[Drift]
    farther: list[Drift]
    lopsided: bool

    @property
    def counting(self) -> list[Drift]:
        """The steps that came closer to an edge beyond the threshold; without one, where chance does not explain it."""
        if self.threshold_s is not None or self.lopsided:
            return self.closer
        return [each for each in self.closer if not each.may_be_chance]

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, and no step came closer to an edge beyond the threshold."""
        return not self.lost and not self.counting


def compare(old: Recorded, new: Recorded, profile: Profile, threshold_s: float | None = None) -> Comparison:
    """Compare two runs.

    A drift counts from ``threshold_s`` on, and never within the error of both measurements; without a threshold where
    chance does not explain it, neither by itself nor together with the others.

    Raises:
        UsageError: the two cannot be compared, or have no scenario in common.
    """
    _check_alike(old.info, new.info)
    ran_old, ran_new = _by_name(old.summary.judgements), _by_name(new.summary.judgements)
    verdicts = _verdicts(old, ran_old), _verdicts(new, ran_new)
    both = verdicts[0].keys() & verdicts[1].keys()
    if not both:
        raise UsageError("the two runs have no scenario in common", mend="compare runs of the same selection")
    changes = [*_changes("scenario", both, *verdicts), *_changed_rules(profile, both, ran_old, ran_new)]
    drifts = list(_drifts(both, ran_old, ran_new))
    closer, farther = (_beyond(drifts, threshold_s or 0.0, sign=sign) for sign in (1, -1))
    return Comparison(
        scenarios=len(both),
        steps=len(drifts),
        threshold_s=threshold_s,
        lost=sorted(each for each in changes if _is_lost(each)),
        gained=sorted(each for each in changes if each.new == Verdict.PASS),
        changed=sorted(each for each in changes if not _is_lost(each) and each.new != Verdict.PASS),
        only_old=sorted(verdicts[0].keys() - both),
        only_new=sorted(verdicts[1].keys() - both),
        closer=closer,
        farther=farther,
        lopsided=are_lopsided([*closer, *farther]),
    )


def _check_alike(old: RunInfo, new: RunInfo) -> None:
    for what in ("profile", "world", "under_test"):
        was, now = getattr(old, what), getattr(new, what)
        if was != now:
            raise UsageError(
                f"the two runs are not of the same {what.replace('_', ' ')}: {was} and {now}",
                why="their scenarios, or their times, mean something else",
                mend="compare a run with an earlier one of the same kind",
            )


# ------------------------------------------------------------------------------------------ verdicts


def _by_name(judgements: Iterable[Judgement]) -> dict[str, list[Judgement]]:
    """Return the judgements of each scenario: one, or as many as there are repetitions."""
    found: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        found[judgement.plain_name].append(judgement)
    return dict(found)


def _verdicts(run: Recorded, ran: Mapping[str, Sequence[Judgement]]) -> dict[str, str]:
    verdicts: dict[str, str] = {name: worst(each.verdict for each in them) or "" for name, them in ran.items()}
    for name in run.summary.missing:
        plain = (plain_name(name, number) for number in range(1, run.info.repeat + 1))
        verdicts[next((each for each in plain if each != name), name)] = NOT_ENDED
    return verdicts


def _changed_rules(
    profile: Profile, both: Collection[str], *runs: Mapping[str, Sequence[Judgement]]
) -> Iterator[Change]:
    """Yield the rules that came out in another way, by the scenarios that both runs have: a part speaks for less."""
    verdicts: list[dict[str, str]] = []
    for ran in runs:
        summary = summarise([each for name in both for each in ran.get(name, ())], ())
        results = map(summary.of_clause, profile.clauses)
        verdicts.append({each.clause.id: each.verdict for each in results if each.verdict is not None})
    yield from _changes("rule", verdicts[0].keys() & verdicts[1].keys(), *verdicts)


def _changes(what: str, names: Iterable[str], old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    yield from (Change(what, name, str(old[name]), str(new[name])) for name in names if old[name] != new[name])


def _is_lost(change: Change) -> bool:
    return change.old == Verdict.PASS or change.new == Verdict.FAIL


# ------------------------------------------------------------------------------------------ times


def _drifts(both: Iterable[str], *runs: Mapping[str, Sequence[Judgement]]) -> Iterator[Drift]:
    old, new = (by_step(each for name in both for each in ran.get(name, ())) for ran in runs)
    yield from (drift(step, old[step], new[step]) for step in sorted(old.keys() & new.keys()))


def _beyond(drifts: Iterable[Drift], threshold_s: float, *, sign: int) -> list[Drift]:
    """Return the steps that moved to one side by more than this, and than the errors; those that moved most first."""
    moved = (each for each in drifts if sign * each.closer_s > max(threshold_s, each.error_s))
    return sorted(moved, key=lambda each: (-sign * each.closer_s, each.step))
