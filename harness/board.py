"""What a run shows while it lasts: a few lines that are kept up to date in a terminal, now and then a line in a log."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from types import TracebackType
from typing import Self

import pytest

from harness.clock import now_ns
from harness.oracle.verdict import Verdict
from harness.report.took import begun_ns
from harness.run import RealRun
from harness.spec.timing import NS_PER_S
from harness.trace import What
from harness.world.play import Play

REDRAW_S = 0.5
LOG_EVERY_S = 10.0
ROWS_MAX = 12  # of those that are running; beyond that a reader looks at nothing any more
_ERASE_LINE, _ERASE_BELOW = "\x1b[K", "\x1b[J"
# From the line above ours a new line leads to where our first one was.
_UP = "\x1b[A"
# A piece of a line, and how it is shown where there are colours. Each verdict has its word too.
_Piece = tuple[str, dict[str, bool]]
_PLAIN: dict[str, bool] = {}
_COLOURS = {
    Verdict.PASS: {"green": True},
    Verdict.FAIL: {"red": True, "bold": True},
    Verdict.INCONCLUSIVE: {"yellow": True},
    Verdict.ERROR: {"purple": True, "bold": True},
    Verdict.UNSUPPORTED: {"cyan": True},
}


class Board:
    """Tells how many scenarios are done and how they came out, what the others wait for, and how long it will take.

    ``lasts_s`` says of each scenario of the run about how long it takes.
    """

    def __init__(self, config: pytest.Config, run: RealRun, lasts_s: Mapping[str, float]) -> None:
        self._reporter: pytest.TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
        self._run = run
        self._lasts_s = lasts_s
        self._began_ns = now_ns()
        self._live = self._reporter is not None and self._reporter.isatty and os.environ.get("TERM") != "dumb"
        self._drawn: list[int] = []  # the lengths of the lines on the terminal that are ours
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._reporter is not None:
            self._task = asyncio.create_task(self._tell(), name="board")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self._erase()

    @contextlib.contextmanager
    def aside(self) -> Generator[None, None, None]:
        """Step aside while a result is printed."""
        self._erase(_UP if self._reporter is not None and _begins_with_a_line(self._reporter) else "")
        yield
        if self._live:
            self._draw()

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(REDRAW_S if self._live else LOG_EVERY_S)
            self._draw()

    # ------------------------------------------------------------------------------------------ on the terminal

    def _draw(self) -> None:
        reporter = self._reporter
        assert reporter is not None
        reporter.ensure_newline()
        if not self._live:
            parts = ("".join(text for text, _ in self._done()), self._running(), *self._waits(1))
            reporter.write_line("; ".join(part.strip() for part in parts))
            return
        size = shutil.get_terminal_size()
        # Two lines have the numbers, one says how many more there are, and the cursor stands on one of its own.
        room = max(0, min(ROWS_MAX, size.lines - 4))
        lines = [self._done(), [(self._running(), _PLAIN)]]
        lines += [[(line, _PLAIN)] for line in self._waits(room, columns=size.columns - 1)]
        lines = [list(_clipped(line, size.columns - 1)) for line in lines[: size.lines - 1]]
        # Drawn over, line by line, and nothing wiped out before: that would flicker.
        reporter.write(self._back())
        for line in lines:
            for text, colours in line:
                reporter.write(text, **colours)
            reporter.write(f"{_ERASE_LINE}\n")
        reporter.write(_ERASE_BELOW, flush=True)
        self._drawn = [sum(len(text) for text, _ in line) for line in lines]

    def _erase(self, then: str = "") -> None:
        if self._drawn and self._reporter is not None:
            self._reporter.write(f"{self._back()}{_ERASE_BELOW}{then}", flush=True)
            self._drawn = []

    def _back(self) -> str:
        """Return what brings the cursor back to our first line."""
        if not self._drawn:
            return "\r"
        # A terminal that was made narrower since has broken our lines in two.
        columns = shutil.get_terminal_size().columns
        return f"\x1b[{sum(max(1, -(-length // columns)) for length in self._drawn)}F"

    # ------------------------------------------------------------------------------------------ what there is to tell

    def _done(self) -> list[_Piece]:
        """How many are done, and how they came out; whatever is not a PASS stands out."""
        counts = Counter(judgement.verdict for judgement in self._run.judgements.values())
        again = len(self._to_play_again())
        counts[Verdict.INCONCLUSIVE] -= again
        passed_s = (now_ns() - self._began_ns) / NS_PER_S
        line: list[_Piece] = [(f"[{passed_s:3.0f} s] {counts.total()} of {len(self._lasts_s)} done", _PLAIN)]
        for verdict, colours in _COLOURS.items():
            if counts[verdict] > 0:
                line += [(": " if len(line) == 1 else ", ", _PLAIN), (f"{counts[verdict]} {verdict}", colours)]
        return [*line, (f"; {again} to be played again", _PLAIN)] if again else line

    def _running(self) -> str:
        running = sum(_has_begun(play) for play in self._run.playing.values())
        to_start = len(self._lasts_s.keys() - self._run.judgements.keys()) - running
        held = f", {to_start} still to be started" if to_start > 0 else ""
        return f"        {running} running{held}; about {self._left_s():.0f} s left"

    def _waits(self, rows: int, *, columns: int | None = None) -> list[str]:
        """What each scenario that runs waits for; the one with the longest to wait comes first."""
        playing = sorted(self._run.playing.items(), key=lambda each: -each[1].world.waiting.until_ns)
        shown = [(_short(name), play.world.waiting) for name, play in playing[:rows]]
        # Names may take the better half of the line: what is waited for is to be seen as well.
        name_columns = max((len(name) for name, _ in shown), default=0)
        if columns is not None:
            name_columns = min(name_columns, max(1, (columns - len("  9999 s  : ")) * 3 // 5))
        lines = [
            f"  {waiting.left(now_ns()):>6}  {_cut(name, name_columns)}: {waiting.what}" for name, waiting in shown
        ]
        more = len(playing) - len(shown)
        return [*lines, f"          and {more} more"] if more and columns is not None else lines

    def _to_play_again(self) -> list[str]:
        """Return what could not be told at first: it is played again when all others are done."""
        judgements = self._run.judgements.items()
        return [name for name, each in judgements if each.verdict is Verdict.INCONCLUSIVE and each.attempt == 1]

    def _left_s(self) -> float:
        """Estimate how long the run will still take: by what the scenarios declare, and how fast they could start."""
        playing, judged, lasts_s = self._run.playing, self._run.judgements, self._lasts_s
        begun = {name: begun_ns(play.world.trace) for name, play in playing.items() if _has_begun(play)}
        left_s = [lasts_s[name] - (now_ns() - at_ns) / NS_PER_S for name, at_ns in begun.items()]
        # The longest are the first to be started, and the others follow as fast as those before them did.
        to_start = sorted((lasts_s[name] for name in lasts_s.keys() - begun.keys() - judged.keys()), reverse=True)
        each_s = (now_ns() - self._began_ns) / NS_PER_S / max(1, len(begun) + len(judged))
        left_s += [each_s * place + own_s for place, own_s in enumerate(to_start, start=1)]
        again_s = sum(lasts_s[name] for name in self._to_play_again() if name not in playing)
        return max([0.0, *left_s]) + again_s


def _has_begun(play: Play) -> bool:
    """Whether a scenario has its first person: before that it waits until the host can take more processes."""
    return any(each.what is What.DECLARED for each in play.world.trace)


def _begins_with_a_line(reporter: pytest.TerminalReporter) -> bool:
    """Whether pytest begins each result with a new line, which would leave an empty one above it."""
    return reporter.showlongtestinfo or reporter.showfspath


def _short(name: str) -> str:
    return name.rpartition("::")[2].removeprefix("test_")


def _cut(name: str, columns: int) -> str:
    """Leave out the middle of a name that is too long: at its end are the parameters, which tell it from others."""
    tail = columns // 3
    return name if len(name) <= columns else f"{name[: columns - tail - 1]}…{name[len(name) - tail :]}"


def _clipped(line: list[_Piece], columns: int) -> Iterator[_Piece]:
    """Yield as much of a line as there is room for: one that is too long would take two."""
    for text, colours in line:
        if columns > 0:
            yield text[:columns], colours
            columns -= len(text)
