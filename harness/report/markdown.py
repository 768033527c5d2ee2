"""A run as Markdown, for the summary of a step in GitHub Actions and whatever else shows Markdown.

What comes from an adapter stands in spans and blocks of code alone, where Markdown means nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from harness.oracle.explain import printable, render
from harness.oracle.verdict import Judgement, Verdict
from harness.report.results import Results, RuleResult, ScenarioResult
from harness.report.run_folder import VIRTUAL
from harness.report.summary import Summary

LIMIT_BYTES = 1024 * 1024  # GitHub shows no summary of a step that is larger
_NAME_MAX = 200
_REASON_MAX = 500
_FOR_THE_NOTE_BYTES = 200


def markdown(results: Results, summary: Summary, *, limit_bytes: int = LIMIT_BYTES) -> str:
    """Return the page of a run; what does not fit is left out, and the page says so."""
    page = _headline(results, summary)
    left_out = 0
    for part in _parts(results, summary):
        if len(f"{page}\n{part}".encode()) + _FOR_THE_NOTE_BYTES <= limit_bytes:
            page = f"{page}\n{part}"
        else:
            left_out += 1
    if left_out:
        parts = "1 part is" if left_out == 1 else f"{left_out} parts are"
        page += f"\n{parts} left out here, for want of room; `report.html` and `results.json` have everything.\n"
    return page


def _parts(results: Results, summary: Summary) -> Iterator[str]:
    """Yield the parts of the page below its headline, those that matter most first."""
    looked_at = [rule for rule in results.clauses if rule.verdict is not None]
    if not_passed := [rule for rule in looked_at if rule.verdict is not Verdict.PASS]:
        yield _table(not_passed)
    if results.misfits:
        misfits = (f"{_code(each.what)}; where: {_code(each.where)}; mend: {each.mend}" for each in results.misfits)
        yield _list("Said to be known, and not so", misfits)
    if results.missing:
        yield _list("Selected, and not run to its end", map(_code, results.missing))
    by_name = {each.name: each for each in results.scenarios}
    is_first = True
    for judgement in summary.judgements:
        result = by_name[judgement.scenario]
        if judgement.verdict is not Verdict.PASS and not result.known:
            yield _story(judgement, result, is_open=is_first)
            is_first = False
    if results.known_failures:
        yield _known(results)
    if results.inconclusive:
        first = (f"{_code(each.name)}: {_code(each.reason)}" for each in results.inconclusive)
        yield _list("Inconclusive at first, and played again on its own", first)
    yield _folded(f"all {len(looked_at)} rules that were looked at", _table(looked_at))


def _headline(results: Results, summary: Summary) -> str:
    tested = results.implementation
    name = f"{tested.name} {tested.version}".strip()
    where = ", in virtual time" if results.world == VIRTUAL else ""
    implementation = _code(name, _NAME_MAX) if name else f"the {tested.side}"
    line = f"## {results.verdict}: {implementation} against {results.profile}{where}: {summary.counted()}\n"
    if results.world == VIRTUAL:
        line += "\n**This certifies nothing**: virtual time, a simulated network, no process of anybody's.\n"
    return line


def _table(rules: Sequence[RuleResult]) -> str:
    rows = ["| rule | verdict | checks | what it says |", "|---|---|---:|---|"]
    for rule in rules:
        verdict = f"**{rule.verdict}**{' (known)' if rule.known else ''}"
        answer = f" (seen: {_text(rule.answer)})" if rule.answer else ""
        rows.append(f"| {rule.id} | {verdict} | {rule.checks} | {_text(rule.text)}{answer} |")
    return "\n".join([*rows, ""])


def _story(judgement: Judgement, result: ScenarioResult, *, is_open: bool) -> str:
    """Return what became of one scenario: what was expected beside what was seen, and how to play it again."""
    fenced = f"{_fenced('text', render(judgement))}\n{_fenced('sh', result.repeat)}"
    return _folded(f"{judgement.verdict} {judgement.scenario}", fenced, is_open=is_open)


def _known(results: Results) -> str:
    reasons = {each.name: each.reason for each in results.scenarios}
    lines = []
    for each in results.known_failures:
        link = f" {_code(each.entry.link)}" if each.entry.link else ""
        tolerated = f"tolerated: {_code(each.entry.reason)}{link} ({each.where})"
        lines.append(f"{_code(each.scenario)}: {_code(reasons[each.scenario])}; {tolerated}")
    return _list("Known failures: played and judged all the same, and not counted", lines)


def _list(title: str, lines: Iterator[str] | Sequence[str]) -> str:
    return "\n".join([f"### {title}", "", *(f"- {line}" for line in lines), ""])


def _folded(title: str, body: str, *, is_open: bool = False) -> str:
    opened = "<details open>" if is_open else "<details>"
    return f"{opened}<summary><code>{html.escape(printable(title))}</code></summary>\n\n{body}\n</details>\n"


# ---------------------------------------------------------------------------------------------------- escaping


def _text(text: str) -> str:
    """Return a text of linkproof's own as Markdown that says just that."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~])", r"\\\1", printable(text))


def _code(text: str, most: int = _REASON_MAX) -> str:
    """Return any text at all as a span of code; cut where it is long."""
    shown = printable(text if len(text) <= most else f"{text[:most]}...")
    ticks = "`" * (_longest_run(shown) + 1)
    # A space at each end is taken off again; without, a backtick would join those of the span.
    return f"{ticks} {shown} {ticks}" if shown.strip("` ") != shown or not shown else f"{ticks}{shown}{ticks}"


def _fenced(language: str, text: str) -> str:
    """Return any lines at all as a block of code."""
    fence = "`" * max(3, _longest_run(text) + 1)
    lines = "\n".join(printable(line) for line in text.split("\n"))
    return f"{fence}{language}\n{lines}\n{fence}\n"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
