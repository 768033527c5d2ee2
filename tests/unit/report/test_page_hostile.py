"""What adapters and scenarios say is shown as it is, and does nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.page import visible
from harness.trace import What
from tests.unit.oracle.story import LOGGED_IN, Story
from tests.unit.report.hostile_rig import HOSTILE, INVISIBLE, hostile_html
from tests.unit.report.page_rig import html_of, page_of, read, story_called

SHAPE = [(each.name, sorted(each.attributes)) for each in read(hostile_html("harmless")).walk()]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_looks_like_markup_makes_no_element_and_no_attribute(text: str) -> None:
    page = read(hostile_html(text))
    assert [(each.name, sorted(each.attributes)) for each in page.walk()] == SHAPE
    assert text in page.one("h1").text
    assert text in page.one("details", class_="story").all("code")[0].text
    assert any(text in table.text for table in page.all("table", class_="columns"))
    assert any(text in title.text for picture in page.all("svg", class_="lanes") for title in picture.all("title"))


@pytest.mark.parametrize("text", INVISIBLE)
def test_what_cannot_be_seen_or_turns_the_direction_is_spelled_out(text: str) -> None:
    page = read(hostile_html(text))
    everything = [page.text, *(value for each in page.walk() for value in each.attributes.values())]
    hidden = {char for part in everything for char in part if not char.isprintable() and char != "\n"}
    assert hidden == set()
    assert str(visible(text)) in page.one("h1").text


def test_an_error_keeps_its_lines() -> None:
    story = Story("CONNECTED-3").logged_in()
    story.put(
        5, "scenario", What.ERROR, "AdapterError", text="adapter: <gone>\n  why: \x1b[31mit fell", blame="adapter"
    )
    reason = page_of(story).one("p", class_="reason").text
    assert reason.startswith("adapter: <gone>\n  why: \\x1b[31mit fell")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_no_text_at_all_changes_the_shape_of_the_page(text: str) -> None:
    story = story_called("test_x.py::test_y", "CONNECTED-3").logged_in()
    story.said(5, "onMessageReceivedFromPeer", peer="bob", text=text)
    page = read(html_of(story.expects(*LOGGED_IN).ended()))
    assert len(page.all("script")) == 1
    assert len(page.all("details", class_="story")) == 1
    assert [each for each in page.walk() if "onclick" in each.attributes or each.name == "iframe"] == []
