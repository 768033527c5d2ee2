from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from harness.reference.notes_core import Note, What
from harness.reference.server_log import LogFormat, event, start, write

NOTE = Note(What.REFUSED, "banned", 7, "app", "alice", "the system has banned this user")
LOG = logging.getLogger("harness.tests.server_log")


@pytest.fixture
def target() -> Iterator[io.StringIO]:
    root, stream = logging.getLogger(), io.StringIO()
    level = root.level
    yield stream
    root.setLevel(level)
    for handler in [known for known in root.handlers if getattr(known, "stream", None) is stream]:
        root.removeHandler(handler)


def lines(target: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in target.getvalue().splitlines()]


def test_a_line_for_machines_says_who_what_and_why(target: io.StringIO) -> None:
    start(target, LogFormat.JSON)
    write(LOG, NOTE, peer="127.0.0.1:4711")
    (line,) = lines(target)
    assert str(line.pop("at")).endswith("Z")
    assert line == {
        "level": "info",
        "what": "refused",
        "why": "banned",
        "conn": 7,
        "app_id": "app",
        "uid": "alice",
        "peer": "127.0.0.1:4711",
        "detail": "the system has banned this user",
    }


def test_what_is_not_known_is_left_out(target: io.StringIO) -> None:
    start(target, LogFormat.JSON)
    write(LOG, Note(What.ENDED, "expired", None, "app", "alice"), peer="")
    (line,) = lines(target)
    assert line.keys() == {"at", "level", "what", "why", "app_id", "uid"}


def test_a_line_for_people_quotes_what_clients_have_chosen(target: io.StringIO) -> None:
    start(target, LogFormat.TEXT)
    write(LOG, NOTE._replace(uid="alice\n2026-01-01 info login", detail=""), peer="")
    line = target.getvalue()
    assert line.count("\n") == 1, "nobody can write lines of their own into the log"
    assert line.endswith(r" info refused why='banned' conn=7 app_id='app' uid='alice\n2026-01-01 info login'" + "\n")


@pytest.mark.parametrize(("what", "level"), [(What.FAILED, None), (What.DROPPED, "warning"), (What.LOST, "info")])
def test_what_a_wild_client_could_fill_a_disk_with_is_not_written(
    target: io.StringIO, what: What, level: str | None
) -> None:
    start(target, LogFormat.JSON)
    write(LOG, Note(what), peer="")
    assert [line["level"] for line in lines(target)] == ([] if level is None else [level])


@pytest.mark.parametrize("how", list(LogFormat))
def test_a_fault_of_the_server_is_written_with_where_it_was(target: io.StringIO, how: LogFormat) -> None:
    start(target, how)
    try:
        raise ArithmeticError("planted")
    except ArithmeticError:
        LOG.exception("connection %d failed", 7)
    assert "connection 7 failed" in target.getvalue()
    assert "ArithmeticError: planted" in target.getvalue()
    assert (target.getvalue().count("\n") == 1) == (how is LogFormat.JSON), "for machines it is one line all the same"


def test_an_event_of_the_server_itself_is_a_line_too(target: io.StringIO) -> None:
    start(target, LogFormat.JSON)
    event(LOG, "listening", url="ws://127.0.0.1:1")
    (line,) = lines(target)
    assert (line["what"], line["url"]) == ("listening", "ws://127.0.0.1:1")
