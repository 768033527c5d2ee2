from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import click
import pytest

from harness import cli
from harness.cli.console import WIDTH_OF_A_LOG, make_console
from harness.errors import AdapterError, HarnessError, HostError, LinkproofError, ToxiproxyError, UsageError
from harness.report.exit_codes import ExitCode

Main = Callable[..., int]


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> Main:
    """Runs the command with these arguments; returns its exit code."""

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["linkproof", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        return ended.value.code

    return run


@pytest.fixture
def set_outcome(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    """Has ``linkproof doctor`` return or raise something."""

    def set_to(outcome: object) -> None:
        def command() -> object:
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setitem(cli.linkproof.commands, "doctor", click.command("doctor")(command))

    return set_to


SetOutcome = Callable[[object], None]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), ExitCode.USAGE),
        (HarnessError("x"), ExitCode.HARNESS),
        (LinkproofError("x"), ExitCode.HARNESS),
        (AdapterError("x"), ExitCode.ADAPTER),
        (ToxiproxyError("x"), ExitCode.TOXIPROXY),
        (HostError("x"), ExitCode.HOST),
        (click.UsageError("x"), ExitCode.USAGE),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (click.Abort(), ExitCode.INTERRUPTED),
    ],
)
def test_an_error_is_told_on_stderr_with_a_code_of_its_own(
    main: Main, set_outcome: SetOutcome, capsys: pytest.CaptureFixture[str], error: BaseException, code: ExitCode
) -> None:
    set_outcome(error)
    assert main("doctor") == code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.strip().splitlines()[-1] in {str(error), f"Error: {error}", "interrupted"}


def test_an_error_says_what_why_and_how_to_mend_it(
    main: Main, set_outcome: SetOutcome, capsys: pytest.CaptureFixture[str]
) -> None:
    set_outcome(HostError("no Toxiproxy", why="it is not there", mend="build it"))
    main("doctor")
    assert capsys.readouterr().err == "host: no Toxiproxy\n  why:  it is not there\n  mend: build it\n"


@pytest.mark.parametrize(("outcome", "code"), [(None, 0), (0, 0), (1, 1), (ExitCode.INCONCLUSIVE, 3), ("text", 0)])
def test_what_a_command_returns_is_the_code(main: Main, set_outcome: SetOutcome, outcome: object, code: int) -> None:
    set_outcome(outcome)
    assert main("doctor") == code


@pytest.mark.parametrize("arguments", [["no-such-command"], ["doctor", "--no-such-option"], ["judge"]])
def test_a_wrong_word_is_a_usage_error(main: Main, arguments: list[str]) -> None:
    assert main(*arguments) == ExitCode.USAGE


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], *([name, "--help"] for name in cli.COMMANDS)])
def test_help_is_no_error(main: Main, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(*arguments) == ExitCode.PASS
    assert "linkproof" in capsys.readouterr().out


def test_each_command_has_an_example() -> None:
    context = click.Context(cli.linkproof)
    for name in cli.COMMANDS:
        command = cli.linkproof.get_command(context, name)
        assert command is not None
        assert "xample" in (command.help or "") or command.name == "serve"


def test_a_command_does_not_wait_for_what_others_need() -> None:
    program = "import sys; from harness.cli import main; sys.argv = ['linkproof', 'toxiproxy', '--help']\n"
    program += "try: main()\nfinally: sys.exit(bool({'hypothesis', 'pytest', 'jwt'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_what_is_no_terminal_is_wide_and_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert (make_console().width, make_console().color_system) == (WIDTH_OF_A_LOG, None)


def test_each_code_has_one_meaning() -> None:
    assert [code.name for code in ExitCode] == list(ExitCode.__members__), "an alias is a code with two meanings"
