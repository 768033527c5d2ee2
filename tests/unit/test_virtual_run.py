from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.judge import judge
from harness.errors import UsageError
from harness.oracle.expect import callback, nothing, state
from harness.oracle.verdict import Verdict
from harness.report.exit_codes import ExitCode
from harness.report.run_folder import VIRTUAL, RunFolder
from harness.report.terminal import VIRTUAL_BANNER
from harness.run import ScenarioSpec
from harness.virtual_run import VirtualRun, VirtualRunConfig
from harness.world.phrases import LOGGED_IN
from harness.world.play import Scenario
from harness.world.world import Title, World


async def stays(world: World) -> None:
    alice = await world.person("alice")
    alice.saw(nothing("DISCONNECTED-2"))


async def logs_in(world: World) -> None:
    alice = await world.online("alice")
    async with alice.link.cut():
        await world.sleep(60)
    back = state("CONNECTED", "LOGIN_SUCCESS")
    await alice.sees(back)
    alice.saw(*LOGGED_IN, state("RECONNECTING", "INTERRUPTED"), back, nothing("DISCONNECTED-2"))


async def is_wrong(world: World) -> None:
    alice = await world.person("alice")
    await world.sleep(5)
    alice.saw(callback("onLoginSuccess", "DISCONNECTED-2"))


def spec(body: Scenario) -> ScenarioSpec:
    return ScenarioSpec(Title(f"test_it.py::{body.__name__}", ("DISCONNECTED-2",)), 2.0, body)


def run_of(folder: Path, *scenarios: Scenario, seed: int = 0, core: str = "") -> VirtualRun:
    specs = [spec(each) for each in scenarios]
    run = VirtualRun(VirtualRunConfig(folder, seed, core))
    with run.open([each.title.name for each in specs]):
        for each in specs:
            run.play(each)
    return run


def test_each_scenario_is_judged_and_its_evidence_is_kept(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", stays, is_wrong)
    assert [each.verdict for each in run.judgements.values()] == [Verdict.PASS, Verdict.FAIL]
    folder = RunFolder(tmp_path / "run")
    assert {each.scenario: each.verdict for each in folder.judge()} == {
        "test_it.py::stays": Verdict.PASS,
        "test_it.py::is_wrong": Verdict.FAIL,
    }
    assert run.summary().verdict is Verdict.FAIL
    assert (tmp_path / "run" / "verdicts.json").exists()


def test_what_is_put_down_of_the_run_says_that_its_world_was_virtual(tmp_path: Path) -> None:
    run_of(tmp_path / "run", stays, is_wrong)
    info = RunFolder(tmp_path / "run").read_info()
    assert info.world == VIRTUAL == "virtual"
    assert info.client == {"name": "the reference core"}
    assert (info.toxiproxy, info.client_command, info.longest_s) == ("", [], 0.0)
    # A second of quiet each, five that the second one waits, and a start of each client.
    assert info.simulated_s == pytest.approx(7.04, abs=0.01)
    assert info.setup_s <= info.wall_s


def test_a_core_that_was_chosen_is_played_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent / "world")
    run = run_of(tmp_path / "run", stays, core="wrong_cores:HastyCore")
    monkeypatch.delitem(sys.modules, "wrong_cores")
    assert run.info.client == {"name": "wrong_cores:HastyCore"}


def test_a_core_that_cannot_be_had_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be imported"):
        VirtualRun(VirtualRunConfig(tmp_path / "run", core="no_such_module:Core"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("core", ["", "harness.reference.client_core:ClientCore"])
def test_the_same_seed_leaves_the_same_evidence_and_another_one_another(tmp_path: Path, core: str) -> None:
    kept = []
    for number, seed in enumerate([3, 3, 4]):
        run = run_of(tmp_path / str(number), logs_in, seed=seed, core=core)
        assert run.summary().verdict is Verdict.PASS
        (trace,) = (tmp_path / str(number) / "traces").iterdir()
        kept.append((trace.read_bytes(), (tmp_path / str(number) / "verdicts.json").read_bytes()))
    assert kept[0] == kept[1]
    assert kept[0][0] != kept[2][0]


def test_evidence_is_never_overwritten(tmp_path: Path) -> None:
    run_of(tmp_path / "run", stays)
    with pytest.raises(UsageError, match="the evidence cannot be kept"):
        run_of(tmp_path / "run", stays)


def test_a_run_that_is_broken_off_leaves_what_it_has(tmp_path: Path) -> None:
    run = VirtualRun(VirtualRunConfig(tmp_path / "run"))

    def broken_off() -> None:
        with run.open(["test_it.py::stays", "test_it.py::is_wrong"]):
            run.play(spec(stays))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    folder = RunFolder(tmp_path / "run")
    assert [each.scenario for each in folder.judge()] == ["test_it.py::stays"]
    assert folder.read_info().selected == ["test_it.py::stays", "test_it.py::is_wrong"]


def test_judged_again_it_still_says_that_it_certifies_nothing(tmp_path: Path) -> None:
    run_of(tmp_path / "run", stays)
    result = CliRunner().invoke(judge, [str(tmp_path / "run")], standalone_mode=False)
    assert result.return_value == ExitCode.PASS
    for line in filter(None, VIRTUAL_BANNER.splitlines()):
        assert line in result.output
    assert "PASS  the reference core against rtm-1.0, in virtual time: 1 PASS" in result.output
