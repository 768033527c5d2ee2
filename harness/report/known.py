"""Known failures: which FAILs are expected of an implementation, why each is tolerated, and whether that still holds.

Each entry names one scenario or one rule, and a part of the reason that the judge gives, so that another failure in the
same place is not excused. What is known is played and judged all the same. The list may not rot: an entry of which
nothing comes any more is a misfit, and fails the run. Documented in docs/known-failures.md.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.errors import UsageError
from harness.oracle.verdict import Judgement, Verdict, worst

# Written for its reader to replace. In two parts, as no file of this tree may hold an open end.
UNEXPLAINED = "TO" + "DO: say why"

_ENTRY = re.compile(r"^[ \t]*\[\[[ \t]*known[ \t]*\]\]", re.MULTILINE)
_PAGE = "docs/known-failures.md"


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A failure that is known, as it stands in the file: of one scenario, or of one rule wherever it is checked."""

    explanation: str  # what the judge's reason has to contain
    reason: str  # why it is tolerated
    scenario: str = ""
    clause: str = ""
    link: str = ""

    @property
    def place(self) -> str:
        """The scenario or the rule that it speaks of."""
        return self.scenario or self.clause

    @property
    def is_unexplained(self) -> bool:
        """Whether nobody has yet said why it is tolerated."""
        return self.reason.startswith(UNEXPLAINED.partition(":")[0])


class Entry(msgspec.Struct, frozen=True):
    """A known failure, and where it stands (file and line)."""

    known: Known
    where: str


class Misfit(msgspec.Struct, frozen=True):
    """What of the known failures does not fit the run: what was found, where it stands, and how to mend it."""

    what: str
    where: str
    mend: str

    def __str__(self) -> str:
        return f"{self.what}\n  where: {self.where}\n  mend:  {self.mend}"


@dataclass(frozen=True, slots=True)
class KnownFailures:
    """All that is known of an implementation, and the text of the file that says so (empty: there is no file)."""

    entries: tuple[Entry, ...] = ()
    text: str = ""

    def excuse(self, judgement: Judgement) -> Entry | None:
        """Return the entry that excuses a scenario which failed: the only one that matches, with its explanation."""
        entries = self._matching(judgement)
        return entries[0] if len(entries) == 1 and entries[0].known.explanation in judgement.reason else None

    def misfit(self, judgement: Judgement) -> Misfit | None:
        """Return what does not fit one scenario, as far as that can be told of it alone."""
        if judgement.verdict is Verdict.PASS:
            of_it = [each for each in self.entries if each.known.scenario in _names(judgement)]
            return _passed(of_it[0], f"{judgement.scenario} passes") if of_it else None
        entries = self._matching(judgement)
        if len(entries) > 1:
            found = f"{judgement.scenario} fails, and {len(entries)} known failures match it"
            where = "; ".join(f"{each.where} ({each.known.place})" for each in entries)
            return Misfit(found, where, "leave one of them, so that it is clear why this is tolerated")
        if entries and self.excuse(judgement) is None:
            expected = entries[0].known.explanation
            found = f"{judgement.scenario} fails otherwise than is known: {expected!r} is not in {judgement.reason!r}"
            return Misfit(found, entries[0].where, "mend what is new, or write down its explanation")
        return None

    def passed_rules(self, judgements: Sequence[Judgement]) -> list[Misfit]:
        """Return the rules that are known to be broken, and were checked and broken nowhere in the whole suite."""
        found = []
        for entry in (each for each in self.entries if each.known.clause):
            clause = entry.known.clause
            checked = (check.verdict for each in judgements for check in each.checks if check.clause == clause)
            if worst(checked) is Verdict.PASS:
                found.append(_passed(entry, f"{clause} is broken by no scenario"))
        return found

    def check_places(self, scenarios: Iterable[str], clauses: Iterable[str]) -> None:
        """See to it that each entry matches something of the suite: a scenario, or a rule that one sets out to prove.

        Raises:
            UsageError: one does not.
        """
        # The other name of either is empty, and so is none of these.
        names, ids = {*scenarios, ""}, {*clauses, ""}
        strays = [each for each in self.entries if each.known.scenario not in names or each.known.clause not in ids]
        if strays:
            raise UsageError(
                "; ".join(f"{each.where} names {each.known.place!r}" for each in strays),
                why="no scenario of the suite has that name, or sets out to prove that rule",
                mend="correct the name, or take the entry out; 'linkproof certify --collect-only -q' lists them all",
            )

    def _matching(self, judgement: Judgement) -> list[Entry]:
        """Return the entries of the place in which a scenario failed, whatever they expect there."""
        if judgement.verdict is not Verdict.FAIL:
            return []
        broken = {check.clause for check in judgement.checks if check.verdict is Verdict.FAIL}
        names = _names(judgement)
        return [each for each in self.entries if each.known.scenario in names or broken == {each.known.clause}]


def _names(judgement: Judgement) -> tuple[str, str]:
    """Return the names that an entry may call a scenario by: one for all of its repetitions, too."""
    return judgement.scenario, judgement.plain_name


def _passed(entry: Entry, found: str) -> Misfit:
    return Misfit(f"unexpected pass: {found}", entry.where, "take the entry out: what it excuses is mended")


# ---------------------------------------------------------------------------------------------------- reading


def read(path: Path) -> KnownFailures:
    """Return what a file says.

    Raises:
        UsageError: it cannot be read, or is not written as docs/known-failures.md says.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the known failures cannot be read: {path}: {error}", mend="check the path") from error


def parse(text: str, name: str) -> KnownFailures:
    """Return what the text of a file of this name says.

    Raises:
        UsageError: it is not written as docs/known-failures.md says.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is no TOML: {error}", mend=f"see {_PAGE}") from error
    lines = [text.count("\n", 0, found.start()) + 1 for found in _ENTRY.finditer(text)]
    known = told.pop("known", [])
    if told or not isinstance(known, list) or len(known) != len(lines):
        found = f"{name} holds {sorted(told)}" if told else f"{name} does not begin each entry with a line [[known]]"
        raise UsageError(found, why="it is a list of [[known]], and nothing else", mend=f"see {_PAGE}")
    entries = tuple(_entry(each, f"{name}:{line}") for each, line in zip(known, lines, strict=True))
    twice = [place for place, count in Counter(each.known.place for each in entries).items() if count > 1]
    if twice:
        where = ", ".join(each.where for each in entries if each.known.place == twice[0])
        raise UsageError(f"{twice[0]!r} is known more than once: {where}", mend="leave one of the entries")
    return KnownFailures(entries, text)


def _entry(told: object, where: str) -> Entry:
    try:
        known = msgspec.convert(told, Known)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {error}", why="an entry has other fields", mend=f"see {_PAGE}") from error
    if bool(known.scenario) == bool(known.clause):
        raise UsageError(f"{where}: an entry names a scenario or a clause: one of the two", mend=f"see {_PAGE}")
    for field, value in (("explanation", known.explanation), ("reason", known.reason)):
        if not value.strip():
            raise UsageError(f"{where}: its {field} is empty", why="it would excuse anything", mend=f"see {_PAGE}")
    return Entry(known, where)


# ---------------------------------------------------------------------------------------------------- writing


def render(failed: Sequence[Judgement]) -> str:
    """Return a first file for the scenarios that failed in a run; why each is tolerated is left to its reader."""
    head = [
        "# Failures that are known and tolerated: what is excused, and nothing else. Replace each reason by why it is",
        f"# tolerated. See {_PAGE}.",
    ]
    once = {each.plain_name: each for each in reversed(failed)}  # of the repetitions of a scenario the first
    return "\n".join([*head, *(line for name in sorted(once) for line in _lines(once[name]))]) + "\n"


def _lines(judgement: Judgement) -> list[str]:
    fields = {
        "scenario": judgement.plain_name,
        "explanation": lasting_part(judgement.reason),
        "reason": UNEXPLAINED,
    }
    return ["", "[[known]]", *(f"{field} = {_quoted(value)}" for field, value in fields.items())]


def _quoted(text: str) -> str:
    """Return a text as a basic string of TOML: one of JSON, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def lasting_part(reason: str) -> str:
    """Return how a reason begins, up to what was measured or counted: that is another in the next run."""
    clause, person, what = reason.split(": ", 2) if reason.count(": ") > 1 else ("", "", reason)
    # What breaks a rule of the table is told with counts too; elsewhere a whole number is what was expected.
    measured = re.search(r"(?<!\S)\d" if "; but " in what else r"(?<!\S)\d+\.\d{3}\b", what)
    lasting = what[: measured.start()] if measured else what
    return ": ".join(part for part in (clause, person, lasting) if part).rstrip() or reason
