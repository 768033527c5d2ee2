"""A base image out of this machine's own Python, for where no registry can be reached: Dockerfile builds upon it.

In it are the interpreter that runs this file with its standard library, the shared libraries that they need, a shell,
linkproof's dependencies, pip and the build backend, so that the build asks nobody for anything. It takes the place of
``python:3.11-slim`` in tests; it is not for use.
"""

from __future__ import annotations

import ensurepip
import importlib.metadata
import io
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

NAME = f"python{sys.version_info.major}.{sys.version_info.minor}"
LIBRARY = f"usr/local/lib/{NAME}"
# What no program needs but tests of Python itself, and what draws windows.
_LEFT_OUT = {
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "lib2to3",
    "ensurepip",
    "__pycache__",
    "site-packages",
}
_ROOTS = ("linkproof", "hatchling", "editables")


def write_base(target: Path) -> None:
    """Write the image's whole file system as a tar file; ``docker import`` makes an image of it."""
    interpreter = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    packages = dict(_packages())
    binaries = [interpreter, Path("/bin/sh"), *library.glob("lib-dynload/*.so"), *packages.values()]
    with tarfile.open(target, "w") as tar:
        for program in ("python3", "python", NAME):
            tar.add(interpreter, f"usr/local/bin/{program}")
        tar.add(library, LIBRARY, filter=_wanted)
        for path, file in packages.items():
            tar.add(file, f"{LIBRARY}/site-packages/{path}", recursive=False)
        _add_pip(tar)
        tar.add(Path("/bin/sh").resolve(), "bin/sh")
        for found in sorted(_libraries([file for file in binaries if ".so" in file.name or file.parent.name == "bin"])):
            tar.add(found.resolve(), str(found).lstrip("/"))
        for folder, mode in (("tmp", 0o1777), ("etc", 0o755)):
            made = tarfile.TarInfo(folder)
            made.type, made.mode = tarfile.DIRTYPE, mode
            tar.addfile(made)


def _wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    name = Path(entry.name).name
    return None if name in _LEFT_OUT or name.startswith("_tkinter") else entry


def _packages() -> Iterator[tuple[str, Path]]:
    """Yield each file of linkproof's dependencies, and of what builds it, after its path in site-packages."""
    seen: set[str] = set()
    waiting = list(_ROOTS)
    while waiting:
        name = waiting.pop().lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of another platform or another Python; if not, pip says so when the image is built
        needed = [each for each in package.requires or [] if "extra ==" not in each]
        waiting += [re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0] for each in needed]
        if name != "linkproof":
            for file in package.files or []:
                found = Path(str(file.locate()))
                if ".." not in file.parts and "__pycache__" not in file.parts and found.is_file():
                    yield str(file), found


def _add_pip(tar: tarfile.TarFile) -> None:
    """Add the pip that comes with Python: an environment made by tox has none."""
    wheel = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            content = packed.read(name)
            entry = tarfile.TarInfo(f"{LIBRARY}/site-packages/{name}")
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))


def _libraries(binaries: list[Path]) -> set[Path]:
    """Return the shared libraries that these need, the loader among them, by the paths that they are looked up at."""
    done = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False)
    return {Path(found) for found in re.findall(r"(?:=> |^\t)(/\S+) \(0x", done.stdout, re.MULTILINE)}


if __name__ == "__main__":
    write_base(Path(sys.argv[1]))
