from __future__ import annotations

from xml.etree import ElementTree

import pytest

from harness.report.distribution import Distribution
from harness.report.distribution_picture import picture
from harness.report.margins import TimedStep

SVG = ElementTree.Element


def of(*times_s: float, window: tuple[float, float] = (3.5, 4.5), step: str = "CONNECTED / LOGIN_SUCCESS") -> SVG:
    timed = TimedStep("t.py::s", "alice", step, ("CONNECTED-3",), 1)
    return ElementTree.fromstring(picture(Distribution(timed, tuple(sorted(times_s)), *window, 0.1, 0.5)))  # noqa: S314


def dots(svg: SVG) -> list[float]:
    return [float(dot.attrib["cx"]) for dot in svg.iter("circle")]


def crosses(svg: SVG) -> list[SVG]:
    return [path for path in svg.iter("path") if path.attrib["stroke"] != "currentColor"]


def band(svg: SVG) -> tuple[float, float]:
    (rect,) = svg.iter("rect")
    left = float(rect.attrib["x"])
    return left, left + float(rect.attrib["width"])


def test_each_time_is_a_dot_where_it_lies_in_its_window() -> None:
    svg = of(3.5, 4.0, 4.25, 4.5)
    left, right = band(svg)
    assert dots(svg) == pytest.approx([left, (left + right) / 2, left + (right - left) * 0.75, right], abs=0.1)
    assert crosses(svg) == []


def test_a_time_outside_has_another_shape_and_the_picture_holds_it() -> None:
    svg = of(4.0, 4.1, 5.5)
    left, right = band(svg)
    (cross,) = crosses(svg)
    x = float(cross.attrib["d"].partition(" ")[0].removeprefix("M")) + 4
    assert left < right < x <= 480
    assert (x - left) / (right - left) == pytest.approx(2.0, abs=0.01)
    assert len(dots(svg)) == 2


def test_median_and_95_per_cent_are_a_whole_line_and_a_broken_one() -> None:
    lines = {path.findtext("title"): path.attrib for path in of(4.0, 4.1, 4.2).iter("path")}
    assert list(lines) == ["median: 4.100 s", "95 %: 4.190 s"]
    assert ["stroke-dasharray" in each for each in lines.values()] == [False, True]


def test_it_says_in_words_what_it_shows() -> None:
    svg = of(3.0, 4.0, 4.1)
    assert svg.attrib["role"] == "img"
    assert svg.findtext("title") == (
        "CONNECTED / LOGIN_SUCCESS: 3 times, from 3.000 s to 4.100 s, median 4.000 s, 95 % within 4.090 s; "
        "due in [3.500, 4.500] s; 1 outside"
    )


@pytest.mark.parametrize(
    ("times_s", "labels"),
    [
        ((4.0,), ["3.500 s", "4.500 s"]),
        ((4.0, 9.0), ["due in [3.500, 4.500] s"]),
        ((0.0, 4.0), ["due in [3.500, 4.500] s"]),
    ],
)
def test_the_edges_are_written_where_there_is_room(times_s: tuple[float, ...], labels: list[str]) -> None:
    svg = of(*times_s)
    assert [text.text for text in svg.iter("text")] == labels
    for text in svg.iter("text"):
        assert 0 <= float(text.attrib["x"]) <= 480
    if times_s[0] == 0.0:
        assert [text.attrib["text-anchor"] for text in svg.iter("text")] == ["end"]


def test_what_a_client_says_is_text_and_nothing_else() -> None:
    hostile = '</title><script>alert("x")</script>&amp;'
    svg = of(4.0, step=hostile)
    assert list(svg.iter("script")) == []
    assert (svg.findtext("title") or "").startswith(hostile)


def test_all_at_one_moment_with_a_window_of_no_length_is_a_picture_too() -> None:
    svg = of(4.0, 4.0, window=(4.0, 4.0))
    assert dots(svg) == [240.0, 240.0]
