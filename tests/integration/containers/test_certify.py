"""Whole runs with images: the same verdicts as without, and nothing left behind, however they end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from harness.world.places import REFERENCE_CLIENT_IMAGE, REFERENCE_SERVER_IMAGE
from tests.integration.containers.conftest import leftovers

if TYPE_CHECKING:
    from collections.abc import Callable

RUN_S = 240.0
SOON_S = 60.0
LINKPROOF = (sys.executable, "-c", "from harness.cli import main; main()", "certify", "--run-dir", "evidence")
# A login, a loss, a takeover; a server that is killed, and one that stands still.
SOME = "logout_disconnects or server_that_is_restarted_at_once or stands_still_for_2_s or kicked_by_a_second"


def certify(folder: Path, *options: str) -> tuple[int, str]:
    done = subprocess.run(
        [*LINKPROOF, *options],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=RUN_S,
    )
    return done.returncode, done.stdout


def verdicts(folder: Path) -> dict[str, str]:
    told = json.loads((folder / "evidence" / "verdicts.json").read_bytes())
    return {each["scenario"]: each["verdict"] for each in told if each["verdict"] != "INCONCLUSIVE"}


def wait_until(come: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + SOON_S
    while not come():
        assert time.monotonic() < deadline_s, f"not within {SOON_S} s: {what}"
        time.sleep(0.05)


@pytest.mark.usefixtures("reference_images")
def test_the_reference_as_images_gets_the_verdicts_of_the_plain_run(api: docker.APIClient, tmp_path: Path) -> None:
    (plain := tmp_path / "plain").mkdir()
    (contained := tmp_path / "contained").mkdir()
    assert certify(plain, "-k", SOME)[0] == 0
    code, text = certify(contained, "--engine", "docker", "-k", SOME)
    assert code == 0, text
    assert verdicts(contained) == verdicts(plain)
    info = json.loads((contained / "evidence" / "run.json").read_bytes())
    assert info["images"].keys() == {"client", "server"}
    assert info["images"]["client"].keys() == {REFERENCE_CLIENT_IMAGE}
    assert re.fullmatch(r"sha256:\w{64}", info["images"]["client"][REFERENCE_CLIENT_IMAGE])
    assert leftovers(api) == []


@pytest.mark.usefixtures("reference_images")
def test_one_side_alone_is_an_image(api: docker.APIClient, tmp_path: Path) -> None:
    for option, image in (("--client-image", REFERENCE_CLIENT_IMAGE), ("--server-image", REFERENCE_SERVER_IMAGE)):
        (folder := tmp_path / option.strip("-")).mkdir()
        code, text = certify(folder, option, image, "-k", "test_logout_disconnects")
        assert code == 0, text
    assert leftovers(api) == []


@pytest.mark.usefixtures("reference_images")
def test_the_guard_removes_the_containers_of_a_run_that_was_killed(api: docker.APIClient, tmp_path: Path) -> None:
    run = _start(tmp_path)
    wait_until(lambda: len(leftovers(api)) >= 6, "people, servers, two networks and an image are there")
    run.kill()
    run.wait()
    wait_until(lambda: leftovers(api) == [], "all was removed")
    assert run.returncode == -signal.SIGKILL


@pytest.mark.usefixtures("reference_images")
def test_the_next_run_removes_what_one_left_that_was_killed_with_its_guard(
    api: docker.APIClient, tmp_path: Path
) -> None:
    run = _start(tmp_path)
    wait_until(lambda: len(leftovers(api)) >= 6, "people, servers, two networks and an image are there")
    guards = [pid for pid in _children(run.pid) if "groups, folders" in Path(f"/proc/{pid}/cmdline").read_text()]
    os.kill(run.pid, signal.SIGSTOP)  # it must not see its guard go
    for pid in guards:
        os.kill(pid, signal.SIGKILL)
    others = _children(run.pid)
    run.kill()
    run.wait()
    left = leftovers(api)
    assert len(left) >= 3  # what serves no more has ended with its input, and is still there
    (tmp_path / "next").mkdir()
    code, text = certify(tmp_path / "next", "--engine", "docker", "-k", "test_logout_disconnects")
    assert code == 0, text
    assert "which a run that was killed has left behind" in text
    assert leftovers(api) == []
    for pid in others:  # Toxiproxy and the sampler, which the guard would have killed
        if Path(f"/proc/{pid}").exists():
            os.kill(pid, signal.SIGKILL)


def test_an_image_that_is_not_there_is_the_hosts(api: docker.APIClient, tmp_path: Path) -> None:
    code, text = certify(tmp_path, "--client-image", "linkproof-no-such-image", "-k", "test_logout_disconnects")
    assert code == 13
    assert "has no image 'linkproof-no-such-image'" in text
    assert leftovers(api) == []


def test_without_an_engine_it_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    code, text = certify(tmp_path, "--client-image", "any", "-k", "test_logout_disconnects")
    assert code == 13
    assert "no container engine answers" in text
    assert "systemctl start docker" in text


def _start(folder: Path) -> subprocess.Popen[bytes]:
    options = ("--engine", "docker", "-k", "test_back_after_32_s")
    log = (folder / "log").open("wb")
    with log:
        return subprocess.Popen([*LINKPROOF, *options], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]
