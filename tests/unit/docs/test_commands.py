from __future__ import annotations

from pathlib import Path

import click
import pytest

from harness.cli import COMMANDS, linkproof
from tests.unit.docs.pages import PAGES, Page

SHOWN = sorted({(one.name, *words) for one in PAGES for words in one.commands()})


def parse(words: list[str]) -> list[str]:
    """Have the command line take this as it would, and return what it hands on to pytest.

    Raises:
        click.UsageError: it would not take it.
    """
    command: click.Command = linkproof
    words = list(words)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        found = command.get_command(click.Context(command), name)
        if found is None:
            raise click.UsageError(f"no command {name!r}")
        command = found
    try:
        context = command.make_context(command.name, words)
    except click.exceptions.Exit:
        return []  # --help and --version end there
    return list(context.params.get("pytest_arguments", ()))


@pytest.mark.parametrize("command", SHOWN, ids=lambda command: " ".join(command[1:]))
def test_each_command_that_a_page_shows_is_one(command: tuple[str, ...]) -> None:
    handed_on = parse(list(command[1:]))
    # What click does not know goes to pytest: only what is shown to work there may be shown here.
    assert {each.partition("=")[0] for each in handed_on} <= {"--junitxml", "test_mine.py"}


def test_each_command_is_shown_in_the_readme() -> None:
    shown = {command[1] for command in SHOWN if command[0] == "README.md"}
    assert shown >= set(COMMANDS)


@pytest.mark.parametrize("words", ["certfy", "doctor --fast", "toxiproxy where", "serve --port many", "explain"])
def test_a_command_that_is_none_is_found(words: str) -> None:
    with pytest.raises(click.UsageError):
        parse(words.split())


def test_commands_are_found_in_text_and_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text('`linkproof` and `linkproof a --b`\n\n```sh\nX=1 linkproof c "d e"  # f\n```\n', encoding="utf-8")
    assert list(Page(path).commands()) == [["a", "--b"], ["c", "d e"]]
