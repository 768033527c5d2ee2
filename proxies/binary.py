"""Finds the Toxiproxy server that a run is to use: one that runs already, a binary, or one that is built now.

The order: what the user names; `toxiproxy-server` on PATH; the project's cache; and, if building is allowed, the
ways of `proxies.build` that fill the cache. Only the pinned version is used, as the recipes were measured on it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from harness.errors import HostError, UsageError
from proxies.api import Consumer
from proxies.build import fill_cache
from proxies.found import Found, Say, Step, nothing_found
from proxies.pinned import BINARY_NAME, UNTOLD, VERSION, check_answered_version, check_version, version_of, with_v


def cache_folder() -> Path:
    """Where the binary is kept: LINKPROOF_CACHE, or linkproof in the user's cache folder."""
    given = os.environ.get("LINKPROOF_CACHE")
    if given:
        return Path(given)
    user_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(user_cache) / "linkproof"


def cached_binary() -> Path:
    """The path of the pinned binary in the cache, whether it is there or not."""
    return cache_folder() / f"toxiproxy-{VERSION.removeprefix('v')}" / BINARY_NAME


def find(given: str | None = None, *, build: bool = True, say: Say = lambda _: None) -> Found:
    """Find the Toxiproxy server to use.

    Args:
        given: an address (``host:port``) or the path of a binary, from the user; LINKPROOF_TOXIPROXY if None.
        build: whether to build one, which takes some 20 s, where none is found.
        say: told about each step that takes long.

    Raises:
        HostError: none was found; lists everything that was tried and the line that mends it.
        UsageError: what the user gave is neither.
    """
    given = given or os.environ.get("LINKPROOF_TOXIPROXY") or None
    if given is not None:
        return _given(given)
    tried: list[Step] = []
    for origin, path in (("PATH", _on_path()), ("the cache", cached_binary())):
        found = _look(origin, path, tried)
        if found is not None:
            return found
    if build:
        return install(say=say, tried=tried)
    raise nothing_found(tried)


def install(*, say: Say = lambda _: None, tried: Sequence[Step] = ()) -> Found:
    """Fill the cache with the pinned binary, unless it is there already.

    Args:
        say: told about each step that takes long.
        tried: what was tried before, to be listed in the result or the error.

    Raises:
        HostError: no way worked; lists everything that was tried and the line that mends it.
    """
    return fill_cache(cached_binary(), say=say, tried=tried)


def _given(given: str) -> Found:
    path = Path(given).expanduser()
    step = Step(f"given by the user ({given})", "used")
    if path.exists() or "/" in given:
        version = version_of(path)
        check_version(version, what=str(path))
        return Found(path.resolve(), None, "given by the user", version, (step,))
    if re.fullmatch(r"[^:/\s]+:\d{1,5}", given):
        return Found(None, given, "given by the user", _answered_version(given), (step,))
    raise UsageError(
        f"{given!r} is neither the address nor the binary of a Toxiproxy",
        mend="give host:port of one that runs, or the path of its server binary.",
    )


def _answered_version(address: str) -> str:
    host, _, port = address.rpartition(":")
    consumer = Consumer(host, int(port))
    try:
        version = consumer.version()
    finally:
        consumer.close()
    check_answered_version(version, where=address)
    return version if version == UNTOLD else with_v(version)


def _on_path() -> Path | None:
    found = shutil.which(BINARY_NAME)
    return Path(found) if found else None


def _look(origin: str, path: Path | None, tried: list[Step]) -> Found | None:
    what = f"{BINARY_NAME} on PATH" if origin == "PATH" else f"{origin} ({path})"
    if path is None or not path.exists():
        tried.append(Step(what, "not there"))
        return None
    try:
        version = version_of(path)
        check_version(version, what=str(path))
    except HostError as error:
        tried.append(Step(what, f"not used: {error.found}"))
        return None
    tried.append(Step(what, "used"))
    return Found(path, None, f"found in {origin}" if origin != "PATH" else "found on PATH", version, tuple(tried))
