from __future__ import annotations

import pytest

from harness.errors import Blame
from harness.oracle.verdict import Verdict
from harness.report.exit_codes import ExitCode, of_blame, of_verdict


@pytest.mark.parametrize(
    ("verdict", "blame", "code"),
    [
        ("PASS", "", 0),
        ("FAIL", "implementation", 1),
        ("INCONCLUSIVE", "host", 3),
        ("UNSUPPORTED", "", 4),
        ("NOT REACHED", "", 10),  # of clauses only: of a run it would be a mistake of the judge
        ("ERROR", "", 10),
        ("ERROR", "harness", 10),
        ("ERROR", "adapter", 11),
        ("ERROR", "toxiproxy", 12),
        ("ERROR", "host", 13),
        ("ERROR", "user", 2),
    ],
)
def test_a_verdict_has_its_exit_code_and_of_an_error_the_blame_decides(verdict: str, blame: str, code: int) -> None:
    assert of_verdict(Verdict(verdict), blame) == code


def test_every_verdict_has_an_exit_code_and_those_of_a_run_one_of_their_own() -> None:
    codes = {verdict: of_verdict(verdict, "") for verdict in Verdict}
    of_runs = [code for verdict, code in codes.items() if verdict is not Verdict.NOT_REACHED]
    assert len(set(of_runs)) == len(of_runs)
    assert codes[Verdict.NOT_REACHED] is codes[Verdict.ERROR] is ExitCode.HARNESS


def test_only_a_pass_is_a_success() -> None:
    assert [verdict for verdict in Verdict if of_verdict(verdict, "") == 0] == [Verdict.PASS]


def test_an_error_of_anybody_is_a_failure_of_its_own() -> None:
    codes = {of_blame(blame) for blame in Blame}
    assert codes == {ExitCode.HARNESS, ExitCode.ADAPTER, ExitCode.TOXIPROXY, ExitCode.HOST, ExitCode.USAGE}
    assert not codes & {ExitCode.PASS, ExitCode.FAIL}


def test_every_code_fits_a_shell() -> None:
    assert all(0 <= code < 256 for code in ExitCode)
