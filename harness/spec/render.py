"""Draws docs/spec.md from the data in this package, so that the page cannot say anything else than the code.

``python -m harness.spec.render docs/spec.md`` (or ``make docs``) writes the page; with ``--check`` nothing is written,
and the exit code is 1 where the page is stale.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from pathlib import Path

from harness.spec.clauses import Clause
from harness.spec.profiles import RTM_1_0, Profile
from harness.spec.states import (
    CODES_OF,
    JoinChannelError,
    LeaveChannelError,
    LoginError,
    LogoutError,
    Reason,
    RenewTokenError,
    State,
)
from harness.spec.transitions import INITIAL_STATE, Transition

MADE_BY = "make docs"
CODES: tuple[type[IntEnum], ...] = (LoginError, LogoutError, RenewTokenError, JoinChannelError, LeaveChannelError)

# What each number of a profile is, and the clause that states it; None: the document's vocabulary does.
DURATIONS: dict[str, tuple[str, str | None]] = {
    "login_s": ("a login not through by then has timed out", "CONNECTING-5"),
    "interruption_s": ("an interruption not recovered by then is told to the app", "CONNECTED-3"),
    "presence_s": ("the system presumes an interrupted user online for so long", "GENERAL-4"),
    "join_channel_s": ("a join not through by then has timed out", "OPEN-23"),
    "login_calls_max": ("so many login() calls are let through ...", "OPEN-13"),
    "login_calls_window_s": ("... within so long; what is beyond is TOO_OFTEN", "OPEN-13"),
    "channels_max": ("so many channels at once; what is beyond is EXCEED_LIMIT", None),
}

_HEAD = f"""\
<!-- Made from harness/spec by '{MADE_BY}' (python -m harness.spec.render docs/spec.md).
     Do not edit: change the data there, then run it again. -->

# The rules

This page is made from the data in `harness/spec` by `{MADE_BY}`; a test fails where it is stale. It is the whole of
what the judge holds a client against. An id never changes, and is never used again for something else.

- [The diagram](#the-diagram), [the transitions](#the-transitions), [the legal pairs](#the-legal-pairs)
- [States](#states), [reasons](#reasons), [error codes](#error-codes)
- [Clauses](#clauses)
- [Durations and counts](#durations-and-counts)"""

_DIAGRAM = """\
## The diagram

Each arrow carries what causes the switch, and the reason that the callback gives. There is no other switch, and no
callback without one ([GENERAL-1](#general-1))."""

_TRANSITIONS = """\
## The transitions

`onConnectionStateChanged(state, reason)` comes exactly once for each of these."""

_PAIRS = """\
## The legal pairs

What follows from the table: no other state comes with no other reason."""

_CODES = """\
## Error codes

Over the [adapter contract](adapter-contract.md) codes travel as these numbers; scenarios and reports use the names."""

_CLAUSES = """\
## Clauses

The sections GENERAL to ABORTED are what the document itself states. OPEN is what it leaves open, with the answer that
is judged here. MUST: there is one right answer. SHOULD: the sources disagree, every answer that is listed is accepted,
and the report names the one that was seen."""


def render(profile: Profile = RTM_1_0) -> str:
    """Return the page, its last newline included."""
    parts = [
        _HEAD,
        f"{_DIAGRAM}\n\n{_diagram(profile.transitions)}",
        f"{_TRANSITIONS}\n\n{_transition_table(profile.transitions)}",
        f"{_PAIRS}\n\n{_pair_table(profile.transitions)}",
        f"## States\n\n{_doc(State)}\n\n{_number_table(State)}",
        f"## Reasons\n\n{_doc(Reason)}\n\n{_number_table(Reason)}",
        _CODES,
        *(f"### {_prefix(kind)}\\*\n\n{_spoken_by(kind)}\n\n{_number_table(kind)}" for kind in CODES),
        _CLAUSES,
        *_sections(profile.clauses),
        f"## Durations and counts\n\nThe profile is `{profile.name}`.\n\n{_duration_table(profile)}",
    ]
    return "\n\n".join(parts) + "\n"


def link(clause_id: str) -> str:
    """Return a link to a clause on the page."""
    return f"[{clause_id}](#{clause_id.lower()})"


def _diagram(transitions: Iterable[Transition]) -> str:
    arrows: dict[tuple[State, State], list[str]] = {}
    for row in transitions:
        arrows.setdefault((row.source, row.target), []).append(f"{row.cause} / {row.reason.name}")
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {INITIAL_STATE.name}"]
    # Two arrows between the same two states would be drawn over each other: one arrow carries both lines.
    lines += [f"    {source.name} --> {target.name}: {'<br/>'.join(why)}" for (source, target), why in arrows.items()]
    return "\n".join([*lines, "```"])


def _transition_table(transitions: Iterable[Transition]) -> str:
    rows = [
        (row.source.name, row.cause, row.target.name, row.reason.name, ", ".join(map(link, row.clauses)))
        for row in transitions
    ]
    return _table(("from", "because of", "to", "reason", "clauses"), rows)


def _pair_table(transitions: Iterable[Transition]) -> str:
    pairs = sorted({(row.target, row.reason) for row in transitions})
    return _table(("state", "reason"), [(state.name, reason.name) for state, reason in pairs])


def _number_table(kind: type[IntEnum]) -> str:
    return _table(("number", "name"), [(str(each.value), f"`{each.name}`") for each in kind])


def _doc(kind: type[IntEnum]) -> str:
    """Return what an enum says of itself, with its prefix marked as code."""
    return re.sub(r"(prefix )([A-Z_]+)", r"\1`\2`", kind.__doc__ or "")


def _prefix(kind: type[IntEnum]) -> str:
    found = re.search(r"prefix ([A-Z_]+)", kind.__doc__ or "")
    assert found is not None, f"the docstring of {kind.__name__} does not say with which prefix it is published"
    return found[1]


def _spoken_by(kind: type[IntEnum]) -> str:
    speakers = [f"`{speaker}`" for speaker, codes in CODES_OF.items() if codes is kind]
    return f"Spoken by {', '.join(speakers)}."


def _sections(clauses: Sequence[Clause]) -> Iterator[str]:
    for section in dict.fromkeys(clause.section for clause in clauses):
        rows = [
            (f'<a id="{clause.id.lower()}"></a>{clause.id}', clause.grade.value, clause.text)
            for clause in clauses
            if clause.section == section
        ]
        # The word beside it keeps the headings' own anchors (connected-1 for a second CONNECTED) off the clauses'.
        yield f"### {section} clauses\n\n{_table(('id', 'grade', 'rule'), rows)}"


def _duration_table(profile: Profile) -> str:
    rows = []
    for field in dataclasses.fields(profile.timing):
        meaning, clause_id = DURATIONS[field.name]
        value = getattr(profile.timing, field.name)
        shown = f"{value:g} s" if field.name.endswith("_s") else str(value)
        rows.append((f"`{field.name}`", shown, meaning, link(clause_id) if clause_id else "vocabulary"))
    return _table(("name", "value", "what it is", "stated by"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write the page, or check it; returns the exit code."""
    paths = [argument for argument in arguments if argument != "--check"]
    if len(paths) != 1 or paths[0].startswith("-"):
        sys.stderr.write("usage: python -m harness.spec.render [--check] docs/spec.md\n")
        return 2
    path, page = Path(paths[0]), render()
    if "--check" not in arguments:
        path.write_text(page, encoding="utf-8")
        return 0
    if path.exists() and path.read_text(encoding="utf-8") == page:
        return 0
    sys.stderr.write(f"{path} is stale: harness/spec says something else. Run '{MADE_BY}' and commit the page.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
