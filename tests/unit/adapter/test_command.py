from __future__ import annotations

import pytest

from harness.adapter.command import words_of
from harness.errors import UsageError


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("adapter", ("adapter",)),
        ("node  adapter.js --at {url}", ("node", "adapter.js", "--at", "{url}")),
        ("'my adapter' \"of mine\" ''", ("my adapter", "of mine", "")),
    ],
)
def test_a_command_is_split_as_a_shell_would_split_it(command: str, words: tuple[str, ...]) -> None:
    assert words_of(command, given_by="--client", or_else="leave it out") == words


@pytest.mark.parametrize("command", ["'", 'node "adapter.js', "node \\"])
def test_a_command_that_cannot_be_split_is_shown(command: str) -> None:
    with pytest.raises(UsageError) as told:
        words_of(command, given_by="--client", or_else="leave it out")
    assert told.value.found.startswith(f"--client {command!r}: No ")
    assert told.value.mend == "quote it anew"


@pytest.mark.parametrize("command", ["", "  "])
def test_no_command_is_none(command: str) -> None:
    with pytest.raises(UsageError) as told:
        words_of(command, given_by="--server", or_else="leave it out")
    assert (told.value.found, told.value.mend) == ("--server names no command", "leave it out")
