"""Two runs at once on one machine do not disturb each other, whether each has its own Toxiproxy or both have one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.report.exit_codes import ExitCode
from proxies.binary import find
from tests.whole_run import WholeRun, begin, ended_after

if TYPE_CHECKING:
    from tests.integration.hostile.conftest import Begin

SOME = "a_visible_loss_interrupts_after_4_s or login_that_succeeds or logout_disconnects"


@pytest.mark.parametrize("shared", [False, True], ids=["each with its own Toxiproxy", "both with the same one"])
def test_both_pass_and_leave_nothing(tmp_path: Path, listening: Begin, shared: bool) -> None:
    options = []
    if shared:
        _, port = listening(find(None, say=lambda _: None).path, "-host", "127.0.0.1", "-port")
        options = ["--toxiproxy", f"127.0.0.1:{port}"]
    runs: list[WholeRun] = []
    with ended_after(runs):
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            runs.append(begin(tmp_path / name, ["-k", SOME, *options]))
        ended = [run.end() for run in runs]
    for run, (code, out) in zip(runs, ended, strict=True):
        assert code == ExitCode.PASS, out
        assert {each["verdict"] for each in run.verdicts().values()} == {"PASS"}
        run.check_nothing_is_left(set())
