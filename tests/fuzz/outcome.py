"""What came of an input, in a few words: one that came out as no other did is worth keeping."""

from __future__ import annotations

import re

_PARTICULARS = re.compile(r""" - at .*|unknown field .*|['"].*|[0-9]+""", re.DOTALL)


def in_short(error: Exception, characters_max: int) -> str:
    """Return why something was refused, without what is particular to one input: where, names, numbers.

    However long the input was, its reader is told no more than so much of it.
    """
    assert len(str(error)) <= characters_max
    cause = error.__cause__ or error
    return type(cause).__name__ if isinstance(cause, UnicodeError) else _PARTICULARS.sub("", str(cause))
