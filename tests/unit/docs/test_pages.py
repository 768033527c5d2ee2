from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.docs.pages import PAGES, ROOT, Page, page

ALL_PAGES = [*PAGES, page("CONTRIBUTING.md")]
WANTED = {
    "README.md",
    "docs/adapter-contract.md",
    "docs/architecture.md",
    "docs/endpoints.md",
    "docs/exit-codes.md",
    "docs/faults.md",
    "docs/known-bugs.md",
    "docs/limits.md",
    "docs/reading-a-failure.md",
    "docs/spec.md",
    "docs/tutorial.md",
    "docs/wire-protocol.md",
    "docs/writing-scenarios.md",
}


def broken_links(one: Page) -> list[str]:
    """The links of a page that lead nowhere within the project."""
    broken = []
    for link in one.links:
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        file = (one.path.parent / target).resolve() if target else one.path
        if not file.is_file():
            broken.append(f"{link}: there is no such file")
        elif anchor and anchor not in Page(file).anchors:
            broken.append(f"{link}: {target or one.path.name} has no such anchor")
    return broken


def test_the_pages_are_there() -> None:
    assert {each.name for each in PAGES} >= WANTED


@pytest.mark.parametrize("one", ALL_PAGES, ids=lambda one: one.name)
def test_each_link_leads_somewhere(one: Page) -> None:
    assert broken_links(one) == []


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.name)
def test_each_page_can_be_reached_from_the_readme(one: Page) -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in page("README.md").links}
    assert one.name == "README.md" or one.path in linked


@pytest.mark.parametrize("one", ALL_PAGES, ids=lambda one: one.name)
def test_a_page_speaks_of_no_machine_in_particular(one: Page) -> None:
    assert re.findall(r"(?:/home/|/root/|/work/|/Users/|index-url|localhost:\d)", one.text) == []


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.name)
def test_each_block_of_code_says_its_language(one: Page) -> None:
    assert [each.text for each in one.blocks if not each.language] == []
    assert len(one.blocks) * 2 == len(re.findall("^```", one.text, re.MULTILINE)), "a block is not closed"


def test_the_readme_is_short_and_has_the_two_commands_word_for_word() -> None:
    readme = page("README.md")
    assert len(readme.text.splitlines()) < 140
    assert readme.block("sh", "make").splitlines() == ["make certify", "make test"]


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading: with `code`\n\n# Twice\n\n# Twice\n", encoding="utf-8")
    path = tmp_path / "page.md"
    good = "[a](there.md) [b](there.md#a-heading-with-code) [c](there.md#twice-1) [d](https://example.org/x)"
    path.write_text(f"{good} [e](gone.md) [f](there.md#gone) [g](#gone)\n", encoding="utf-8")
    found = [each.partition(":")[0] for each in broken_links(Page(path))]
    assert found == ["gone.md", "there.md#gone", "#gone"]
