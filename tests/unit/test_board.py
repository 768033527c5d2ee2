"""The board over a reporter that puts down what it is told, in virtual time."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness import board as module
from harness.board import LOG_EVERY_S, REDRAW_S, ROWS_MAX, Board
from harness.run import RealRun
from harness.spec.timing import NS_PER_S
from harness.world.virtual_loop import START_NS, now_ns, run
from harness.world.world import Waiting


class Reporter:
    """A terminal, or a log: what was written to it, in order."""

    def __init__(self, *, isatty: bool) -> None:
        self.isatty = isatty
        self.written: list[str] = []
        self.lines: list[str] = []

    def ensure_newline(self) -> None:
        self.written.append("<newline>")

    def write(self, text: str, *, flush: bool = False) -> None:
        assert flush, "what is drawn is to be seen at once"
        self.written.append(text)

    def write_line(self, text: str) -> None:
        self.lines.append(text)

    def screen(self) -> list[str]:
        """The lines that were drawn last."""
        return [line.removeprefix("\r") for line in self.written[-1].removesuffix("\n").split("\n")]


def waiting(what: str, for_s: float = 0) -> Any:
    until_ns = START_NS + round(for_s * NS_PER_S) if for_s else 0
    return SimpleNamespace(world=SimpleNamespace(waiting=Waiting(what, until_ns)))


def a_run(*, done: int = 0, **playing: Any) -> RealRun:
    named = {f"test_x.py::test_{name}": play for name, play in playing.items()}
    return cast(RealRun, SimpleNamespace(judgements=dict.fromkeys(range(done)), playing=named))


def board_of(reporter: Reporter | None, of: RealRun, total: int = 9) -> Board:
    plugins = SimpleNamespace(get_plugin=lambda name: {"terminalreporter": reporter}[name])
    return Board(cast(pytest.Config, SimpleNamespace(pluginmanager=plugins)), of, total=total)


@pytest.fixture(autouse=True)
def _virtual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "now_ns", now_ns)
    set_size(monkeypatch, columns=80, lines=24)


def set_size(monkeypatch: pytest.MonkeyPatch, *, columns: int, lines: int) -> None:
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((columns, lines)))


def shown_for(reporter: Reporter | None, of: RealRun, seconds: float) -> None:
    async def show() -> None:
        async with board_of(reporter, of):
            await asyncio.sleep(seconds)

    run(show())


def seen_while(
    reporter: Reporter,
    of: RealRun,
    look: Callable[[Board], Coroutine[Any, Any, None]],
    *,
    after_s: float = REDRAW_S + 0.01,
) -> None:
    async def show() -> None:
        async with board_of(reporter, of) as board:
            await asyncio.sleep(after_s)
            await look(board)

    run(show())


def screen_of(of: RealRun, *, after_s: float = REDRAW_S + 0.01) -> list[str]:
    reporter, screens = Reporter(isatty=True), list[list[str]]()

    async def look(_: Board) -> None:
        screens.append(reporter.screen())

    seen_while(reporter, of, look, after_s=after_s)
    return screens[0]


# ------------------------------------------------------------------------------------------ in a terminal


def test_it_tells_how_many_are_done_and_what_each_waits_for_the_longest_wait_first() -> None:
    of = a_run(
        done=4,
        soon=waiting("waiting for 2 s to pass", 2.6),
        unknown=waiting("starting its people"),
        late=waiting("waiting for 30 s to pass", 30.6),
    )
    assert screen_of(of) == [
        "[  0 s] 4 of 9 done, 3 running",
        "   30 s  late: waiting for 30 s to pass",
        "    2 s  soon: waiting for 2 s to pass",
        "         unknown: starting its people",
    ]


def test_it_draws_over_what_it_drew_before_and_leaves_nothing_behind() -> None:
    reporter = Reporter(isatty=True)
    shown_for(reporter, a_run(a=waiting("x")), 2 * REDRAW_S + 0.01)
    texts = [text for text in reporter.written if text != "<newline>"]
    assert [text.count("\n") for text in texts] == [2, 0, 2, 0]
    assert texts[1] == texts[3] == "\x1b[2F\x1b[J"
    assert reporter.lines == []


def test_nothing_is_drawn_before_its_time() -> None:
    reporter = Reporter(isatty=True)
    shown_for(reporter, a_run(a=waiting("x")), REDRAW_S - 0.01)
    assert reporter.written == []


def test_it_steps_aside_for_a_result_and_comes_back_at_once() -> None:
    reporter = Reporter(isatty=True)

    async def look(board: Board) -> None:
        with board.aside():
            assert reporter.written[-1] == "\x1b[1F\x1b[J"
            reporter.write("a result\n", flush=True)
        assert reporter.screen() == ["[  1 s] 0 of 9 done, 0 running"]  # half a second has passed, and a moment

    seen_while(reporter, a_run(), look)


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_no_line_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    set_size(monkeypatch, columns=columns, lines=24)
    summary, row = screen_of(a_run(a=waiting("x" * 200)))
    assert len(row) == columns - 1
    assert row == ("         a: " + "x" * 200)[: columns - 1]
    assert summary == "[  0 s] 0 of 9 done, 1 running"[: columns - 1]


def test_it_takes_fewer_lines_than_the_terminal_has(monkeypatch: pytest.MonkeyPatch) -> None:
    set_size(monkeypatch, columns=80, lines=5)
    of = a_run(**{f"n{number}": waiting("x", 10 + number) for number in range(9)})
    assert [line.split()[-2] for line in screen_of(of)[1:]] == ["n8:", "n7:", "n6:"]


@pytest.mark.parametrize(
    ("playing", "rows", "more"), [(ROWS_MAX, ROWS_MAX, 0), (ROWS_MAX + 1, ROWS_MAX, 1), (100, ROWS_MAX, 100 - ROWS_MAX)]
)
def test_beyond_so_many_rows_it_tells_how_many_more_there_are(playing: int, rows: int, more: int) -> None:
    of = a_run(**{f"n{number}": waiting("x", 10 + number) for number in range(playing)})
    lines = screen_of(of)[1:]
    assert len(lines) == rows + (1 if more else 0)
    assert lines[0].endswith(f" n{playing - 1}: x")
    assert lines[-1] == (f"         and {more} more" if more else "   10 s  n0: x")


# ------------------------------------------------------------------------------------------ in a log


def test_a_log_gets_one_line_now_and_then_with_the_longest_wait() -> None:
    reporter = Reporter(isatty=False)
    of = a_run(done=1, soon=waiting("y", 20), late=waiting("waiting for bob", 35))
    shown_for(reporter, of, 2 * LOG_EVERY_S + 0.01)
    assert reporter.lines == [
        "[ 10 s] 1 of 9 done, 2 running;    25 s  late: waiting for bob",
        "[ 20 s] 1 of 9 done, 2 running;    15 s  late: waiting for bob",
    ]
    assert reporter.written == ["<newline>", "<newline>"]


def test_a_log_is_not_cut_to_the_width_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    set_size(monkeypatch, columns=20, lines=2)
    reporter = Reporter(isatty=False)
    shown_for(reporter, a_run(a=waiting("x" * 200)), LOG_EVERY_S + 0.01)
    (line,) = reporter.lines
    assert line.endswith("x" * 200)


def test_with_nothing_running_a_log_has_the_numbers_alone() -> None:
    reporter = Reporter(isatty=False)
    shown_for(reporter, a_run(done=9), LOG_EVERY_S + 0.01)
    assert reporter.lines == ["[ 10 s] 9 of 9 done, 0 running"]


def test_in_a_log_nothing_is_wiped_out_for_a_result() -> None:
    reporter = Reporter(isatty=False)

    async def look(board: Board) -> None:
        before = list(reporter.written)
        with board.aside():
            pass
        assert reporter.written == before

    seen_while(reporter, a_run(), look, after_s=LOG_EVERY_S + 0.01)


def test_without_a_reporter_nothing_is_told() -> None:
    async def show() -> int:
        async with board_of(None, a_run(a=waiting("x"))) as board:
            await asyncio.sleep(3 * LOG_EVERY_S)
            with board.aside():
                return len(asyncio.all_tasks())

    assert run(show()) == 1  # nobody draws
