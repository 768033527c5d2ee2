"""Puts into words and columns what was expected and what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.oracle.budget import NS_PER_S, Budget, Fit
from harness.oracle.expect import Step, Window
from harness.oracle.matching import Path, align
from harness.oracle.verdict import Column, Judgement, Row
from harness.trace import Observation, What


def phrase(name: str, args: dict[str, Any]) -> str:
    """Return a callback or an answer in a few words; a switch of state as STATE / REASON."""
    if name == "onConnectionStateChanged":
        return f"{printable(args['state'])} / {printable(args['reason'])}"
    values = ", ".join(f"{key}={printable(value)}" for key, value in args.items())
    return f"{name}({values})"


def printable(value: object) -> str:
    """Return a value as text without what would move the cursor or colour the rest of a terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(value))


def describe(seen: Observation) -> str:
    """Return what was seen, in a few words."""
    return phrase(seen.name, seen.args)


def at_of(step: Step) -> str:
    """Return what was expected, in a few words."""
    return phrase(step.name, step.args)


def columns_of(
    person: str, path: Path, seen: Sequence[Observation], trace: Sequence[Observation], budget: Budget
) -> Column:
    """Return the two columns of one person, with the times that both sides speak of."""
    rows = []
    moments = _moments(trace)
    for step, observation in align(path, seen):
        expected = f"{at_of(step)}{_due(step.window, trace, moments)}" if step else ""
        fault = _fault(person, step, observation, budget)
        due_s = _due_s(person, step.window, observation, trace, budget) if step and step.window else None
        if observation is None:
            rows.append(Row(expected, "", fault, due_s=due_s))
        else:
            rows.append(_row_seen(observation, trace, expected, fault, due_s))
    return Column(person, rows)


def _row_seen(
    observation: Observation,
    trace: Sequence[Observation],
    expected: str = "",
    fault: str = "",
    due_s: tuple[float, float] | None = None,
) -> Row:
    at_s = _after_begin_s(observation.at_ns, trace)
    return Row(expected, f"{at_s:9.3f} s  {describe(observation)}", fault, at_s, due_s)


def _after_begin_s(at_ns: int, trace: Sequence[Observation]) -> float:
    return (at_ns - trace[0].at_ns) / NS_PER_S


def column_seen(person: str, seen: Sequence[Observation], trace: Sequence[Observation]) -> Column:
    """Return all that a person saw, where nothing was expected of them in particular."""
    return Column(person, [_row_seen(each, trace) for each in seen])


def column_in_vain(person: str, step: Step, seen: Sequence[Observation], trace: Sequence[Observation]) -> Column:
    """Return all that a person saw while the scenario waited in vain for a step."""
    rows = column_seen(person, seen, trace).rows
    return Column(person, [*rows, Row(at_of(step), "", "waited for, and it never came")])


def _due(window: Window | None, trace: Sequence[Observation], moments: Mapping[int, Observation]) -> str:
    if window is None:
        return ""
    due = (
        f"{window.earliest_s:g}"
        if window.earliest_s == window.latest_s
        else f"{window.earliest_s:g}-{window.latest_s:g}"
    )
    margins = "".join([*(f" - {name}" for name in window.early), *(f" + {name}" for name in window.late)])
    cause = moments.get(window.from_ns)
    moment = f"{_after_begin_s(window.from_ns, trace):.3f} s" if cause is None else _named(cause)
    return f"  {due} s{margins} after {moment}"


def _due_s(
    person: str, window: Window, seen: Observation | None, trace: Sequence[Observation], budget: Budget
) -> tuple[float, float]:
    """Return from when to when a step was due, as it was judged; where it never came, by the error until it was due."""
    until_ns = window.to_ns + round(window.latest_s * NS_PER_S) if seen is None else seen.at_ns
    opens_ns, closes_ns = budget.bounds_ns(person, window, budget.error_ns(person, window.from_ns, until_ns))
    return _after_begin_s(window.from_ns + opens_ns, trace), _after_begin_s(window.from_ns + closes_ns, trace)


def _moments(trace: Sequence[Observation]) -> dict[int, Observation]:
    """Return what a window can count from, by when it was; of several the first in the trace."""
    causes = (What.FAULT, What.CALL, What.CALLBACK, What.SERVER)
    return {each.at_ns: each for each in reversed(trace) if each.what in causes}


def _named(cause: Observation) -> str:
    shown = describe(cause) if cause.what is What.CALLBACK else cause.name
    return f"{cause.source}'s {shown}"


def _fault(person: str, step: Step | None, observation: Observation | None, budget: Budget) -> str:
    if step is None:
        return "extra"
    if observation is None:
        return "missing"
    if step.window is None:
        return ""
    timed = budget.hold(person, step.window, observation)
    if timed.fit is Fit.INSIDE:
        return ""
    came = f"(came after {timed.elapsed_s:.3f} s)"
    if timed.margin_s >= 0:
        return f"in time, but known to {timed.error_s:.3f} s only {came}"
    side = "early" if timed.elapsed_s < timed.earliest_s else "late"
    sure = "" if timed.fit is Fit.OUTSIDE else ", too close to tell"
    return f"{side} by {-timed.margin_s:.3f} s{sure} {came}"


def render(judgement: Judgement) -> str:
    """Return a judgement as text: the verdict and its reason, then the two columns of each person."""
    head = f"{judgement.verdict}  {judgement.scenario}"
    lines = [head, f"  {judgement.reason}"] if judgement.reason else [head]
    if judgement.blame:
        lines.append(f"  blame: {judgement.blame}")
    for column in judgement.columns:
        lines += ["", *_table(column)]
    return "\n".join(lines)


def _table(column: Column) -> Iterable[str]:
    width = max([len("expected"), *(len(row.expected) for row in column.rows)])
    yield f"  {column.person}"
    yield f"      {'expected':<{width}}   seen"
    for row in column.rows:
        mark = "!!" if row.fault else "ok"
        yield f"   {mark} {row.expected or '-':<{width}}   {row.seen or '-'}{f'   << {row.fault}' if row.fault else ''}"
