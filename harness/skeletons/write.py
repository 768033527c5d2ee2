"""Writes an adapter to begin with, and says what to do next."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class _Language:
    """The files of a skeleton, how they are built, and what starts them; ``{}`` is the folder."""

    files: tuple[str, ...]
    build: tuple[str, ...]
    command: str


_LANGUAGES = {
    "python": _Language(("adapter.py",), (), "python3 {}/adapter.py"),
    "typescript": _Language(
        ("adapter.ts", "package.json", "tsconfig.json"),
        ("npm --prefix {} install", "npm --prefix {} run build"),
        "node {}/adapter.js",
    ),
    "go": _Language(("main.go", "go.mod"), ("go build -C {} -o adapter .",), "{}/adapter"),
    "cpp": _Language(
        ("adapter.cpp", "CMakeLists.txt"),
        ("cmake -S {} -B {}/build -DCMAKE_BUILD_TYPE=Release", "cmake --build {}/build"),
        "{}/build/adapter",
    ),
}
LANGUAGES: tuple[str, ...] = tuple(_LANGUAGES)


@dataclass(frozen=True)
class Skeleton:
    """An adapter that was written: its files, and the commands that build and check it."""

    files: list[Path]
    build: list[str]
    command: str

    @property
    def next_commands(self) -> list[str]:
        """What to type next, in a shell, from where it was written."""
        return [*self.build, f"linkproof adapter check {shlex.quote(self.command)}"]


def write_skeleton(language: str, folder: Path) -> Skeleton:
    """Write an adapter into a folder that is new or empty.

    Raises:
        UsageError: there is something in it, or it cannot be written.
    """
    told = _LANGUAGES[language]
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f"{folder} is there already", why="nothing is overwritten", mend="name a folder that is new, or empty"
            )
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / name for name in told.files]
        for path in files:
            path.write_bytes((_FOLDER / language / path.name).read_bytes())
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}", mend="name another folder") from error
    # A command that begins with a name without a slash is looked for on PATH.
    place = shlex.quote(str(folder) if folder.is_absolute() or "/" in str(folder) else f"./{folder}")
    return Skeleton(files, [line.replace("{}", place) for line in told.build], told.command.replace("{}", place))
