"""The board over a reporter that puts down what it is told, in virtual time."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness import board as module
from harness.board import LOG_EVERY_S, REDRAW_S, ROWS_MAX, Board
from harness.oracle.verdict import Judgement, Verdict
from harness.run import RealRun
from harness.spec.timing import NS_PER_S
from harness.trace import Observation, What
from harness.world.virtual_loop import START_NS, now_ns, run
from harness.world.world import Waiting


class Reporter:
    """A terminal, or a log: what was written to it, in order, up to each flush."""

    showlongtestinfo = True
    showfspath = False

    def __init__(self, *, isatty: bool, has_colours: bool = False) -> None:
        self.isatty = isatty
        self.written: list[str] = []
        self.lines: list[str] = []
        self._has_colours = has_colours
        self._held = ""

    def ensure_newline(self) -> None:
        assert not self._held, "what is drawn is to be seen at once"
        self.written.append("<newline>")

    def write(self, text: str, *, flush: bool = False, **colours: bool) -> None:
        names = "+".join(name for name, is_on in colours.items() if is_on)
        self._held += f"<{names}>{text}</>" if names and self._has_colours else text
        if flush:
            self.written.append(self._held)
            self._held = ""

    def write_line(self, text: str) -> None:
        self.lines.append(text)

    def screen(self) -> list[str]:
        """The lines that were drawn last."""
        drawn = re.sub("\x1b\\[[0-9]*[A-Z]|\r", "", self.written[-1])
        return drawn.removesuffix("\n").split("\n")


def waiting(what: str, for_s: float = 0, *, begun: bool = True) -> Any:
    """A scenario that waits; one that has begun has its first person since the start of the run."""
    until_ns = START_NS + round(for_s * NS_PER_S) if for_s else 0
    trace = [Observation(START_NS, "scenario", What.SCENARIO, "x")]
    trace += [Observation(START_NS, "alice", What.DECLARED, "sdk")] if begun else []
    return SimpleNamespace(world=SimpleNamespace(waiting=Waiting(what, until_ns), trace=trace))


def judged(verdict: Verdict, attempt: int = 1) -> Judgement:
    return Judgement("x", verdict, "", [], [], attempt=attempt)


def a_run(*, done: int = 0, came_out: tuple[Judgement, ...] = (), **playing: Any) -> RealRun:
    """A run of which so many have passed, and these came out in another way."""
    judgements = [judged(Verdict.PASS)] * done + list(came_out)
    named = {f"test_x.py::test_{name}": play for name, play in playing.items()}
    return cast(
        RealRun,
        SimpleNamespace(judgements={f"done {n}": each for n, each in enumerate(judgements)}, playing=named),
    )


def board_of(reporter: Reporter | None, of: RealRun, lasts_s: float = 30.0, total: int = 9) -> Board:
    """Each of them takes so long; there are so many of them, or as many as are done or running."""
    plugins = SimpleNamespace(get_plugin=lambda name: {"terminalreporter": reporter}[name])
    names = [*of.judgements, *of.playing]
    names += [f"later {number}" for number in range(total - len(names))]
    return Board(cast(pytest.Config, SimpleNamespace(pluginmanager=plugins)), of, dict.fromkeys(names, lasts_s))


@pytest.fixture(autouse=True)
def _virtual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "now_ns", now_ns)
    set_size(monkeypatch, columns=80, lines=24)


def set_size(monkeypatch: pytest.MonkeyPatch, *, columns: int, lines: int) -> None:
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((columns, lines)))


def shown_for(reporter: Reporter | None, of: RealRun, seconds: float, total: int = 9) -> None:
    async def show() -> None:
        async with board_of(reporter, of, total=total):
            await asyncio.sleep(seconds)

    run(show())


def seen_while(
    reporter: Reporter,
    of: RealRun,
    look: Callable[[Board], Coroutine[Any, Any, None]],
    *,
    after_s: float = REDRAW_S + 0.01,
    lasts_s: float = 30.0,
    total: int = 9,
) -> None:
    async def show() -> None:
        async with board_of(reporter, of, lasts_s, total) as board:
            await asyncio.sleep(after_s)
            await look(board)

    run(show())


def screen_of(of: RealRun, *, reporter: Reporter | None = None, **seen: Any) -> list[str]:
    terminal, screens = reporter or Reporter(isatty=True), list[list[str]]()

    async def look(_: Board) -> None:
        screens.append(terminal.screen())

    seen_while(terminal, of, look, **seen)
    return screens[0]


# ------------------------------------------------------------------------------------------ in a terminal


def test_it_tells_how_many_are_done_and_what_each_waits_for_the_longest_wait_first() -> None:
    of = a_run(
        done=4,
        soon=waiting("waiting for 2 s to pass", 2.6),
        unknown=waiting("starting its people", begun=False),
        late=waiting("waiting for 30 s to pass", 30.6),
    )
    assert screen_of(of) == [
        "[  0 s] 4 of 9 done: 4 PASS",
        "        2 running, 3 still to be started; about 30 s left",
        "    30 s  late: waiting for 30 s to pass",
        "     2 s  soon: waiting for 2 s to pass",
        "          unknown: starting its people",
    ]


def test_each_verdict_is_counted_in_words_and_has_its_colour_where_there_are_colours() -> None:
    came_out = [judged(each) for each in (Verdict.FAIL, Verdict.UNSUPPORTED, Verdict.ERROR, Verdict.FAIL)]
    of = a_run(done=3, came_out=(*came_out, judged(Verdict.INCONCLUSIVE, attempt=2)))
    plain = "[  0 s] 8 of 9 done: 3 PASS, 2 FAIL, 1 INCONCLUSIVE, 1 ERROR, 1 UNSUPPORTED"
    assert screen_of(of)[0] == plain
    (line, *_) = screen_of(of, reporter=Reporter(isatty=True, has_colours=True))
    assert re.sub("<[a-z+]+>|</>", "", line) == plain
    for coloured in ("<green>3 PASS</>", "<red+bold>2 FAIL</>", "<yellow>1 INCONCLUSIVE</>", "<purple+bold>1 ERROR</>"):
        assert coloured in line


def test_what_is_to_be_played_again_is_not_done() -> None:
    of = a_run(done=3, came_out=(judged(Verdict.INCONCLUSIVE),))
    lines = screen_of(of, total=4, lasts_s=7)
    assert lines == ["[  0 s] 3 of 4 done: 3 PASS; 1 to be played again", "        0 running; about 7 s left"]


def test_it_draws_over_what_it_drew_before_and_leaves_nothing_behind() -> None:
    reporter = Reporter(isatty=True)
    shown_for(reporter, a_run(a=waiting("x")), 2 * REDRAW_S + 0.01)
    first, second, last = (text for text in reporter.written if text != "<newline>")
    assert first.startswith("\r[")
    assert second.startswith("\x1b[3F[")
    for drawn in (first, second):
        assert drawn.count("\x1b[K\n") == drawn.count("\n") == 3
        assert drawn.endswith("\x1b[J")
    assert last == "\x1b[3F\x1b[J"
    assert reporter.lines == []


def test_nothing_is_drawn_before_its_time() -> None:
    reporter = Reporter(isatty=True)
    shown_for(reporter, a_run(a=waiting("x")), REDRAW_S - 0.01)
    assert reporter.written == []


@pytest.mark.parametrize("begins_with_a_line", [True, False])
def test_it_steps_aside_for_a_result_and_comes_back_at_once(begins_with_a_line: bool) -> None:
    reporter = Reporter(isatty=True)
    reporter.showlongtestinfo = begins_with_a_line

    async def look(board: Board) -> None:
        with board.aside():
            # The new line that pytest begins with would leave an empty one.
            assert reporter.written[-1] == "\x1b[2F\x1b[J" + ("\x1b[A" if begins_with_a_line else "")
            reporter.write("a result\n", flush=True)
        assert reporter.screen()[0] == "[  1 s] 0 of 9 done"  # half a second has passed, and a moment

    seen_while(reporter, a_run(), look)


def test_lines_that_a_narrower_terminal_has_broken_in_two_are_wiped_out_too(monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = Reporter(isatty=True)

    async def look(board: Board) -> None:
        lengths = [len(line) for line in reporter.screen()]
        assert lengths == [19, 57, 79]
        set_size(monkeypatch, columns=40, lines=24)
        with board.aside():
            assert reporter.written[-1].startswith("\x1b[5F\x1b[J")  # one row, two, and two

    seen_while(reporter, a_run(a=waiting("x" * 200)), look)


def test_a_terminal_that_moves_no_cursor_is_written_to_as_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    reporter = Reporter(isatty=True)
    shown_for(reporter, a_run(), LOG_EVERY_S + 0.01)
    assert reporter.written == ["<newline>"]
    assert len(reporter.lines) == 1


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_no_line_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    set_size(monkeypatch, columns=columns, lines=24)
    summary, running, row = screen_of(a_run(a=waiting("x" * 200)))
    assert len(row) == columns - 1
    assert row == ("          a: " + "x" * 200)[: columns - 1]
    assert summary == "[  0 s] 0 of 9 done"[: columns - 1]
    assert running == "        1 running, 8 still to be started; about 34 s left"[: columns - 1]


def test_a_long_name_leaves_room_for_what_is_waited_for_and_keeps_its_parameters() -> None:
    of = a_run(**{f"{'n' * 90}[cut-r2]": waiting("waiting for 30 s to pass", 31)})
    row = screen_of(of)[2]
    assert row == f"    30 s  {'n' * 26}…{'n' * 5}[cut-r2]: waiting for 30 s to pass"


def test_it_takes_fewer_lines_than_the_terminal_has(monkeypatch: pytest.MonkeyPatch) -> None:
    set_size(monkeypatch, columns=80, lines=7)
    of = a_run(**{f"n{number}": waiting("x", 10 + number) for number in range(9)})
    lines = screen_of(of)
    assert [line.split()[-2] for line in lines[2:5]] == ["n8:", "n7:", "n6:"]
    assert lines[5:] == ["          and 6 more"]


@pytest.mark.parametrize("columns", [1, 2, 8, 13])
def test_a_terminal_that_is_hardly_there_is_written_to_all_the_same(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    set_size(monkeypatch, columns=columns, lines=24)
    assert all(len(line) < columns for line in screen_of(a_run(name=waiting("x", 10))))


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_a_terminal_of_few_lines_has_the_first_ones(monkeypatch: pytest.MonkeyPatch, lines: int) -> None:
    set_size(monkeypatch, columns=80, lines=lines)
    of = a_run(a=waiting("x", 10), b=waiting("y", 20))
    expected = ["[  0 s] 0 of 9 done", "        2 running, 7 still to be started; about 32 s left"]
    assert screen_of(of) == (expected[: lines - 1] or [""])


@pytest.mark.parametrize(
    ("playing", "rows", "more"), [(ROWS_MAX, ROWS_MAX, 0), (ROWS_MAX + 1, ROWS_MAX, 1), (100, ROWS_MAX, 100 - ROWS_MAX)]
)
def test_beyond_so_many_rows_it_tells_how_many_more_there_are(playing: int, rows: int, more: int) -> None:
    of = a_run(**{f"n{number}": waiting("x", 10 + number) for number in range(playing)})
    lines = screen_of(of)[2:]
    assert len(lines) == rows + (1 if more else 0)
    assert lines[0].endswith(f" n{playing - 1}: x")
    assert lines[-1] == (f"          and {more} more" if more else "    10 s  n0: x")


# ------------------------------------------------------------------------------------------ the time that is left


def left_after(seconds: float, of: RealRun, *, lasts_s: float = 30.0, total: int = 0) -> str:
    """What is said to be left when so many seconds have passed."""
    line = screen_of(of, after_s=seconds + 0.01, lasts_s=lasts_s, total=total)[1]
    return line.rpartition("; ")[2]


def test_what_runs_is_expected_to_take_as_long_as_it_declares() -> None:
    assert left_after(10, a_run(a=waiting("x"))) == "about 20 s left"
    assert left_after(29, a_run(done=5, a=waiting("x"))) == "about 1 s left"
    assert left_after(60, a_run(a=waiting("x"))) == "about 0 s left"


def test_what_is_still_to_be_started_is_expected_as_fast_as_the_others_were() -> None:
    # 4 in 10 s were started: the sixth of the others in another 15 s, and then it takes its 30 s.
    of = a_run(done=3, a=waiting("x"), b=waiting("starting its people", begun=False))
    assert left_after(10, of, total=10) == "about 45 s left"


def test_what_could_not_be_told_is_played_again_when_all_others_are_done() -> None:
    of = a_run(came_out=(judged(Verdict.INCONCLUSIVE), judged(Verdict.INCONCLUSIVE)), a=waiting("x"))
    assert left_after(10, of, lasts_s=15) == "about 35 s left"
    done = a_run(came_out=(judged(Verdict.INCONCLUSIVE, attempt=2), judged(Verdict.FAIL)))
    assert left_after(10, done) == "about 0 s left"


# ------------------------------------------------------------------------------------------ in a log


def test_a_log_gets_one_line_now_and_then_with_the_longest_wait() -> None:
    reporter = Reporter(isatty=False, has_colours=True)
    of = a_run(done=1, soon=waiting("y", 20), late=waiting("waiting for bob", 35))
    shown_for(reporter, of, 2 * LOG_EVERY_S + 0.01, total=3)
    assert reporter.lines == [
        "[ 10 s] 1 of 3 done: 1 PASS; 2 running; about 20 s left; 25 s  late: waiting for bob",
        "[ 20 s] 1 of 3 done: 1 PASS; 2 running; about 10 s left; 15 s  late: waiting for bob",
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
    assert reporter.lines == ["[ 10 s] 9 of 9 done: 9 PASS; 0 running; about 0 s left"]


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
