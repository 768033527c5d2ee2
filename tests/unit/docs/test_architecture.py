"""The drawing of the architecture, held against the tree and against who may import whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

from tests.unit.docs.pages import ROOT
from tests.unit.layers import LAYERS

DRAWING = ROOT / "docs" / "pictures" / "architecture.svg"
SVG = "{http://www.w3.org/2000/svg}"
SIZE_BYTES = 20_000


def drawing() -> ElementTree.Element:
    return ElementTree.fromstring(DRAWING.read_text(encoding="utf-8"))  # noqa: S314 - a file of our own


def drawn(cls: str) -> list[ElementTree.Element]:
    return [each for each in drawing().iter() if each.get("class") == cls]


def layers_drawn() -> list[list[str]]:
    """The parts in each row of the lower half, as modules, from the left; the rows from the top."""
    rows = []
    for band in sorted(drawn("band"), key=lambda band: float(band.get("y", 0))):
        top, height = float(band.get("y", 0)), float(band.get("height", 0))
        inside = [each for each in drawn("path") if top < float(each.get("y", 0)) < top + height]
        named = sorted(inside, key=lambda each: float(each.get("x", 0)))
        rows.append([str(each.text).removesuffix(".py").replace("/", ".") for each in named])
    return rows


def upward_imports(rows: list[list[str]], allowed: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Who may import what is drawn above it, or beside it to the left."""
    order = [module for row in rows for module in row]
    found = []
    for row, may in allowed.items():
        importer = next((module for module in order if f"{row}.".startswith(f"{module}.")), None)
        for name in may:
            imported = next((module for module in order if f"{name}.".startswith(f"{module}.")), None)
            if importer and imported and order.index(imported) < order.index(importer):
                found.append(f"{row} may import {name}, which is drawn above it")
    return found


def test_each_part_that_is_drawn_exists() -> None:
    paths = [str(each.text) for each in drawn("path")]
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_imports_go_the_way_that_is_drawn() -> None:
    rows = layers_drawn()
    assert [len(row) for row in rows] == [4, 3, 6, 3]
    assert {module for row in rows for module in row} <= set(LAYERS)
    assert upward_imports(rows, LAYERS) == []


def test_an_import_that_goes_upwards_is_found() -> None:
    rows = [["harness.cli"], ["harness.world", "harness.oracle"]]
    assert upward_imports(rows, {"harness.world": ("harness.oracle",)}) == []
    upwards = {"harness.oracle": ("harness.world",), "harness.world.real": ("harness.cli",)}
    assert len(upward_imports(rows, upwards)) == 2


def test_it_is_small_says_in_words_what_it_shows_and_can_be_read_in_the_dark() -> None:
    text = DRAWING.read_text(encoding="utf-8")
    assert len(text) < SIZE_BYTES
    assert "@media (prefers-color-scheme: dark)" in text
    assert drawing().find(f"{SVG}desc") is not None
    assert re.findall(r"(?:href|src)=|@import|<script", text) == [], "it loads nothing and runs nothing"
