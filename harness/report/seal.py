"""The seal of a run: the SHA-256 of each file in its folder, so that evidence which was altered is not judged.

It is a file as ``sha256sum -c`` reads it. Whoever alters the evidence can make a new seal as well; what holds against
that is a signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from harness.errors import UsageError

SEAL = "SHA256SUMS"


def seal(folder: Path) -> None:
    """Write down what is in a folder now."""
    lines = [f"{_hash(folder / name)}  {name}\n" for name in sorted(_files(folder))]
    (folder / SEAL).write_text("".join(lines), encoding="utf-8")


def check(folder: Path, *, complete: Sequence[str]) -> None:
    """See to it that everything is as it was sealed, and that none of the files and folders ``complete`` was added to.

    Raises:
        UsageError: a file was altered, is gone, or was added; or there is no seal.
    """
    try:
        lines = (folder / SEAL).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        found = f"the evidence in {folder} was altered: {SEAL} is no text"
        raise UsageError(found, why=_WHY, mend="run it again") from error
    except FileNotFoundError as error:
        raise UsageError(f"{folder} has no {SEAL}", why=_WHY, mend="only a run that came to its end has one") from error
    sealed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    wrong = list(_broken(folder, sealed, complete))
    if wrong:
        raise UsageError(f"the evidence in {folder} was altered: {'; '.join(wrong)}", why=_WHY, mend="run it again")


_WHY = "a verdict is worth no more than the evidence that it is made from"


def _broken(folder: Path, sealed: dict[str, str], complete: Sequence[str]) -> Iterator[str]:
    files = _files(folder)  # asked for by a name in the seal, the system may find it too long or no name at all
    for name, digest in sealed.items():
        if name not in files:
            yield f"{name} is gone"
        elif _hash(folder / name) != digest:
            yield f"{name} is not what it was"
    yield from (f"{name} was added" for name in sorted(files) if _is_foreign(name, sealed, complete))


def _is_foreign(name: str, sealed: Collection[str], complete: Sequence[str]) -> bool:
    return name not in sealed and name.partition("/")[0] in complete


def _files(folder: Path) -> set[str]:
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return files - {SEAL}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
