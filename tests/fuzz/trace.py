"""The reader of traces: any bytes are observations or a TraceError, and observations come back as they were."""

from __future__ import annotations

from harness.trace import TraceError, dump, load
from tests.fuzz.outcome import in_short

WHY_MAX = 1000  # of what is told of a line that is no observation, and of the line


def run(data: bytes) -> str:
    """Read bytes as a stored trace."""
    try:
        observations = load(data, "trace.jsonl")
    except TraceError as error:
        return in_short(error, WHY_MAX)
    assert load(dump(observations)) == observations
    return observations[-1].what if observations else "nothing"
