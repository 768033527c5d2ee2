from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.benchmarks import page
from tests.benchmarks.figures import Curve, Figure, Part, Results, Spread
from tests.benchmarks.picture import picture

SVG = "{http://www.w3.org/2000/svg}"
PARTS = {
    "judge": Part(
        "judge",
        "2026-01-01T00:00:00+00:00",
        12.0,
        "make bench",
        [Figure("slow <one>", 2.0, "x", Spread(3, 1.0, 2.0, 3.0, 3.0), at_most=1.1, note="a | b")],
        [Curve("growth & more", "observations", "us", [(1_000.0, 2.0), (1_000_000.0, 20.0)])],
    ),
    "server": Part(
        "server", "2026-01-01T00:00:00+00:00", 1.0, "make bench", [], [], failure="it could not be measured"
    ),
}
RESULTS = Results({"processors": "2"}, PARTS)


def drawn() -> ElementTree.Element:
    return ElementTree.fromstring(picture(RESULTS))  # noqa: S314 - our own


def test_a_curve_is_drawn_with_a_point_for_each_size() -> None:
    points = [(float(each.attrib["cx"]), float(each.attrib["cy"])) for each in drawn().iter(f"{SVG}circle")]
    assert len(points) == 2
    assert points[0][0] < points[1][0]
    assert points[0][1] > points[1][1], "what is more is further up"


def test_what_the_picture_says_is_text() -> None:
    texts = [each.text for each in drawn().iter(f"{SVG}text")]
    assert {"growth & more", "observations", "us", "2", "20", "1000000"} <= set(texts)


def test_a_part_without_growth_has_no_picture() -> None:
    assert picture(Results({}, {"server": PARTS["server"]})).count("<g ") == 0


def test_the_page_has_the_bound_and_the_spread_of_a_figure_and_what_failed() -> None:
    text = page.figures(RESULTS)
    assert "| slow <one> (a &#124; b) | 2 x | 1 to 3, 3 times | at most 1.1: missed |" in text
    assert "it could not be measured" in text
    assert text.startswith("The host: processors: 2.")


def test_publishing_fills_the_page_between_its_markers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PAGE", "PICTURE"):
        monkeypatch.setattr(page, name, tmp_path / getattr(page, name).name)
    written = page.DOCS / "performance.md"
    page.PAGE.write_text(written.read_text(encoding="utf-8"), encoding="utf-8")
    assert page.publish(RESULTS) == [page.PAGE, page.PICTURE]
    assert "slow <one>" in page.PAGE.read_text(encoding="utf-8")
    kept = re.split("(?s)<!-- figures: made by.*<!-- figures: end -->", written.read_text(encoding="utf-8"))
    assert [part in page.PAGE.read_text(encoding="utf-8") for part in kept] == [True, True]
