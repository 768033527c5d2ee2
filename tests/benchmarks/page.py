"""The figures of docs/performance.md: made from what was measured, with written prose around them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.pages.markers import fill, table
from tests.benchmarks.figures import Figure, Part, Results, number
from tests.benchmarks.picture import picture

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "performance.md"
PICTURE = DOCS / "pictures" / "performance.svg"


def publish(results: Results) -> list[Path]:
    """Write the made parts of the page, and its picture; returns what was written.

    Raises:
        HarnessError: the page does not have the markers.
    """
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), {"figures": figures(results)}), encoding="utf-8")
    PICTURE.write_text(picture(results), encoding="utf-8")
    return [PAGE, PICTURE]


def figures(results: Results) -> str:
    """Return the host and a table for each part, in Markdown."""
    host = "; ".join(f"{name}: {what}" for name, what in results.host.items())
    return "\n\n".join([f"The host: {host}.", *(_part(name, part) for name, part in results.parts.items())])


def _part(name: str, part: Part) -> str:
    lines = [f"### {name}", f"{part.measured}, in {part.took_s:.0f} s, by `{part.command}`"]
    if part.figures:
        lines.append(table(("what", "figure", "spread", "must show"), (_row(figure) for figure in part.figures)))
    return "\n\n".join([*lines, *filter(None, [part.failure])])


def _row(figure: Figure) -> tuple[str, ...]:
    spread = figure.spread
    shown = f"{number(spread.least)} to {number(spread.most)}, {spread.count} times" if spread is not None else ""
    note = f" ({figure.note})" if figure.note else ""
    return f"{figure.name}{note}", f"{number(figure.value)} {figure.unit}".rstrip(), shown, ", ".join(_bounds(figure))


def _bounds(figure: Figure) -> Iterator[str]:
    for word, bound in (("at most", figure.at_most), ("at least", figure.at_least)):
        if bound is not None:
            yield f"{word} {number(bound)}: {'met' if figure.is_met else 'missed'}"
