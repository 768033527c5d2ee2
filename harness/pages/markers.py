"""Where the made parts of a page stand: between two markers, with written prose around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from harness.errors import HarnessError

MADE_BY = "make docs"


def fill(page: str, parts: Mapping[str, str]) -> str:
    """Return a page with each part between its markers, and all else as it was.

    Raises:
        HarnessError: the page does not have the markers of a part exactly once.
    """
    for name, text in parts.items():
        begin, end = rf"<!-- {re.escape(name)}: made by [^\n]*-->\n", rf"<!-- {re.escape(name)}: end -->"
        pieces = re.split(f"(?s)({begin}).*?({end})", page)
        if len(pieces) != 4:
            raise HarnessError(
                f"the page has the markers of {name!r} {len(pieces) // 3} times",
                mend=f"it needs '<!-- {name}: made by ... -->' and '<!-- {name}: end -->', once, each on a line",
            )
        before, opening, closing, after = pieces
        page = f"{before}{opening}\n{text}\n\n{closing}{after}"
    return page


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
