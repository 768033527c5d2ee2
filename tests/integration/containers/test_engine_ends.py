"""An engine that is stopped in mid-run: nobody but the host is blamed.

It is one of this test's own, in a network namespace of its own: two of them would fight over bridges and the firewall.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

from tests.integration.containers.test_certify import LINKPROOF, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

STOP_S = 60.0
APART = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec dockerd "$@"', "dockerd")
NEEDED = ("dockerd", "unshare", "nsenter", "ip")


@pytest.fixture
def engine_of_its_own() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A dockerd beside the other one, and where it listens."""
    if not all(map(shutil.which, NEEDED)) or os.geteuid() != 0:
        pytest.skip("LEFT OUT, NO DOCKERD TO START: what a run says of an engine that ends was not tested")
    folder = Path(tempfile.mkdtemp(prefix="lp-engine-"))  # the path of a socket has to be short
    try:
        with _dockerd(folder) as (process, address):
            yield process, address
    finally:
        shutil.rmtree(folder)


@contextmanager
def _dockerd(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    address = f"unix://{folder}/sock"
    own = [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid", f"--host={address}"]
    log = (folder / "log").open("wb")
    with log, subprocess.Popen([*APART, *own], stdout=log, stderr=log) as process:
        try:
            wait_until((folder / "sock").exists, "it listens")
            yield process, address
        finally:
            process.terminate()
            process.wait(STOP_S)


def test_an_engine_that_ends_in_mid_run_is_the_hosts(
    engine_of_its_own: tuple[subprocess.Popen[bytes], str],
    api: docker.APIClient,
    reference_images: Sequence[str],
    tmp_path: Path,
) -> None:
    process, address = engine_of_its_own
    own: Any = docker.APIClient(base_url=address, version="auto")
    list(own.load_image(api.get_image(reference_images[0])))
    beside = ("nsenter", f"--net=/proc/{process.pid}/ns/net", *LINKPROOF)
    options = ("--client-image", reference_images[0], "-k", "test_back_after_32_s and cut")
    environment = {**os.environ, "DOCKER_HOST": address}
    with subprocess.Popen(
        [*beside, *options], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as run:
        wait_until(lambda: len(own.containers()) == 2, "alice and bob are there")
        own.close()
        process.terminate()
        assert run.stdout is not None
        text = run.stdout.read().decode()
    assert run.returncode == 13, text
    assert "host: the container engine did not answer: No such file or directory" in text
    assert "adapter:" not in text
