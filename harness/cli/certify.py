"""``linkproof certify``: play the scenarios against a client, and say of each rule whether it holds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from harness.cli.console import make_console
from harness.cli.images import image_options
from harness.cli.interruption import Interruption, interrupt_on_sigterm
from harness.cli.suite import run_pytest
from harness.errors import LinkproofError
from harness.plugin import ERROR, RUN
from harness.report.exit_codes import ExitCode, of_blame, of_verdict
from harness.report.publish import publish
from harness.report.terminal import print_summary
from harness.run import RealRun
from harness.spec.profiles import PROFILES, RTM_1_0
from harness.virtual_run import VirtualRun
from harness.world.means import ENGINES


class _TakeRun:
    """Takes the run out of pytest's session when it is over, and what pytest's exit code does not tell apart."""

    run: RealRun | VirtualRun | None = None
    error: LinkproofError | None = None
    interrupted = False

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption

    def pytest_configure(self, config: pytest.Config) -> None:
        """Refuse what would take the run out of this process."""
        if config.getoption("dist", "no") != "no":
            raise pytest.UsageError(
                "certify is one process, which plays its scenarios side by side anyway: leave -n out, "
                "or use plain pytest in a checkout: pytest tests/conformance -n 2"
            )

    def pytest_collection_finish(self) -> None:
        """Before anything is played, make up for what Python has lost."""
        self._interruption.check()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Say why a file has no scenarios: pytest would in its summary, in whose place ours comes."""
        if report.failed:
            click.echo(f"\n{report.longreprtext}", err=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell Ctrl-C from a session that pytest itself breaks off, as after an error in a scenario's file."""
        self.interrupted = not isinstance(excinfo.value, pytest.Session.Interrupted)
        # It may come between two lines, where Python knows of none; pytest, which is about to show it, needs one.
        excinfo.traceback = excinfo.traceback.filter(_has_line)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the run. What was played to its end is not interrupted any more: its evidence is sealed."""
        if not self.interrupted:
            self._interruption.comes_too_late()
        self.run = session.config.stash.get(RUN, None)
        self.error = session.config.stash.get(ERROR, None)


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--client", metavar="COMMAND", help="Adapter of the client under test (default: the reference client).")
@click.option("--server", metavar="COMMAND", help="Server under test, judged by what reference clients see of it.")
@image_options
@click.option("--profile", "profile_name", type=click.Choice(list(PROFILES)), default=RTM_1_0.name, show_default=True)
@click.option("-k", "expression", metavar="EXPRESSION", help="Only scenarios whose names match, as in pytest.")
@click.option("--serial", is_flag=True, help="One scenario after the other, to debug.")
@click.option("--repeat", type=click.IntRange(min=1), metavar="N", help="Each scenario N times, side by side.")
@click.option("--run-dir", type=click.Path(path_type=Path), help="Where the evidence goes (default: runs/TIME).")
@click.option(
    "--artifact",
    "artifacts",
    multiple=True,
    metavar="FILE",
    help="A file of what is tested that COMMAND does not name; its hash is kept. Can be repeated.",
)
@click.option("--toxiproxy", metavar="ADDRESS|BINARY", help="The Toxiproxy to use (default: found or built).")
@click.option("--faults", type=click.Choice(ENGINES), help="What makes the faults (default: toxiproxy).")
@click.option("--tls", is_flag=True, help="Have server and clients speak TLS, by a CA made for the run.")
@click.option("--ipv6", is_flag=True, help="Have server, links and clients meet on [::1].")
@click.option("--virtual", is_flag=True, help="Play in virtual time over the cores alone: seconds; certifies nothing.")
@click.option("--seed", type=int, help="Of chance in virtual time (default: 0): the same seed, the same traces.")
@click.option("--core", metavar="MODULE:NAME", help="Client core to play in virtual time (default: the reference's).")
@click.option("--shard", metavar="NUMBER/PARTS", help="One part of the scenarios: 2/5 is the second of five.")
@click.option(
    "--shard-times", type=click.Path(path_type=Path), metavar="RUN", help="Share out by the times of this earlier run."
)
@click.option("--known-failures", metavar="FILE", help="What is known to fail, and tolerated: docs/known-failures.md.")
@click.option("--write-known-failures", metavar="FILE", help="Write a first such file for what fails in this run.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def certify(
    context: click.Context, /, profile_name: str, pytest_arguments: tuple[str, ...], **for_pytest: object
) -> int:
    """Play the scenarios against a client (or a server), and say of each rule whether it holds.

    All of pytest's options can be given too (-x, --junitxml=FILE, ...). Nothing needs to be set up: a Toxiproxy is
    found, or built.

    \b
    Examples:
      linkproof certify                                 the reference client, all scenarios
      linkproof certify --client "node adapter.js"      another client
      linkproof certify --client "my-app --at {url}"    one that is told where its server is by argument alone
      linkproof certify --server "my-server --fast"     a server, by what reference clients see of it
      linkproof certify --client-image my-sdk:2.1       an image of a client, each person in a container
      linkproof certify -k 4_s --serial                 some scenarios, one after the other
      linkproof certify test_mine.py -k mine            one of your own: docs/writing-scenarios.md
      linkproof certify -k 4_s --repeat 10              and ten times each, side by side: how its times are spread
      linkproof certify --known-failures known.toml     what is in the file may fail, as it says, and nothing else
      linkproof certify --virtual                       all of them in seconds, over the reference's cores alone
      linkproof certify --shard 2/5 --run-dir part-2    the second of five parts; see linkproof merge
      linkproof certify --profile mqtt-5 --client "python examples/mqtt/adapter.py" --server "python ..."

    \b
    Exit codes:
      0 PASS          every rule that was looked at holds
      1 FAIL          the client breaks a rule
      2               an argument is wrong
      3 INCONCLUSIVE  the host disturbed the run: run it again
      4 UNSUPPORTED   nothing failed; the adapter declares that some of it cannot be done
      10-13 ERROR     by fault of the harness (10), the adapter (11), Toxiproxy (12), the host (13)
      130             interrupted
    """
    arguments = ["-v", "--no-header", "--no-summary", "-o", "console_output_style=count", *pytest_arguments]
    arguments += _as_written(context.command, for_pytest)
    taken = _TakeRun(interrupt_on_sigterm())
    profile = PROFILES[profile_name]
    code = run_pytest(arguments, taken, profile=profile)
    if taken.error is not None:
        if taken.run is not None and taken.run.judgements:
            click.echo(f"evidence so far: {taken.run.folder.path}")
        return of_blame(taken.error.blame)
    if taken.interrupted:
        if taken.run is not None:
            click.echo(f"evidence so far: {taken.run.folder.path}")
        return ExitCode.INTERRUPTED
    if taken.run is None or code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return _code_without_run(code)
    if taken.run.info.shard and not taken.run.info.selected:
        click.echo(f"evidence: {taken.run.folder.path}\nnothing was played and nothing judged, which is no PASS")
        return ExitCode.PASS  # and no failure either: the other parts have it all
    summary = taken.run.summary()
    print_summary(make_console(), summary, taken.run.info, taken.run.folder.path, profile.clauses)
    click.echo(f"report: {publish(taken.run.folder, step_summary=step_summary())}")
    return of_verdict(summary.verdict, summary.blame)


def _has_line(entry: Any) -> bool:
    try:
        return bool(entry.lineno >= 0)
    except TypeError:  # what it reckons with is None
        return False


def step_summary() -> Path | None:
    """Return the file that GitHub Actions shows as the summary of this step, where this is one."""
    given = os.environ.get("GITHUB_STEP_SUMMARY")
    return Path(given) if given else None


def _as_written(command: click.Command, given: Mapping[str, object]) -> Iterator[str]:
    """Write options as they were given, for pytest, which has all of them too."""
    for option in command.params:
        value = given.get(option.name or "")
        if value is True:
            yield option.opts[0]
        elif isinstance(value, tuple):
            yield from (word for each in value for word in (option.opts[0], str(each)))
        elif value is not None and value is not False:
            yield from (option.opts[0], str(value))


def _code_without_run(code: int) -> int:
    """Return our code for a session of pytest that came to no result."""
    if code == pytest.ExitCode.OK:
        return ExitCode.PASS  # asked only to show something: --collect-only, --markers
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        click.echo("no scenario matches; 'linkproof certify --collect-only -q' lists them all", err=True)
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        return ExitCode.USAGE
    return ExitCode.HARNESS
