"""What is fuzzed: the function that takes the bytes, where its inputs are kept, and how long they get."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Target:
    """A module with a function ``run(data: bytes) -> str``.

    What it raises is a crash; what it returns says in a few words what came of the bytes.
    """

    name: str
    module: str
    bytes_max: int

    @property
    def corpus(self) -> Path:
        """Where the inputs are that lead into every corner that was found."""
        return FOLDER / "corpus" / self.name

    @property
    def crashes(self) -> Path:
        """Where the inputs are that once crashed."""
        return FOLDER / "crashes" / self.name

    def load(self) -> Callable[[bytes], str]:
        """Return its function."""
        run: Callable[[bytes], str] = importlib.import_module(self.module).run
        return run

    def kept(self) -> list[Path]:
        """Return all inputs that are kept."""
        folders = (self.corpus, self.crashes)
        return sorted(path for folder in folders if folder.is_dir() for path in folder.iterdir())


TARGETS = {
    name: Target(name, f"tests.fuzz.{name}", bytes_max)
    for name, bytes_max in {
        "wire": 4096,
        "contract": 4096,
        "trace": 4096,
        "client_core": 512,
        "server_core": 512,
        "both_cores": 256,
    }.items()
}
