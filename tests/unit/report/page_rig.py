"""Makes pages of runs that were told as stories, and reads them as a browser would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from harness.oracle.judge import judge
from harness.report.known import KnownFailures
from harness.report.page import render_page
from harness.report.run_folder import Played, RunInfo
from harness.report.summary import summarise
from harness.spec.profiles import RTM_1_0, Profile
from harness.trace import Observation
from tests.unit.oracle.story import Story

VOID = {"meta", "input", "br", "link", "img"}
INFO = RunInfo(
    "0.1.0", "rtm-1.0", "2026-01-01T00:00:00+00:00", client={"name": "my-sdk", "version": "2.1"}, wall_s=12.0
)


@dataclass
class Element:
    """An element: its name, its attributes, and what is in it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    def __getitem__(self, attribute: str) -> str:
        return self.attributes[attribute]

    @property
    def text(self) -> str:
        return "".join(each if isinstance(each, str) else each.text for each in self.children)

    @property
    def words(self) -> str:
        """Its text, with all space alike."""
        return " ".join(self.text.split())

    def walk(self) -> Iterator[Element]:
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, name: str, /, **attributes: str) -> list[Element]:
        """All elements of this name with these attributes; ``class_`` is one of its classes."""
        class_ = attributes.pop("class_", "")
        return [
            each
            for each in self.walk()
            if each.name == name
            and (not class_ or class_ in each.attributes.get("class", "").split())
            and attributes.items() <= each.attributes.items()
        ]

    def one(self, name: str, /, **attributes: str) -> Element:
        (found,) = self.all(name, **attributes)
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("page")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop().name == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(html: str) -> Element:
    """The page as a tree; each element has to be closed where it belongs."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    (page,) = reader.open
    return page


def html_of(
    *traces: Sequence[Observation],
    info: RunInfo = INFO,
    selected: Sequence[str] = (),
    known: KnownFailures | None = None,
    profile: Profile = RTM_1_0,
) -> str:
    played = [Played(list(trace), judge(trace)) for trace in traces]
    names = [*(each.judgement.scenario for each in played), *selected]
    summary = summarise([each.judgement for each in played], names, known or KnownFailures())
    return render_page(summary, info, played, profile)


def page_of(
    *stories: Story, info: RunInfo = INFO, selected: Sequence[str] = (), known: KnownFailures | None = None
) -> Element:
    """The page of a run of these stories, each under a name of its own."""
    return read(html_of(*(story.ended() for story in stories), info=info, selected=selected, known=known))


def story_called(name: str, *clauses: str, phase: str = "idle", attempt: int = 1) -> Story:
    story = Story(*clauses)
    (first,) = story.trace
    args = {**first.args, "phase": phase, "attempt": attempt}
    story.trace[0] = Observation(first.at_ns, first.source, first.what, name, args)
    return story
