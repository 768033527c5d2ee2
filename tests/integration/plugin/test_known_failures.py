"""Known failures under pytest, seen from outside: what they are shown as, and what of them fails the run."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.plugin.conftest import NewSuite, Result, Suite

SCENARIOS = """
@pytest.mark.scenario("CONNECTED-3", lasts_s=8)
@pytest.mark.parametrize("length_s", [10.0, 20.0])
async def test_a_cut(world: World, length_s: float) -> None:
    alice = await world.online("alice")
    async with alice.link.cut() as cut:
        await world.until(length_s, after=cut.injected)
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"), within_s=5)
    alice.saw(
        state("CONNECTING", "LOGIN"),
        callback("onLoginSuccess"),
        state("CONNECTED", "LOGIN_SUCCESS"),
        state("RECONNECTING", "INTERRUPTED", "CONNECTED-3").at(4.0, after=cut.injected),
        state("CONNECTED", "LOGIN_SUCCESS").at_once(after=cut.healed, late="retry"),
    )

@pytest.mark.scenario("DISCONNECTED-1", lasts_s=1)
async def test_nothing_happens(world: World) -> None:
    alice = await world.person("alice")
    alice.saw(nothing("DISCONNECTED-1"))

def test_beside() -> None:
    pass
"""
# Tells of an interruption after 3 s, which the table does not allow: two checks fail, of CONNECTED-3 and CONNECTED-4.
HASTY_CORE = """
from harness.reference.client_core import ClientCore
from harness.spec.timing import Timing

class HastyCore(ClientCore):
    def __init__(self, app_id, *, instance, jitter):
        super().__init__(app_id, instance=instance, jitter=jitter, timing=Timing(interruption_s=3.0))
"""
HASTY = ("--virtual", "--core", "hasty:HastyCore")
SHORT, LONG = (f"test_scenarios.py::test_a_cut[{length_s}]" for length_s in ("10.0", "20.0"))
WHY = "CONNECTED-3: alice: RECONNECTING / INTERRUPTED after"


def entry(explanation: str = WHY, **place: str) -> str:
    fields = {**place, "explanation": explanation, "reason": "ticket 17"}
    return "\n".join(["[[known]]", *(f"{name} = {json.dumps(value)}" for name, value in fields.items()), ""])


BOTH = entry(scenario=SHORT) + entry(scenario=LONG)


@pytest.fixture
def suite(new_suite: NewSuite) -> Suite:
    made = new_suite(SCENARIOS)
    (made.folder / "hasty.py").write_text(HASTY_CORE, encoding="utf-8")
    return made


def run(suite: Suite, known: str, *arguments: str) -> Result:
    (suite.folder / "known.toml").write_text(known, encoding="utf-8")
    return suite.run("-v", "--known-failures", "known.toml", "--run-dir", "evidence", *arguments)


def test_a_known_failure_is_shown_as_one_and_fails_nothing(suite: Suite) -> None:
    result = run(suite, BOTH, *HASTY, "-rx", "--junitxml=junit.xml")
    assert result.code == 0
    assert result.shows(
        "::test_a_cut[10.0] KNOWN FAILURE",
        "::test_nothing_happens PASS",
        "KNOWN FAILURE: ticket 17 (known.toml:1): CONNECTED-3: alice: RECONNECTING / INTERRUPTED after 3.0",
        "2 passed, 2 xfailed",
    )
    case = result.cases()["test_a_cut[10.0]"]
    (skipped,) = [child for child in case if child.tag != "properties"]
    assert skipped.tag == "skipped"
    assert skipped.attrib["message"].startswith("KNOWN FAILURE: ticket 17 (known.toml:1): CONNECTED-3: alice")
    properties = {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}
    assert (properties["verdict"], properties["faults"], properties["phase"]) == ("FAIL", "cut", "idle")
    assert float(properties["margin_s"]) < 0
    assert properties["margin:alice: RECONNECTING / INTERRUPTED"] == properties["margin_s"]


def test_the_file_goes_into_the_evidence_and_under_the_seal(suite: Suite) -> None:
    run(suite, BOTH, *HASTY)
    kept = suite.folder / "evidence" / "known-failures.toml"
    assert kept.read_text(encoding="utf-8") == BOTH
    assert "known-failures.toml" in (suite.folder / "evidence" / "SHA256SUMS").read_text()


def test_what_is_known_stops_no_run_that_stops_at_the_first_failure(suite: Suite) -> None:
    result = run(suite, BOTH, *HASTY, "-x")
    assert result.code == 0
    assert result.shows("2 passed, 2 xfailed")


def test_a_failure_that_is_not_known_fails_the_run(suite: Suite) -> None:
    result = run(suite, entry(scenario=SHORT), *HASTY)
    assert result.code == 1
    assert result.shows("1 failed, 2 passed, 1 xfailed", "::test_a_cut[20.0] FAILED")


def test_a_scenario_that_passes_and_is_known_to_fail_fails_the_run(suite: Suite) -> None:
    result = run(suite, BOTH, "--virtual")
    assert result.code == 1
    assert result.shows(
        "2 failed, 2 passed",
        f"unexpected pass: {LONG} passes\n  where: known.toml:5\n  mend:  take the entry out",
    )


def test_another_failure_of_a_known_scenario_fails_the_run_and_says_what_was_expected(suite: Suite) -> None:
    result = run(suite, entry(scenario=SHORT) + entry("never came", scenario=LONG), *HASTY)
    assert result.code == 1
    assert result.shows(
        "1 failed, 2 passed, 1 xfailed",
        "!! RECONNECTING / INTERRUPTED  4 s after alice's cut",
        f"{LONG} fails otherwise than is known: 'never came' is not in 'CONNECTED-3: alice: RECONNECTING / INTERR",
        "where: known.toml:5",
    )


def test_a_rule_excuses_what_breaks_it_alone_and_is_held_to_it_in_the_whole_suite(suite: Suite) -> None:
    by_rule = entry("CONNECTED", clause="CONNECTED-3")
    broken = run(suite, by_rule, *HASTY)
    assert broken.code == 1  # each of them breaks CONNECTED-4 too
    whole = run(suite, by_rule, "--virtual", "--run-dir", "whole")
    assert whole.code == 1
    assert whole.shows(
        "unexpected pass: CONNECTED-3 is broken by no scenario\n  where: known.toml:1", "4 passed", "evidence: whole"
    )
    part = run(suite, by_rule, "--virtual", "-k", "10.0", "--run-dir", "part")
    assert part.code == 0
    assert part.shows("1 passed, 3 deselected")


def test_a_scenario_that_two_entries_match_fails_the_run(suite: Suite) -> None:
    rule = entry("CONNECTED-4: alice", clause="CONNECTED-4")
    text = SCENARIOS.replace('"CONNECTED-3", lasts_s', '"CONNECTED-4", lasts_s').replace(', "CONNECTED-3").at', ").at")
    suite.write(text)
    one = run(suite, rule, *HASTY)
    assert one.code == 0
    assert one.shows("2 passed, 2 xfailed")
    two = run(suite, rule + entry("CONNECTED-4", scenario=SHORT), *HASTY, "--run-dir", "again")
    assert two.code == 1
    assert two.shows(
        "1 failed, 2 passed, 1 xfailed",
        f"{SHORT} fails, and 2 known failures match it\n  where: known.toml:1 (CONNECTED-4); known.toml:5 ({SHORT})",
    )


@pytest.mark.parametrize("selected", ["", "nothing_happens"])
@pytest.mark.parametrize(
    "stray", [{"scenario": "test_scenarios.py::test_a_cut"}, {"clause": "CONNECTED-4"}, {"clause": "CONNECTED-99"}]
)
def test_an_entry_that_matches_nothing_of_the_suite_is_refused_before_anything_runs(
    suite: Suite, stray: dict[str, str], selected: str
) -> None:
    result = run(suite, BOTH + entry(**stray), *HASTY, "-k", selected)
    assert result.code == pytest.ExitCode.USAGE_ERROR
    (place,) = stray.values()
    assert result.shows(f"known.toml:9 names '{place}'", "no scenario of the suite has that name")
    assert not (suite.folder / "evidence").exists()


def test_the_whole_suite_counts_and_not_what_was_selected(suite: Suite) -> None:
    result = run(suite, BOTH, *HASTY, "-k", "10.0")
    assert result.code == 0
    assert result.shows("1 xfailed")


def test_a_file_that_is_written_wrongly_is_refused_before_anything_runs(suite: Suite) -> None:
    result = run(suite, f"{BOTH}\n[[known]]\nclause = 7\n", *HASTY)
    assert result.code == pytest.ExitCode.USAGE_ERROR
    assert result.shows("--known-failures: user: known.toml:10: ")
    missing = suite.run("--virtual", "--known-failures", "none.toml")
    assert missing.code == pytest.ExitCode.USAGE_ERROR
    assert missing.shows("the known failures cannot be read: none.toml")


def test_processes_of_xdist_know_them_too(suite: Suite) -> None:
    result = run(suite, BOTH, *HASTY, "-n", "1")
    assert result.code == 0
    assert result.shows("2 passed, 2 xfailed")


def test_who_wants_to_see_expected_failures_as_failures_sees_them(suite: Suite) -> None:
    result = run(suite, BOTH, *HASTY, "--runxfail")
    assert result.code == 1
    assert result.shows("2 failed, 2 passed", "<< early by 0.9")


def test_each_repetition_is_known_by_the_name_of_its_scenario(suite: Suite) -> None:
    result = run(suite, BOTH, *HASTY, "--repeat", "2")
    assert result.code == 0
    assert result.shows("::test_a_cut[10.0-r2] KNOWN FAILURE", "4 xfailed")


def test_what_is_known_is_known_of_a_run_over_real_links_too(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.scenario("DISCONNECTED-2", lasts_s=2)
        async def test_that_fails(world: World) -> None:
            alice = await world.person("alice")
            alice.saw(callback("onLoginSuccess", "DISCONNECTED-2"))
    """)
    result = run(suite, entry("onLoginSuccess() never came", scenario="test_scenarios.py::test_that_fails"))
    assert result.code == 0
    assert result.shows("::test_that_fails KNOWN FAILURE", "1 xfailed")


# ---------------------------------------------------------------------------------------------------- the first file


def test_a_first_file_is_written_and_excuses_what_it_was_made_from(suite: Suite) -> None:
    first = suite.run(*HASTY, "--write-known-failures", "first.toml")
    assert first.code == 1
    assert first.shows("known failures: first.toml; say in it why each of them is tolerated")
    text = (suite.folder / "first.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)["known"]
    assert [each["scenario"] for each in told] == [SHORT, LONG]
    assert {each["explanation"] for each in told} == {WHY}
    second = suite.run(*HASTY, "--seed", "7", "--known-failures", "first.toml", "--run-dir", "evidence")
    assert second.code == 0
    assert second.shows("2 passed, 2 xfailed")


def test_nothing_is_written_where_nothing_fails(suite: Suite) -> None:
    result = suite.run("--virtual", "--write-known-failures", "first.toml")
    assert result.code == 0
    assert result.shows("nothing failed: first.toml is not written")
    assert not (suite.folder / "first.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--write-known-failures", "hasty.py"], "hasty.py is there already, and is not overwritten"),
        (["--write-known-failures", "none/first.toml"], "there is no folder none"),
        (["--write-known-failures", "f.toml", "-n", "1"], "--write-known-failures needs one process: leave -n out"),
        (
            ["--write-known-failures", "f.toml", "--known-failures", "known.toml"],
            "--write-known-failures makes a first file: leave --known-failures out",
        ),
    ],
)
def test_a_first_file_that_cannot_be_one_is_refused_before_anything_runs(
    suite: Suite, arguments: list[str], words: str
) -> None:
    result = suite.run(*HASTY, *arguments)
    assert result.code == pytest.ExitCode.USAGE_ERROR
    assert result.shows(words)
    assert re.search(r"\d passed", result.text) is None
    assert (suite.folder / "hasty.py").read_text(encoding="utf-8") == HASTY_CORE
