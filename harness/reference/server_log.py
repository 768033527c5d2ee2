"""The log of a server: one line for each thing that it did, for people or for machines.

What is said of users is what a note of the core holds, and no token is in one.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TextIO

from harness.reference.notes_core import Note, What

# Beyond these a note is of no interest to who watches a server: a client gone wild could fill a disk with FAILED.
_LEVELS = {What.FAILED: logging.DEBUG, What.DROPPED: logging.WARNING}


class LogFormat(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


def write(log: logging.Logger, note: Note, *, peer: str) -> None:
    """Write a note to a log, with the address of the connection's other end ('' where there is none)."""
    level = _LEVELS.get(note.what, logging.INFO)
    if log.isEnabledFor(level):
        who = {"conn": note.conn, "app_id": note.app_id, "uid": note.uid, "peer": peer}
        event(log, note.what, level, why=note.why, **who, detail=note.detail)


def event(log: logging.Logger, what: str, level: int = logging.INFO, **facts: str | int | None) -> None:
    """Write a line to a log: what happened, and what is known of it; what is empty is left out."""
    known = {name: value for name, value in facts.items() if value is not None and value != ""}
    log.log(level, "%s", what, extra={"facts": known})


def start(target: TextIO, how: LogFormat, level: int = logging.INFO) -> logging.Handler:
    """Have this process's log written to a stream; returns the handler, for who wants to end that."""
    handler = logging.StreamHandler(target)
    handler.setFormatter(_JsonLines() if how is LogFormat.JSON else _TextLines())
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(level)
    return handler


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "what": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


class _TextLines(logging.Formatter):
    """One line for people; what clients have chosen is in quotes, so that it cannot look like a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={value!r}" for name, value in getattr(record, "facts", {}).items())
        line = f"{_at(record)} {record.levelname.lower()} {record.getMessage()}{facts}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
