from __future__ import annotations

import importlib
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from harness.errors import HarnessError, HostError, LinkproofError, ToxiproxyError
from harness.report.exit_codes import ExitCode
from proxies import binary
from proxies.found import Found, Step, nothing_found

# In the package the name stands for the command.
module = importlib.import_module("harness.cli.doctor")
FOUND = Found(Path("/opt/toxiproxy-server"), None, "found on PATH", "v2.12.0", ())


def raising(error: LinkproofError) -> Callable[..., Any]:
    def call(*_: object, **__: object) -> object:
        raise error

    return call


async def tried(*_: object) -> tuple[float, int]:
    return 12.0, 11


@pytest.fixture
def well(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine on which nothing is missing, to take something from."""
    monkeypatch.setattr(binary, "find", lambda **_: FOUND)
    monkeypatch.setattr(module, "_try_faults", tried)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (4096, 8192))
    return monkeypatch


def consult() -> tuple[int, str]:
    result = CliRunner().invoke(module.doctor, standalone_mode=False)
    assert result.exception is None
    return cast(int, result.return_value), result.output


@pytest.mark.usefixtures("well")
def test_nothing_is_missing() -> None:
    code, said = consult()
    assert code == ExitCode.PASS
    assert "Toxiproxy: v2.12.0, found on PATH: /opt/toxiproxy-server" in said
    assert "faults: 11 kinds tried on loopback in 12 ms" in said
    assert said.endswith("nothing is missing\n")
    assert "lack" not in said


def test_without_a_toxiproxy_it_says_what_was_tried_and_what_to_do(well: pytest.MonkeyPatch) -> None:
    well.setattr(binary, "find", raising(nothing_found([Step("toxiproxy-server on PATH", "not there")])))
    code, said = consult()
    assert code == ExitCode.HOST
    assert "- toxiproxy-server on PATH: not there" in said
    assert "mend: linkproof toxiproxy install" in said
    assert "1 of 5 will not do" in said
    assert "faults" not in said, "there is nothing to try them with"


def test_it_builds_nothing(well: pytest.MonkeyPatch) -> None:
    def find(*, build: bool) -> Found:
        assert not build
        return FOUND

    well.setattr(binary, "find", find)
    assert consult()[0] == ExitCode.PASS


@pytest.mark.parametrize(
    ("name", "error", "what", "mend"),
    [
        ("_try_faults", ToxiproxyError("freeze does not hold", mend="use the pinned one"), "faults", "use the pinned"),
        ("_try_faults", HostError("no port is free", why="all are taken"), "faults", "all are taken"),
        ("suite_folder", HarnessError("they are not there", mend="install anew"), "scenarios", "install anew"),
        ("suite_folder", HarnessError("they are not there"), "scenarios", "see above"),
    ],
)
def test_what_will_not_do_is_named_with_its_mend(
    well: pytest.MonkeyPatch, name: str, error: LinkproofError, what: str, mend: str
) -> None:
    well.setattr(module, name, raising(error))
    code, said = consult()
    assert code == ExitCode.HOST
    assert f"lack {what}: {error.found}\n       mend: {mend}" in said
    assert "1 of 6 will not do" in said


@pytest.mark.parametrize(("hard", "mend"), [(8192, "ulimit -n 1024"), (300, "ulimit -n 300")])
def test_too_few_open_files(well: pytest.MonkeyPatch, hard: int, mend: str) -> None:
    well.setattr(resource, "getrlimit", lambda _: (256, hard))
    code, said = consult()
    assert code == ExitCode.HOST
    assert "lack open files: 256 allowed" in said
    assert f"mend: {mend}" in said


def test_a_folder_without_scenarios(well: pytest.MonkeyPatch, tmp_path: Path) -> None:
    well.setattr(module, "suite_folder", lambda: tmp_path)
    code, said = consult()
    assert code == ExitCode.HOST
    assert f"lack scenarios: 0 files in {tmp_path}" in said
