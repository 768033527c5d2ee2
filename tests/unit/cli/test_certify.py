from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from click.testing import CliRunner

from harness.cli.certify import certify
from harness.errors import HarnessError, HostError, LinkproofError, UsageError
from harness.oracle.verdict import Check, Judgement, Verdict
from harness.plugin import ERROR, RUN
from harness.report.exit_codes import ExitCode
from harness.report.run_folder import VIRTUAL, RunInfo
from harness.report.summary import Summary, summarise
from harness.spec.profiles import MQTT_5, RTM_1_0, Profile

# In the package the name stands for the command.
module = importlib.import_module("harness.cli.certify")
INFO = RunInfo(linkproof="1", profile="rtm-1.0", started="now")


class PlayedRun:
    """A run that is over; what came of each scenario is given."""

    def __init__(self, *verdicts: Verdict, selected: int | None = None, blame: str = "") -> None:
        self.judgements = [
            Judgement(f"t.py::test_{number}", verdict, "", [Check("GENERAL-1", verdict, "alice", "x")], [], blame)
            for number, verdict in enumerate(verdicts)
        ]
        self.info = INFO
        self.folder = SimpleNamespace(path=Path("runs/1"))
        self._selected = len(verdicts) if selected is None else selected

    def summary(self) -> Summary:
        return summarise(self.judgements, [f"t.py::test_{number}" for number in range(self._selected)])


class Pytest:
    """What pytest does in the place of running: it has a run, perhaps an error, perhaps Ctrl-C, and a code."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arguments: list[str] = []
        self.profile: Profile | None = None
        self.code: int = pytest.ExitCode.OK
        self.run: PlayedRun | None = None
        self.error: LinkproofError | None = None
        self.break_off: BaseException | None = None
        monkeypatch.setattr(module, "run_pytest", self)

    def __call__(self, arguments: Sequence[str], taken: Any, *, profile: Profile) -> int:
        self.arguments, self.profile = list(arguments), profile
        stash = pytest.Stash()
        if self.run is not None:
            stash[RUN] = cast(Any, self.run)
        if self.error is not None:
            stash[ERROR] = self.error
        if self.break_off is not None:
            taken.pytest_keyboard_interrupt(pytest.ExceptionInfo.from_exception(_raised(self.break_off)))
        taken.pytest_sessionfinish(cast(Any, SimpleNamespace(config=SimpleNamespace(stash=stash))))
        return self.code


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Pytest:
    monkeypatch.setattr(module, "publish", lambda folder, **_: folder.path / "report.html")
    return Pytest(monkeypatch)


def code_of(*arguments: str) -> int:
    result = CliRunner().invoke(certify, arguments, standalone_mode=False)
    assert result.exception is None
    return cast(int, result.return_value)


PASS, FAIL, INCONCLUSIVE, ERRED, UNSUPPORTED = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.INCONCLUSIVE,
    Verdict.ERROR,
    Verdict.UNSUPPORTED,
)


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (PlayedRun(PASS, PASS), ExitCode.PASS),
        (PlayedRun(PASS, FAIL, INCONCLUSIVE, ERRED), ExitCode.FAIL),
        (PlayedRun(PASS, INCONCLUSIVE), ExitCode.INCONCLUSIVE),
        (PlayedRun(PASS, UNSUPPORTED), ExitCode.UNSUPPORTED),
        (PlayedRun(PASS, ERRED, blame="adapter"), ExitCode.ADAPTER),
        (PlayedRun(PASS, ERRED, blame="toxiproxy"), ExitCode.TOXIPROXY),
        (PlayedRun(ERRED), ExitCode.HARNESS),
        (PlayedRun(PASS, selected=2), ExitCode.HARNESS),
        (PlayedRun(), ExitCode.HARNESS),
    ],
    ids=range(9),
)
@pytest.mark.parametrize("of_pytest", [pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED])
def test_the_code_is_that_of_the_verdict_whatever_pytest_says(
    played: Pytest, run: PlayedRun, code: ExitCode, of_pytest: int
) -> None:
    played.run, played.code = run, of_pytest
    assert code_of() == code


@pytest.mark.parametrize(
    ("of_pytest", "code"),
    [
        (pytest.ExitCode.OK, ExitCode.PASS),
        (pytest.ExitCode.TESTS_FAILED, ExitCode.HARNESS),
        (pytest.ExitCode.INTERRUPTED, ExitCode.HARNESS),
        (pytest.ExitCode.INTERNAL_ERROR, ExitCode.HARNESS),
        (pytest.ExitCode.USAGE_ERROR, ExitCode.USAGE),
        (pytest.ExitCode.NO_TESTS_COLLECTED, ExitCode.USAGE),
    ],
)
def test_without_a_run_the_code_says_why(played: Pytest, of_pytest: int, code: ExitCode) -> None:
    played.code = of_pytest
    assert code_of() == code


def test_a_run_that_pytest_broke_off_is_no_pass(played: Pytest) -> None:
    played.run, played.code = PlayedRun(PASS), pytest.ExitCode.INTERNAL_ERROR
    assert code_of() == ExitCode.HARNESS


@pytest.mark.parametrize(("error", "code"), [(UsageError("x"), ExitCode.USAGE), (HostError("x"), ExitCode.HOST)])
def test_a_run_that_could_not_be_set_up_has_the_code_of_the_blame(
    played: Pytest, error: LinkproofError, code: ExitCode
) -> None:
    # 2 is pytest's word for an interruption, and ours for a wrong argument.
    played.run, played.error, played.code = PlayedRun(), error, int(code)
    assert code_of() == code


def test_ctrl_c_is_an_interruption(played: Pytest) -> None:
    played.run, played.code = PlayedRun(PASS), pytest.ExitCode.INTERRUPTED
    played.break_off = KeyboardInterrupt()
    assert code_of() == ExitCode.INTERRUPTED


def test_an_error_in_a_file_of_scenarios_is_none(played: Pytest) -> None:
    played.code = pytest.ExitCode.INTERRUPTED
    played.break_off = pytest.Session.Interrupted("1 error during collection")
    assert code_of() == ExitCode.HARNESS


def test_options_are_handed_on_to_pytest(played: Pytest) -> None:
    given = ["--client", "node a.js", "-k", "4_s", "--serial", "--run-dir", "here", "--toxiproxy", "h:1", "-x", "--lf"]
    code_of(*given)
    handed_on = " ".join(played.arguments)
    for part in ("--client node a.js", "-k 4_s", "--serial", "--run-dir here", "--toxiproxy h:1", "-x --lf"):
        assert part in handed_on


def test_options_that_are_not_given_are_not_handed_on(played: Pytest) -> None:
    code_of()
    assert not {"--client", "-k", "--serial", "--run-dir", "--toxiproxy"} & set(played.arguments)


def test_an_empty_client_is_handed_on_to_be_refused(played: Pytest) -> None:
    code_of("--client", "")
    assert played.arguments[played.arguments.index("--client") + 1] == ""


def test_the_options_of_virtual_time_are_handed_on_to_pytest(played: Pytest) -> None:
    code_of("--virtual", "--seed", "0", "--core", "my_cores:Mine")
    handed_on = " ".join(played.arguments)
    for part in ("--virtual", "--seed 0", "--core my_cores:Mine"):
        assert part in handed_on
    code_of()
    assert not {"--virtual", "--seed", "--core"} & set(played.arguments)


def test_how_server_and_clients_meet_is_handed_on_to_pytest(played: Pytest) -> None:
    code_of("--tls", "--ipv6")
    assert {"--tls", "--ipv6"} <= set(played.arguments)
    code_of()
    assert not {"--tls", "--ipv6"} & set(played.arguments)


@pytest.mark.parametrize(("arguments", "profile"), [((), RTM_1_0), (("--profile", "mqtt-5"), MQTT_5)])
def test_the_rules_are_those_of_the_profile(played: Pytest, arguments: tuple[str, ...], profile: Profile) -> None:
    played.run = PlayedRun(PASS)  # which looked at GENERAL-1 alone
    others = [clause for clause in profile.clauses if clause.id != "GENERAL-1"]
    result = CliRunner().invoke(certify, arguments, standalone_mode=False)
    assert (result.exception, result.return_value) == (None, ExitCode.PASS)
    assert played.profile is profile
    assert f"{len(others)} rules were not looked at" in result.output


def test_a_profile_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    result = CliRunner().invoke(certify, ["--profile", "mqtt-4"])
    assert result.exit_code == ExitCode.USAGE
    assert "'mqtt-4' is not one of 'rtm-1.0', 'mqtt-5'" in result.output


def test_a_seed_is_a_number() -> None:
    result = CliRunner().invoke(certify, ["--virtual", "--seed", "soon"])
    assert result.exit_code == ExitCode.USAGE
    assert "'soon' is not a valid integer" in result.output


@pytest.mark.parametrize("virtual", [False, True])
def test_a_run_in_virtual_time_is_told_from_one_that_certifies(
    played: Pytest, capsys: pytest.CaptureFixture[str], virtual: bool
) -> None:
    played.run = PlayedRun(PASS)
    if virtual:
        played.run.info = msgspec.structs.replace(INFO, world=VIRTUAL, simulated_s=60.0, wall_s=2.0)
    result = CliRunner().invoke(certify, [], standalone_mode=False)
    assert result.return_value == ExitCode.PASS
    printed = result.output + capsys.readouterr().out
    assert ("T H I S   C E R T I F I E S   N O T H I N G" in printed) is virtual
    assert (", in virtual time: 1 PASS" in printed) is virtual
    assert ("60 s simulated in 2.00 s: 30 times as fast" in printed) is virtual


def test_the_path_of_the_page_is_printed_after_the_verdict(played: Pytest) -> None:
    played.run = PlayedRun(FAIL)
    printed = CliRunner().invoke(certify, [], standalone_mode=False).stdout
    assert printed.splitlines()[-1] == "report: runs/1/report.html"
    assert printed.index("FAIL  the client") < printed.index("report: ")


def test_a_page_that_cannot_be_written_is_told_with_a_code_of_its_own_after_the_verdict(
    played: Pytest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Path:
        raise HarnessError("the disk is full")

    played.run = PlayedRun(PASS)
    monkeypatch.setattr(module, "publish", fail)
    result = CliRunner().invoke(certify, [], standalone_mode=False)
    assert "PASS  the client" in result.stdout
    assert isinstance(result.exception, HarnessError)


def test_an_interrupt_between_two_lines_can_be_shown() -> None:
    info = pytest.ExceptionInfo.from_exception(_raised(KeyboardInterrupt()))
    entries = [SimpleNamespace(lineno=3), _NoLine()]
    assert [module._has_line(each) for each in entries] == [True, False]
    assert module._has_line(info.traceback[0])


class _NoLine:
    """As pytest has an entry of a traceback for which Python knows no line."""

    @property
    def lineno(self) -> int:
        return cast(Any, None) - 1  # type: ignore[no-any-return]


def _raised(error: BaseException) -> BaseException:
    """Return an error as it is after it was raised, with a traceback."""
    try:
        raise error
    except BaseException as raised:
        return raised
