"""The command that explores: what it prints, what it leaves, and with which code it ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli.explore import explore
from harness.errors import UsageError
from harness.report.exit_codes import ExitCode

WRONG = "tests.unit.explore.seeded:Impatient"
# The first example of every round is the smallest one, and the client needs no more than a few.
FEW = ("--examples", "30", "--seed", "1")


def run(*arguments: str) -> tuple[Result, int]:
    result = CliRunner().invoke(explore, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    code: int = result.return_value
    return result, code


def test_nothing_is_found_in_the_reference_and_that_certifies_nothing(tmp_path: Path) -> None:
    result, code = run(*FEW, "--run-dir", str(tmp_path / "found"))
    assert code == ExitCode.PASS
    assert "nothing was found" in result.output
    assert result.output.count("certifies nothing") == 2
    assert " PASS), " in result.output
    assert not (tmp_path / "found").exists()


def test_what_is_found_is_explained_and_can_be_played_again(tmp_path: Path) -> None:
    folder = tmp_path / "found"
    result, code = run(*FEW, "--core", WRONG, "--run-dir", str(folder))
    assert code == ExitCode.FAIL
    assert "CONNECTED-4: alice: RECONNECTING comes after an interruption of 4 s only" in result.output
    assert "    1. login alice valid\n    2. wait 0.3 s\n" in result.output
    path = folder / "test_found_connected_4.py"
    assert f"scenario: {path}" in result.output
    assert f"repeat:   pytest -p harness.plugin --virtual --core {WRONG} {path}" in result.output
    assert path.is_file()
    assert path.with_suffix(".jsonl").is_file()


def test_it_can_be_given_a_time(tmp_path: Path) -> None:
    result, code = run("--seconds", "0.2", "--run-dir", str(tmp_path / "found"))
    assert (code, "nothing was found" in result.output) == (ExitCode.PASS, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--client", "x"), "--client has no effect without --real"),
        (("--parallel", "3"), "--parallel has no effect without --real"),
        (("--toxiproxy", "x"), "--toxiproxy has no effect without --real"),
        (("--depth", "3"), "--depth has no effect without --exhaustive"),
        (("--exhaustive", "--seconds", "3"), "--seconds has no effect with --exhaustive"),
        (("--exhaustive", "--real"), "--real and --exhaustive cannot go together"),
        (("--real", "--core", WRONG), "--core has no effect with --real"),
        (("--real", "--examples", "5"), "--examples has no effect with --real"),
        (("--real", "--client", ""), "--client names no command"),
        (("--real", "--client", "'"), "No closing quotation"),
        (("--core", "no_such_module:Core"), "cannot be imported"),
    ],
)
def test_what_would_be_of_no_effect_is_refused(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        CliRunner().invoke(explore, arguments, standalone_mode=False, catch_exceptions=False)


def test_every_order_of_a_few_events_is_gone_through_and_the_states_are_counted() -> None:
    result, code = run("--exhaustive", "--depth", "3")
    assert code == ExitCode.PASS
    assert result.output.count("every rule holds in all of them") == 3
    assert re.search(r"^  283 states reached by 432 transitions, all of up to 3 actions$", result.output, re.MULTILINE)


def test_what_breaks_a_rule_is_told_with_a_shortest_way_to_it() -> None:
    result, code = run("--exhaustive", "--depth", "5", "--core", "tests.unit.explore.seeded:ToldTwice")
    assert code == ExitCode.FAIL
    assert re.search(r"^  broken after \d+ actions:$", result.output, re.MULTILINE)
    assert "GENERAL-1" in result.output
