"""The command of a process under test, as its user writes it: one text, split as a shell would split it."""

from __future__ import annotations

import shlex

from harness.errors import UsageError


def words_of(command: str, *, given_by: str, or_else: str, kind: str = "command") -> tuple[str, ...]:
    """Return the words of a command, of which there is one at least.

    Args:
        command: the text.
        given_by: the option or argument that it is the value of, for the message.
        or_else: what to do where there was no command to give, for the message.
        kind: what its first word names, for the message.

    Raises:
        UsageError: it has a quotation that is not closed, or no word.
    """
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(
            f"{given_by} {command!r}: {error}", why="a command is split as a shell would split it", mend="quote it anew"
        ) from error
    if not words:
        # An empty variable in somebody's script: to take the reference in its place would be a false PASS.
        raise UsageError(f"{given_by} names no {kind}", mend=or_else)
    return words
