"""Takes away what killed runs have left in the container engine; run by the guard behind a run that was killed.

Run as ``python -m harness.containers.sweep``. What the guard cannot do, as where it was killed too, the next run does.
"""

from __future__ import annotations

import asyncio
import sys

from harness.containers.engine import Limits, open_engine

COMMAND = (sys.executable, "-m", "harness.containers.sweep")


async def sweep() -> None:
    """Open the engine, which does it, and close it again."""
    async with open_engine(Limits(), say=lambda _: None):
        pass


if __name__ == "__main__":
    asyncio.run(sweep())
