"""Choices read from bytes: so a fuzzer that mutates bytes mutates what is done, and a file does the same each time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """The bytes of one input, taken one after the other; at their end every choice is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def byte(self) -> int:
        """Take one byte; 0 at the end."""
        taken = self.take(1)
        return taken[0] if taken else 0

    def take(self, count: int) -> bytes:
        """Take so many bytes, or those that are left."""
        taken = self._data[self._at : self._at + count]
        self._at += len(taken)
        return taken

    def pick(self, among: Sequence[T]) -> T:
        """Take one of up to 256 things."""
        return among[self.byte() % len(among)]
