"""What a process wrote last on its standard error."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

_LOOKED_AT_BYTES = 2000


def last_words(log: IO[bytes]) -> str:
    """Return the last line of the log that a process writes; empty where there is none."""
    with Path(log.name).open("rb") as written:
        written.seek(max(0, written.seek(0, os.SEEK_END) - _LOOKED_AT_BYTES))
        text = written.read().decode(errors="backslashreplace").strip()
    return text.splitlines()[-1] if text else ""
