"""The options about images, which are handed on to pytest as they were given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from harness.sides import IMAGE_OPTIONS

_Command = TypeVar("_Command", bound=Callable[..., Any])


def image_options(command: _Command) -> _Command:
    """Add them to a command."""
    for option, value, text in reversed(IMAGE_OPTIONS):
        command = click.option(option, metavar=value, help=text)(command)
    return command
