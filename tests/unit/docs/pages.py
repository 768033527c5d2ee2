"""The pages of documentation as their readers meet them: headings, anchors, links, tables, blocks of code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code and its language."""

    language: str
    text: str


@dataclass(frozen=True)
class Page:
    """One page."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The text without its blocks of code."""
        return _FENCE.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        return [Block(*found) for found in _FENCE.findall(self.text)]

    def block(self, language: str, containing: str = "") -> str:
        """The one block of this language that contains that."""
        (text,) = [each.text for each in self.blocks if each.language == language and containing in each.text]
        return text

    @cached_property
    def anchors(self) -> set[str]:
        """Where a link can lead to, by the rules of those who show Markdown pages."""
        found: set[str] = set(re.findall(r'<a id="([^"]+)">', self.text))
        for heading in re.findall(r"^#+ (.*)$", self.prose, re.MULTILINE):
            slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            # The second of two equal headings gets a number.
            found.add(next(each for each in (slug, *(f"{slug}-{n}" for n in range(1, 99))) if each not in found))
        return found

    @property
    def links(self) -> list[str]:
        return re.findall(r"\]\(([^)\s]+)\)", self.prose)

    @property
    def spans(self) -> list[str]:
        """What stands in the text as code."""
        return re.findall(r"`([^`\n]+)`", self.prose)

    def section(self, heading: str) -> str:
        """What stands below a heading, with the smaller headings below it."""
        found = re.search(rf"^(#+) {re.escape(heading)}\n", self.text, re.MULTILINE)
        assert found is not None, f"{self.name} has no heading {heading!r}"
        rest = self.text[found.end() :]
        following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
        return rest[: following.start()] if following else rest

    def rows(self, heading: str) -> list[list[str]]:
        """The cells of the tables below a heading, without their heads."""
        tables = re.findall(r"(?:^\|.*\|\n)+", self.section(heading), re.MULTILINE)
        return [
            [cell.strip() for cell in line.strip("|").split("|")] for table in tables for line in table.splitlines()[2:]
        ]

    def commands(self) -> Iterator[list[str]]:
        """Each command `linkproof ...` that is shown, as the shell would split it; without what is set before it."""
        shown = [
            *self.spans,
            *(line for each in self.blocks if each.language == "sh" for line in each.text.splitlines()),
        ]
        for line in shown:
            words = shlex.split(line, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words.pop(0)
            # One word alone is the name of the program.
            if len(words) > 1 and words[0] == "linkproof":
                yield words[1:]


PAGES = [Page(ROOT / "README.md"), *(Page(path) for path in sorted((ROOT / "docs").rglob("*.md")))]


def page(name: str) -> Page:
    return Page(ROOT / name)
