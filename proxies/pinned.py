"""The one version of Toxiproxy that is used, as the recipes were measured on it, and how a binary's version is told."""

from __future__ import annotations

import mmap
import os
import re
import subprocess
from pathlib import Path
from typing import Final

from harness.errors import HostError

VERSION: Final = "v2.12.0"
MODULE: Final = "github.com/Shopify/toxiproxy/v2"
BINARY_NAME: Final = "toxiproxy-server"
# What `toxiproxy-server -version` and GET /version say when the binary was built from the source by `go install`.
UNTOLD: Final = "git"
_VERSION_TIMEOUT_S: Final = 10.0


def version_of(binary: Path) -> str:
    """The version of a Toxiproxy binary: from the build information in it, or else from what it prints.

    Raises:
        HostError: it is no executable file, or is no Toxiproxy.
    """
    if not binary.is_file() or not os.access(binary, os.X_OK):
        raise HostError(f"{binary} is no executable file")
    return _embedded_version(binary) or _printed_version(binary)


def check_version(version: str, *, what: str) -> None:
    """Raise HostError unless it is the pinned version."""
    if version != VERSION:
        raise HostError(
            f"{what} is Toxiproxy {version}, not {VERSION}",
            why="the faults were measured on this version; others behave differently.",
            mend="unset LINKPROOF_TOXIPROXY to have the right one found or built.",
        )


def check_answered_version(version: str, *, where: str) -> None:
    """The same for a running server, which cannot tell its version when it was built from the source."""
    if version != UNTOLD:
        check_version(with_v(version), what=f"the server at {where}")


def _embedded_version(binary: Path) -> str | None:
    """What `go version -m` would print: the line of the main module in the build information, which is plain text."""
    line = re.compile(rb"mod\t" + re.escape(MODULE.encode()) + rb"\t(v2\.[0-9A-Za-z.+-]+)")
    if binary.stat().st_size == 0:
        return None
    with binary.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = line.search(content)
        return found[1].decode() if found else None


def _printed_version(binary: Path) -> str:
    try:
        done = subprocess.run(
            [binary, "-version"], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"{binary} does not tell its version", why=str(error)) from error
    printed = re.search(r"toxiproxy-server version (\S+)", done.stdout)
    if printed is None:
        raise HostError(f"{binary} is no Toxiproxy server", why=f"`-version` printed {done.stdout[:200]!r}")
    return "of an untold version" if printed[1] == UNTOLD else with_v(printed[1])


def with_v(version: str) -> str:
    """The version as Go writes it."""
    return f"v{version.removeprefix('v')}"
