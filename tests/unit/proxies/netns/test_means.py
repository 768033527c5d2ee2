"""What is said where a right or a program is missing; what the programs say is the kernel's."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.errors import HostError
from proxies.netns.kernel import check_means, tell
from proxies.netns.namespaces import Namespace

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Namespace(-1)


@pytest.fixture(autouse=True)
def _nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """No namespace is entered, and every program is there."""

    @contextmanager
    def entered(_: Namespace) -> Iterator[None]:
        yield

    monkeypatch.setattr(Namespace, "entered", entered)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/sbin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_root_with_every_program_may() -> None:
    check_means()
    assert os.geteuid() == 0


def test_another_user_is_told_to_be_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(HostError, match="network namespaces need root") as raised:
        check_means()
    assert (raised.value.why, raised.value.mend) == ("this is user 1000", "run it as root (sudo)")


@pytest.mark.parametrize(
    ("missing", "found", "packages"),
    [
        ({"nft"}, "need nft, which is not there", "nftables"),
        ({"ip", "tc", "nft"}, "need ip, tc, nft, which are not there", "iproute2 nftables"),
    ],
)
def test_all_that_is_missing_is_told_with_the_packages(
    monkeypatch: pytest.MonkeyPatch, missing: set[str], found: str, packages: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name in missing else name)
    with pytest.raises(HostError, match=found) as raised:
        check_means()
    assert raised.value.mend.startswith(f"install {packages} (Debian: apt-get install {packages})")


def test_a_program_that_fails_says_what_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="Error: no such device\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(HostError, match="ip -batch - <<< 'link set x up'") as raised:
        tell(HERE, ["ip", "-batch", "-"], "link set x up")
    assert raised.value.why == "Error: no such device"


@pytest.mark.parametrize("error", [subprocess.TimeoutExpired("ip", 10.0), FileNotFoundError("no ip")])
def test_a_program_that_does_not_end_or_begin_is_the_hosts(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def run(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(HostError, match="ip cannot be used") as raised:
        tell(HERE, ["ip", "addr"])
    assert raised.value.why == str(error)
