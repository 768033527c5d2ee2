"""What a run was made with, as hashes that are taken when it begins: the rules, linkproof itself, and what was tested.

All are SHA-256, in hexadecimal. A certificate is made of them, so that none can be handed on for something else.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

import msgspec

from harness.errors import UsageError
from harness.spec.profiles import PROFILES, Profile


class Digests(msgspec.Struct, omit_defaults=True):
    """The hashes of what a run was made with.

    ``client`` and ``server`` are the files that the two commands name: programs, scripts, and who interprets them, in
    the order of the command; or the image. ``artifacts`` are those of the implementation under test that no command
    names.
    """

    rules: str
    harness: str
    client: dict[str, str] = {}
    server: dict[str, str] = {}
    artifacts: dict[str, str] = {}


def version() -> str:
    """Return the version of linkproof that is installed."""
    return importlib.metadata.version("linkproof")


def of_rules(profile: Profile) -> str:
    """Return the hash of a profile's rules: its clauses, its table and its times, as JSON with its keys in order."""
    rules = [profile.name, profile.clauses, profile.transitions, profile.timing]
    return hashlib.sha256(msgspec.json.encode(rules, order="sorted")).hexdigest()


def of_harness() -> str:
    """Return the hash of linkproof's own files: that of their list, as ``sha256sum`` writes it."""
    lines = (f"{_of_file(path)}  {name}\n" for name, path in sorted(_own_files()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def of_command(words: Sequence[str]) -> dict[str, str]:
    """Return the hash of each file that a command names, the first of which may be one on PATH."""
    found = [*map(shutil.which, words[:1]), *words[1:]]
    # Not pathlib's: that raises where a word is too long for a name, as a whole program after -c is.
    files = [(word, path) for word, path in zip(words, found, strict=True) if path and os.path.isfile(path)]  # noqa: PTH113
    return _named([(word, _of_file(Path(path))) for word, path in files if os.access(path, os.R_OK)])


def of_images(ids: Mapping[str, str]) -> dict[str, str]:
    """Return the hash of each of these container images, which is its id (``sha256:...``) already."""
    return {name: identity.removeprefix("sha256:") for name, identity in ids.items()}


def of_artifacts(paths: Sequence[Path]) -> dict[str, str]:
    """Return the hash of each of these files.

    Raises:
        UsageError: one of them is no file that can be read.
    """
    try:
        return _named([(str(path), _of_file(path)) for path in paths])
    except OSError as error:
        found = f"--artifact {error.filename}: {error.strerror}"
        raise UsageError(found, why="its hash is kept with the run", mend="name a file: a library, a wheel") from error


def _named(digests: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Give each file the path that the user gave it; of an absolute one the last name, where that is enough."""
    named: dict[str, str] = {}
    for path, digest in digests:
        name = PurePath(path).name if PurePath(path).is_absolute() else path
        named[path if named.get(name, digest) != digest else name] = digest
    return named


def _own_files() -> Iterator[tuple[str, Path]]:
    """Yield linkproof's files, by the names that they have in its wheel: installed or not, it is the same linkproof."""
    package = Path(__file__).parents[1]
    trees = {"harness": package, "proxies": package.parent / "proxies"}
    for profile in PROFILES.values():
        in_checkout = package.parent / profile.scenarios
        if in_checkout.is_dir():
            trees[f"harness/{in_checkout.name}"] = in_checkout
    for top, folder in trees.items():
        for path in folder.rglob("*"):
            inside = path.relative_to(folder)
            # Caches are no part of it: Python's, and those of tools, which hide them.
            if path.is_file() and not any(part == "__pycache__" or part.startswith(".") for part in inside.parts):
                yield f"{top}/{inside.as_posix()}", path


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
