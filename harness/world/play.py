"""Plays one scenario in a world and returns its trace, whatever becomes of it: every end is an observation."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable

from harness.errors import HarnessError, LinkproofError
from harness.room import is_for_want_of_room, not_kept
from harness.trace import Observation, What
from harness.world.engine import Engine
from harness.world.world import LackingError, LateError, Title, UnseenError, Waiting, World
from proxies.lacking import LackingFaultError

Scenario = Callable[[World], Awaitable[None]]


class Play:
    """One scenario on its way: what it is waiting for, and in the end its trace."""

    def __init__(self, title: Title, engine: Engine) -> None:
        self._engine = engine
        self._failure: LinkproofError | None = None
        self._body: asyncio.Task[None] | None = None
        self.world = World(engine, title, self._fail)

    async def run(self, scenario: Scenario, *, limit_s: float) -> list[Observation]:
        """Play it, take everything away again, and return the trace.

        What goes wrong through no fault of the implementation is in the trace as an ERROR. Only a cancellation
        comes out as an exception, after everything was taken away.
        """
        world = self.world
        try:
            self._body = asyncio.ensure_future(self._play(scenario))
            try:
                async with asyncio.timeout(limit_s):
                    await asyncio.wait({self._body})
            except TimeoutError:
                self._record(
                    HarnessError(f"the scenario did not end within {limit_s:g} s; it was {world.waiting.what}")
                )
            else:
                self._put_down_outcome(self._body)
            await self._confirm_faults()
            end_ns = world.now_ns()
            delays = await self._delays(end_ns)
            world.record(Observation(end_ns, "scenario", What.END, "end"))
        finally:
            await self._take_away()
        # The measure of the host belongs before the end, where the judge reads.
        return [*world.trace[:1], *delays, *world.trace[1:]]

    async def _confirm_faults(self) -> None:
        """No verdict where a fault was not there for as long as the scenario believed."""
        try:
            await self._engine.confirm_faults()
        except LinkproofError as error:
            self._record(error)

    async def _delays(self, end_ns: int) -> list[Observation]:
        try:
            return await self._engine.delays(self.world.trace[0].at_ns, end_ns)
        except LinkproofError as error:
            self._record(error)
            return []

    async def _play(self, scenario: Scenario) -> None:
        await scenario(self.world)
        await self.world.settle()

    async def _take_away(self) -> None:
        self.world.waiting = Waiting("waiting for its processes to end")
        if self._body is not None and not self._body.done():
            self._body.cancel()
            await asyncio.wait({self._body})
        try:
            await self._engine.close()
        except LinkproofError as error:
            self._record(error)

    def _fail(self, error: LinkproofError) -> None:
        """A process or a link failed: there is no point in going on."""
        if self._failure is None:
            self._failure = error
            if self._body is not None:
                self._body.cancel()

    def _put_down_outcome(self, body: asyncio.Task[None]) -> None:
        error = None if body.cancelled() else body.exception()
        # What the body raised on being ended because of a failure only follows from it.
        if body.cancelled() or (error is not None and self._failure is not None):
            self._record(self._failure or HarnessError("the scenario was cancelled"))
            return
        if error is None and self._failure is not None:  # it came when the body had just ended
            self._record(self._failure)
            return
        if error is None or isinstance(error, (UnseenError, LateError, LackingError)):
            return
        if isinstance(error, LackingFaultError):
            self._lack(error)
            return
        if isinstance(error, LinkproofError):
            self._record(error)
            return
        if is_for_want_of_room(error):
            assert isinstance(error, OSError)
            self._record(not_kept(error))
            return
        where = "".join(traceback.format_exception(error)).strip()
        self._record(HarnessError(f"the scenario raised {type(error).__name__}: {error}", why=where))

    def _lack(self, error: LackingFaultError) -> None:
        """It is the engine that cannot do what the scenario asks for, and nobody is accused of that."""
        text = f"{error.found}: {error.why}"
        self.world.record(Observation(self.world.now_ns(), "scenario", What.LACKING, "fault", {"text": text}))

    def _record(self, error: LinkproofError) -> None:
        details = {"blame": str(error.blame), "text": str(error)}
        self.world.record(Observation(self.world.now_ns(), "scenario", What.ERROR, type(error).__name__, details))
