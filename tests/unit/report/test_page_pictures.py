"""Whether the parts of a picture lie where the trace says: times are read back from its SVG by its own ticks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.oracle.expect import answer, state
from harness.oracle.judge import judge
from harness.report.drawing import close_up, draw
from harness.report.lanes import picture_of
from harness.trace import Observation, What
from tests.unit.oracle.story import LOGGED_IN, Story, at_ns
from tests.unit.report.page_rig import Element, page_of

INTERRUPTED = state("RECONNECTING", "INTERRUPTED", "CONNECTED-3")
NEAR_S = 0.03  # places have two digits after the point, of about 90 s


def lost(*, healed_s: float = 90.5, interrupted_s: float = 20.0) -> Story:
    story = Story("CONNECTED-3").logged_in()
    cut = story.fault(10.0, 10.001)
    story.switched(interrupted_s, "RECONNECTING", "INTERRUPTED")
    story.trace.append(Observation(at_ns(healed_s), "alice", What.FAULT, "healing of cut", until_ns=at_ns(healed_s)))
    story.called(40.0, "queryOnline", uids=["bob"])
    story.returned(41.0, "queryOnline", online={})
    return story.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=cut), answer("queryOnline", online={}))


def per_cent(text: str) -> float:
    assert text.endswith("%")
    return float(text[:-1])


def time_at(picture: Element) -> Callable[[float], float]:
    """What a place along the picture means, by the two outermost of the times that are written there."""
    ticks = [(per_cent(text["x"]), float(text.text.split()[0])) for text in picture.all("text", class_="tick")]
    (x0, t0), (x1, t1) = ticks[0], ticks[-1]
    return lambda x: t0 + (x - x0) * (t1 - t0) / (x1 - x0)


def spans(picture: Element, class_: str) -> list[tuple[str, float, float]]:
    """The kind of each box of a class, and from when to when it lies."""
    at = time_at(picture)
    found = []
    for box in picture.all("rect", class_=class_):
        x, width = per_cent(box["x"]), per_cent(box["width"])
        found.append((box["class"].split()[1], at(x), at(x + width)))
    return found


def pictures_of(story: Story) -> list[Element]:
    return page_of(story).all("svg", class_="lanes")


def near(*seconds: float) -> object:
    return pytest.approx(seconds, abs=NEAR_S)


def test_bands_faults_windows_and_marks_lie_where_the_trace_says() -> None:
    picture = pictures_of(lost())[0]
    bands = spans(picture, "band")
    assert [kind for kind, _, _ in bands] == ["DISCONNECTED", "CONNECTING", "CONNECTED", "RECONNECTING"]
    assert [band[1] for band in bands] == near(0.1, 0.5, 0.6, 20.0)
    assert [band[2] for band in bands] == near(0.5, 0.6, 20.0, 91.0)
    ((kind, from_s, to_s),) = spans(picture, "span")
    assert (kind, (from_s, to_s)) == ("healed", near(10.0, 90.5))
    ((kind, from_s, to_s),) = spans(picture, "due")
    assert (kind, (from_s, to_s)) == ("missed", near(14.0, 14.0))
    at = time_at(picture)
    marks = [(use["href"], at(per_cent(use["x"]))) for use in picture.all("use")]
    assert [at_s for sign, at_s in marks if sign == "#m-callback"] == near(0.5, 0.6, 0.6, 20.0)
    assert [at_s for sign, at_s in marks if sign == "#m-call"] == near(0.5, 40.0)
    assert [at_s for sign, at_s in marks if sign == "#m-answer"] == near(41.0)
    assert [at_s for sign, at_s in marks if sign == "#m-flaw"] == near(20.0)


def test_each_part_tells_its_times_to_who_points_at_it() -> None:
    picture = pictures_of(lost())[0]
    hints = [title.text for title in picture.all("title")]
    assert "RECONNECTING / INTERRUPTED: 20.000 s to 91.000 s" in hints
    assert "cut: from 10.000 s to 90.500 s" in hints
    assert "20.000 s  callback  RECONNECTING / INTERRUPTED" in hints
    assert "0.500 s  call  login(uid=alice, token=alice's token)" in hints
    assert [hint for hint in hints if hint.startswith("due from 13.98")]


def test_the_close_up_shows_the_flaw_and_the_window_that_it_missed_and_little_more() -> None:
    whole, close = pictures_of(lost())
    at, from_s, to_s = time_at(close), time_at(close)(0), time_at(close)(100)
    assert to_s - from_s < (time_at(whole)(100) - time_at(whole)(0)) / 4
    ((kind, opens_s, closes_s),) = spans(close, "due")
    assert kind == "missed"
    assert from_s < opens_s < closes_s < to_s
    assert [at(per_cent(use["x"])) for use in close.all("use", href="#m-flaw")] == near(20.0)


def test_what_passed_and_what_fills_the_picture_has_no_close_up() -> None:
    assert len(pictures_of(lost(interrupted_s=14.0))) == 1
    story = Story("CONNECTED-3").logged_in()
    cut = story.fault(10.0, 10.001)
    story.switched(89.0, "RECONNECTING", "INTERRUPTED")
    trace = story.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=cut)).ended()
    picture = picture_of(trace, judge(trace))
    assert picture is not None
    assert picture.flaws()
    assert close_up(picture) is None


def test_a_narrow_band_has_no_name_and_a_wide_one_has_it_beside_it() -> None:
    names = [text.text for text in pictures_of(lost())[0].all("text", class_="in")]
    assert names == ["CONNECTED", "RECONNECTING", "cut"]


def test_a_state_that_nobody_knows_looks_like_none_that_is_known() -> None:
    story = Story("CONNECTED-3").logged_in()
    story.switched(5, "<99>", "LOGIN")
    kinds = [kind for kind, _, _ in spans(pictures_of(story.expects(*LOGGED_IN))[0], "band")]
    assert kinds[-1] == "UNKNOWN"


moments = st.lists(st.floats(1.0, 89.0), min_size=0, max_size=12).map(sorted)
STATES = ["CONNECTED", "RECONNECTING", "ABORTED", "DISCONNECTED", "<7>"]


@given(moments, st.lists(st.tuples(st.floats(1.0, 80.0), st.floats(0.0, 9.0)), max_size=4))
def test_whatever_happens_every_part_lies_inside_and_the_bands_leave_no_gap(
    switched: list[float], cuts: list[tuple[float, float]]
) -> None:
    story = Story("CONNECTED-3").logged_in()
    for from_s, lasted_s in cuts:
        story.fault(from_s, from_s)
        ended_ns = at_ns(from_s + lasted_s)
        story.trace.append(Observation(ended_ns, "alice", What.FAULT, "healing of cut", until_ns=ended_ns))
    for number, at_s in enumerate(switched):
        story.switched(at_s, STATES[number % len(STATES)], "LOGOUT")
    trace = story.expects(*LOGGED_IN).ended()
    picture = picture_of(trace, judge(trace))
    assert picture is not None
    bands = picture.lanes[0].bands
    assert [band.to_s for band in bands[:-1]] == [band.from_s for band in bands[1:]]
    drawing = draw(picture)
    for track in drawing.tracks:
        for box in (*track.bands, *track.spans, *track.dues):
            assert 0 <= float(box.x) <= float(box.x) + float(box.width) <= 100.01
        for point in track.points:
            assert 0 <= float(point.x) <= 100
    ends = [track.y + track.height for track in drawing.tracks]
    assert all(track.y >= end for track, end in zip(drawing.tracks[1:], ends, strict=False))
    assert drawing.height > ends[-1]
