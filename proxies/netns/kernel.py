"""The programs by which the kernel is told about interfaces, rules and queues: run inside a namespace, and checked."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

from harness.errors import HostError
from proxies.netns.namespaces import Namespace

# A call takes some milliseconds; a machine that needs this long could not run the scenarios either.
CALL_TIMEOUT_S: Final = 10.0
# Each program, and Debian's package that brings it.
_PROGRAMS: Final = {"ip": "iproute2", "ss": "iproute2", "tc": "iproute2", "nft": "nftables", "nsenter": "util-linux"}


def check_means() -> None:
    """Make sure that this user may, and that every program is there.

    Raises:
        HostError: something is missing; says all of it.
    """
    missing = {name: package for name, package in _PROGRAMS.items() if shutil.which(name) is None}
    packages = " ".join(sorted(set(missing.values())))
    if missing:
        raise HostError(
            f"network namespaces need {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not there",
            mend=f"install {packages} (Debian: apt-get install {packages}), or leave --faults netns out",
        )
    if os.geteuid() != 0:
        raise HostError(
            "network namespaces need root", why=f"this is user {os.geteuid()}", mend="run it as root (sudo)"
        )


def versions() -> str:
    """Say which programs do it."""
    return ", ".join(_told([*words]) for words in (("nft", "--version"), ("ip", "-V")))


def tell(namespace: Namespace, words: Sequence[str], script: str = "") -> str:
    """Run a program inside a namespace; return what it printed.

    Raises:
        HostError: it failed, or did not end.
    """
    with namespace.entered():
        return _told(words, script)


def _told(words: Sequence[str], script: str = "") -> str:
    try:
        done = subprocess.run(words, input=script, capture_output=True, text=True, timeout=CALL_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"{words[0]} cannot be used", why=str(error)) from error
    if done.returncode != 0:
        asked = f"{' '.join(words)}{f' <<< {script!r}' if script else ''}"
        raise HostError(f"the kernel was not told what it was to do: {asked}", why=done.stderr.strip() or done.stdout)
    return done.stdout.strip()
