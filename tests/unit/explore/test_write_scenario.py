"""What was found is written down as a scenario, which does what the schedule did, and fails as it failed."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

import pytest

from harness import trace
from harness.explore.campaign import played
from harness.explore.draw import CHANNELS, PEOPLE, Shape, drawn
from harness.explore.finding import Finding
from harness.explore.schedule import FAULTS, Crash, Heal, Join, Leave, Login, Lose, RenewToken, Schedule, Step, Wait
from harness.explore.situation import repaired
from harness.explore.write_scenario import scenario_text, write_scenario
from harness.oracle.judge import judge
from harness.oracle.verdict import Check, Judgement, Verdict
from harness.reference.client_core import ClientCore
from harness.trace import Observation, What
from harness.world.virtual import VirtualConfig, play_virtually
from harness.world.world import Title, World
from tests.unit.explore import seeded

ROOT = Path(__file__).resolve().parents[3]
CHECK = Check("CONNECTED-4", Verdict.FAIL, "alice", 'it said "no"; \\ and more')
INTERRUPTED = repaired(PEOPLE, [Login("alice"), Wait(0.3), Lose("alice", "cut"), Wait(3.5)])


def found(core: type[ClientCore], schedule: Schedule = INTERRUPTED) -> Finding:
    finding = played(schedule, VirtualConfig(client_core=core))
    assert finding.judgement.verdict is Verdict.FAIL
    return finding


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scenario_of(path: Path) -> Callable[[World], Awaitable[None]]:
    scenario: Callable[[World], Awaitable[None]] = getattr(load(path), path.stem.removesuffix("_2"))
    return scenario


def played_again(path: Path, core: type[ClientCore]) -> Judgement:
    config = VirtualConfig(client_core=core)
    return judge(play_virtually(Title("again", ("CONNECTED-4",)), scenario_of(path), limit_s=100, config=config))


def test_it_fails_again_with_the_wrong_client_and_passes_with_the_right_one(tmp_path: Path) -> None:
    finding = found(seeded.Impatient)
    path = write_scenario(finding, tmp_path, how="by a test")
    again = played_again(path, seeded.Impatient)
    assert (again.verdict, again.reason) == (Verdict.FAIL, finding.judgement.reason)
    right = played_again(path, ClientCore)
    assert right.verdict is Verdict.PASS
    assert right.of_clauses()["CONNECTED-4"] is Verdict.PASS


def what_was_done(observations: list[Observation]) -> list[tuple[int, str, str]]:
    return [(each.at_ns, each.source, each.name) for each in observations if each.what is not What.SCENARIO]


EVERY_FAULT: list[Step] = [step for fault in FAULTS for step in (Lose("alice", fault), Heal("alice", fault))]


@pytest.mark.parametrize("schedule", [*drawn(count=40, seed=1, shape=Shape())[10:], repaired(PEOPLE, EVERY_FAULT)])
def test_it_does_just_what_the_schedule_did(tmp_path: Path, schedule: Schedule) -> None:
    path = tmp_path / "test_found_connected_4.py"
    path.write_text(scenario_text(schedule, CHECK, how="by a test"), encoding="utf-8")
    written = play_virtually(Title("x", ()), scenario_of(path), limit_s=300, config=VirtualConfig())
    assert what_was_done(written) == what_was_done(list(played(schedule, VirtualConfig()).trace))


def test_it_reads_as_a_scenario_does() -> None:
    steps: list[Step] = [
        Login("alice", "short"),
        Join("alice", "lobby"),
        Wait(1.0),
        Lose("alice", "silence_to_server"),
        Wait(4.7),
    ]
    steps += [Login("alice_too", "bad"), RenewToken("alice", "valid"), Leave("alice", CHANNELS[0]), Crash("alice_too")]
    text = scenario_text(repaired(PEOPLE, steps), CHECK, how="in virtual time, with the seed 1")
    tree = ast.parse(text)
    assert ast.get_docstring(tree) == (
        "Found by exploring: in virtual time, with the seed 1.\n\nCONNECTED-4: alice: it said 'no'; / and more"
    )
    lines = text.splitlines()
    assert '@pytest.mark.scenario("CONNECTED-4", lasts_s=15)' in lines
    assert "async def test_found_connected_4(world: World) -> None:" in lines
    body = [line.strip() for line in lines[lines.index("    world.rules_alone()") :]]
    assert body == [
        "world.rules_alone()",
        'alice = await world.person("alice")',
        'alice_too = await world.person("alice_too", uid="alice")',
        "await alice.login(expires_in_s=5.0)",
        'await alice.join("lobby")',
        "await world.sleep(1.0)  # 1.0 s",
        "alice_silence_to_server = await alice.link.silence(direction=TO_SERVER)",
        "await world.sleep(4.7)  # 5.7 s",
        'await alice_too.login("this is no token")',
        "await alice.renew_token()",
        'await alice.leave("lobby")',
        "await world.crash(alice_too)",
        "# All is put right again, and each client has the time that it may need to be back.",
        "await alice_silence_to_server.heal()",
        "await world.sleep(alice.retry_s + 6.0)",
        'await alice.get_members("lobby")',
    ]


def test_nobody_is_asked_for_their_retry_who_has_crashed() -> None:
    text = scenario_text(repaired(PEOPLE, [Login("alice"), Crash("alice")]), CHECK, how="x")
    assert "await world.sleep(6.0)" in text


@pytest.mark.parametrize("schedule", [INTERRUPTED, repaired(PEOPLE, EVERY_FAULT)], ids=["short", "every fault"])
def test_it_is_in_the_style_of_the_project(tmp_path: Path, schedule: Schedule) -> None:
    path = tmp_path / "test_found_connected_4.py"
    path.write_text(scenario_text(schedule, CHECK, how="by a test"), encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    checked = subprocess.run([*ruff, "check", *config, path], capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout
    formatted = subprocess.run([*ruff, "format", "--diff", *config, path], capture_output=True, check=False, timeout=60)
    assert formatted.returncode == 0, formatted.stdout


def test_a_second_one_takes_no_place_of_the_first_and_each_has_its_trace_beside_it(tmp_path: Path) -> None:
    finding = found(seeded.Impatient)
    first, second = (write_scenario(finding, tmp_path / "found", how="by a test") for _ in range(2))
    assert (first.name, second.name) == ("test_found_connected_4.py", "test_found_connected_4_2.py")
    assert trace.read(first.with_suffix(".jsonl")) == list(finding.trace) == trace.read(second.with_suffix(".jsonl"))
