"""Whether a Toxiproxy still does its work. One that is dead, stands still or is wedged is no client's fault."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from harness.errors import ToxiproxyError
from harness.processes import STANDS_STILL, stat_of
from proxies.api import UnreachableError

# Half of what every window stays off its boundary: what stood still for less has changed no verdict.
LOOK_EVERY_S: Final = 0.25
ASK_EVERY_S: Final = 1.0


async def stands_still(pid: int) -> ToxiproxyError:
    """Wait until the process stands still; returns what to say about it. After its end it waits for ever."""
    try:
        while stat_of(pid).state not in STANDS_STILL:  # noqa: ASYNC110 - nobody tells of that unasked
            await asyncio.sleep(LOOK_EVERY_S)
    except (FileNotFoundError, ProcessLookupError):
        await asyncio.Event().wait()  # somebody else tells of that
    return ToxiproxyError(
        f"the Toxiproxy of this run, process {pid}, was stopped",
        why="a signal such as SIGSTOP, or a debugger, holds it; no link carries a byte, and no client is to blame.",
        mend="find out who stopped it, and run again.",
    )


async def answers_no_more(ask: Callable[[], Awaitable[object]]) -> ToxiproxyError:
    """Ask it again and again; returns what to say about it as soon as there is no answer."""
    while True:
        try:
            await ask()
        except UnreachableError as error:
            return error
        await asyncio.sleep(ASK_EVERY_S)


async def first_of(*watches: Awaitable[ToxiproxyError]) -> ToxiproxyError:
    """Return what the first of these tells, and have the others end."""
    tasks = [asyncio.ensure_future(each) for each in watches]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
