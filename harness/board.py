"""What a run shows while it lasts: a few lines that are kept up to date in a terminal, now and then a line in a log."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Generator
from types import TracebackType
from typing import Self

import pytest

from harness.clock import now_ns
from harness.run import RealRun
from harness.spec.timing import NS_PER_S

REDRAW_S = 0.5
LOG_EVERY_S = 10.0
ROWS_MAX = 12  # of those that are running; beyond that a reader looks at nothing any more
_ERASE_BELOW = "\x1b[J"


class Board:
    """Tells how many scenarios run, how many are done, and what each of them waits for."""

    def __init__(self, config: pytest.Config, run: RealRun, *, total: int) -> None:
        self._reporter: pytest.TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
        self._run = run
        self._total = total
        self._began_ns = now_ns()
        self._live = self._reporter is not None and self._reporter.isatty
        self._drawn = 0  # lines on the terminal that are ours
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
        self._erase()
        yield
        if self._live:
            self._draw()

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(REDRAW_S if self._live else LOG_EVERY_S)
            self._draw()

    def _draw(self) -> None:
        assert self._reporter is not None
        self._reporter.ensure_newline()
        if not self._live:
            self._reporter.write_line("; ".join([self._summary(), *self._waits()[:1]]))
            return
        self._erase()
        size = shutil.get_terminal_size()
        lines = [line[: size.columns - 1] for line in (self._summary(), *self._waits())][: size.lines - 1]
        self._reporter.write("".join(f"\r{line}\n" for line in lines), flush=True)
        self._drawn = len(lines)

    def _erase(self) -> None:
        if self._drawn and self._reporter is not None:
            self._reporter.write(f"\x1b[{self._drawn}F{_ERASE_BELOW}", flush=True)
            self._drawn = 0

    def _summary(self) -> str:
        passed_s = (now_ns() - self._began_ns) / NS_PER_S
        return (
            f"[{passed_s:3.0f} s] {len(self._run.judgements)} of {self._total} done, {len(self._run.playing)} running"
        )

    def _waits(self) -> list[str]:
        """What each scenario that runs waits for; the one with the longest to wait comes first."""
        playing = sorted(self._run.playing.items(), key=lambda each: -each[1].world.waiting.until_ns)
        lines = [
            f"  {play.world.waiting.left(now_ns()):>5}  {_short(name)}: {play.world.waiting.what}"
            for name, play in playing
        ]
        return [*lines[:ROWS_MAX], f"         and {len(lines) - ROWS_MAX} more"] if len(lines) > ROWS_MAX else lines


def _short(name: str) -> str:
    return name.rpartition("::")[2].removeprefix("test_")
