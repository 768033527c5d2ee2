"""``linkproof explore``: draw what nobody wrote down, play it, and shrink what fails to a scenario."""

from __future__ import annotations

import asyncio
import datetime
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

from harness.adapter.command import words_of
from harness.cli.console import make_console
from harness.cli.exhaustive import DEPTH, explore_exhaustively
from harness.cli.interruption import interrupt_on_sigterm
from harness.clock import now_ns
from harness.errors import UsageError
from harness.explore.campaign import Bounds, Campaign, Tally
from harness.explore.draw import Shape
from harness.explore.finding import Finding
from harness.explore.real import RealCampaign, draw_enough
from harness.explore.schedule import describe
from harness.explore.write_scenario import write_scenario
from harness.oracle.explain import render
from harness.oracle.verdict import Verdict
from harness.reference.client_core import ClientCore
from harness.report.exit_codes import ExitCode, of_verdict
from harness.run import RealRun, RunConfig
from harness.spec.timing import NS_PER_S
from harness.world.chosen_core import client_core
from harness.world.lab import REFERENCE_CLIENT
from harness.world.virtual import VirtualConfig

DEFAULT_S = 60.0
PARALLEL = 20
CERTIFIES_NOTHING = "virtual time, over the cores alone: whatever comes out certifies nothing"

_LIVE_EVERY_S = 0.2
_LOG_EVERY_S = 10.0


@click.command()
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help=f"How long (default: {DEFAULT_S:g}).")
@click.option("--examples", type=click.IntRange(min=1), help="How many schedules to draw, in the place of a time.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of what is drawn.")
@click.option(
    "--core", metavar="MODULE:NAME", help="Client core to explore in virtual time (default: the reference's)."
)
@click.option("--exhaustive", is_flag=True, help="Every order of events over the cores, in the place of random ones.")
@click.option("--depth", type=click.IntRange(min=1), help=f"With --exhaustive: up to so many (default: {DEPTH}).")
@click.option("--real", is_flag=True, help="Play with processes and real links, in real time.")
@click.option("--parallel", type=click.IntRange(min=1), help=f"With --real: so many at a time (default: {PARALLEL}).")
@click.option("--client", metavar="COMMAND", help="With --real: adapter of the client under test.")
@click.option("--toxiproxy", metavar="ADDRESS|BINARY", help="With --real: the Toxiproxy to use.")
@click.option("--run-dir", type=click.Path(path_type=Path), help="Where what is found goes (default: runs/TIME).")
def explore(
    seconds: float | None,
    examples: int | None,
    seed: int,
    core: str | None,
    exhaustive: bool,
    depth: int | None,
    real: bool,
    parallel: int | None,
    client: str | None,
    toxiproxy: str | None,
    run_dir: Path | None,
) -> int:
    """Draw random calls and faults, play them, and hold them against the rules that hold in every trace.

    In virtual time, over the reference's cores, some hundred schedules a second; with --real against a client. What
    fails is shrunk, and written down as a scenario.

    \b
    Examples:
      linkproof explore --seconds 60                        the reference's cores, for a minute
      linkproof explore --examples 2000 --seed 1            the same schedules each time
      linkproof explore --core my_cores:LateCore            a core of your own
      linkproof explore --exhaustive --depth 6              every order of six events
      linkproof explore --real --parallel 40 --seconds 120 --client "node adapter.js"

    \b
    Exit codes:
      0   nothing was found
      1   a rule is broken: the scenario that shows it was written
      2   an argument is wrong
      10-13 nothing was found, and a schedule could not be played: by fault of the harness (10), the adapter (11),
          Toxiproxy (12), the host (13)
    """
    given: dict[str, object] = {"--seconds": seconds, "--examples": examples, "--core": core, "--depth": depth}
    given |= {"--parallel": parallel, "--client": client, "--toxiproxy": toxiproxy, "--run-dir": run_dir}
    _refuse_without_effect(given, "--real" if real else "--exhaustive" if exhaustive else "")
    if real and exhaustive:
        raise UsageError("--real and --exhaustive cannot go together", mend="leave one of them out")
    if exhaustive:
        return explore_exhaustively(ClientCore if core is None else client_core(core), depth)
    folder = run_dir or _new_folder()
    if real:
        config = RunConfig(folder, _command(client), toxiproxy, say=click.echo)
        return _explore_really(config, seed=seed, parallel=parallel or PARALLEL, seconds=seconds or DEFAULT_S)
    bounds = Bounds(examples, seconds if seconds is not None or examples is not None else DEFAULT_S)
    return _explore_virtually(folder, bounds, seed=seed, core=core)


_OF_MODE = {
    "": ("--seconds", "--examples", "--core", "--run-dir"),
    "--real": ("--seconds", "--parallel", "--client", "--toxiproxy", "--run-dir"),
    "--exhaustive": ("--core", "--depth"),
}


def _refuse_without_effect(given: Mapping[str, object], mode: str) -> None:
    """Refuse what would be of no effect: its user believes that something else was explored."""
    for option, value in given.items():
        if value is not None and option not in _OF_MODE[mode]:
            modes = [each for each, options in _OF_MODE.items() if each and option in options]
            where = f"with {mode}" if mode else f"without {modes[0]}"
            raise UsageError(f"{option} has no effect {where}", mend="leave it out")


def _new_folder() -> Path:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return Path("runs") / f"{now}-{os.getpid()}-explored"


def _command(client: str | None) -> tuple[str, ...]:
    if client is None:
        return REFERENCE_CLIENT
    return words_of(client, given_by="--client", or_else="leave it out to explore the reference client")


# ---------------------------------------------------------------------------------------------------- virtual


def _explore_virtually(folder: Path, bounds: Bounds, *, seed: int, core: str | None) -> int:
    console = make_console()
    console.print(f"exploring with seed {seed}, in {CERTIFIES_NOTHING}", soft_wrap=True)
    config = VirtualConfig() if core is None else VirtualConfig(client_core=client_core(core))
    progress = _Progress(console)
    campaign = Campaign(config, seed=seed, shape=Shape(), on_progress=progress.show)
    finding = campaign.run(bounds)
    progress.end(campaign.tally)
    if finding is not None:
        path = write_scenario(finding, folder, how=f"in virtual time, with the seed {seed}")
        given = "" if core is None else f" --core {shlex.quote(core)}"
        _show(console, finding, path, f"pytest -p harness.plugin --virtual{given} {shlex.quote(str(path))}")
    code = _outcome(console, campaign.tally, found=finding is not None)
    console.print(f"it was {CERTIFIES_NOTHING}", soft_wrap=True)
    return code


# ---------------------------------------------------------------------------------------------------- real


def _explore_really(config: RunConfig, *, seed: int, parallel: int, seconds: float) -> int:
    console = make_console()
    console.print(f"drawing schedules with seed {seed}")
    schedules = draw_enough(parallel=parallel, seconds=seconds, seed=seed)
    run = RealRun(config)
    progress = _Progress(console)
    campaign = RealCampaign(run, parallel=parallel, on_progress=progress.show)

    async def explore_and_shrink() -> tuple[list[Finding], Path | None]:
        async with run.open([]):
            console.print(f"{len(schedules)} schedules drawn, {parallel} side by side for {seconds:g} s")
            findings = await campaign.explore(schedules, seconds=seconds)
            progress.end(campaign.tally)
            if not findings:
                return [], None
            console.print(f"{len(findings)} failed; the shortest is being shrunk: {findings[0].judgement.reason}")
            shrunk = await campaign.shrink(findings[0])
            how = f"with real processes and links, with the seed {seed}"
            # Before the run ends, and its folder with it.
            return [shrunk, *findings[1:]], write_scenario(shrunk, run.folder.path / "found", how=how)

    interrupt_on_sigterm()
    findings, path = asyncio.run(explore_and_shrink())
    if path is not None:
        client = "" if config.client_command == REFERENCE_CLIENT else shlex.join(config.client_command)
        given = f" --client {shlex.quote(client)}" if client else ""
        _show(console, findings[0], path, f"pytest -p harness.plugin{given} {shlex.quote(str(path))}")
        _show_others(console, findings[1:])
    console.print(f"evidence: {run.folder.path}", soft_wrap=True)
    return _outcome(console, campaign.tally, found=bool(findings))


def _show_others(console: Console, findings: Sequence[Finding]) -> None:
    for each in findings:
        console.print(f"failed too: {each.judgement.scenario}: {each.judgement.reason}", markup=False, soft_wrap=True)


# ---------------------------------------------------------------------------------------------------- what is printed


class _Progress:
    """One line that is written anew on a terminal; elsewhere a line now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_ns = now_ns()

    def show(self, tally: Tally) -> None:
        """Show how far it has come, if it is time for that."""
        if now_ns() >= self._next_ns:
            live = self._console.is_terminal
            self._next_ns = now_ns() + round((_LIVE_EVERY_S if live else _LOG_EVERY_S) * NS_PER_S)
            self._console.print(_counted(tally), end="\r" if live else "\n", markup=False, highlight=False)

    def end(self, tally: Tally) -> None:
        """Show how far it came."""
        self._console.print(_counted(tally), markup=False, highlight=False)


def _counted(tally: Tally) -> str:
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(tally.verdicts.items()))
    times = f"{tally.played_s:.0f} s of their time in {tally.took_s:.1f} s: {tally.ratio:.0f} times as much"
    return f"{tally.schedules} schedules ({verdicts}), {times}"


def _show(console: Console, finding: Finding, path: Path, command: str) -> None:
    lines = [render(finding.judgement), "", f"  the schedule, {len(finding.schedule.steps)} steps:"]
    lines += [f"    {number}. {describe(step)}" for number, step in enumerate(finding.schedule.steps, 1)]
    lines += ["", f"  scenario: {path}", f"  repeat:   {command}"]
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _outcome(console: Console, tally: Tally, *, found: bool) -> int:
    unclear = tally.unclear
    if unclear is not None:
        console.print(f"not a finding: {unclear.verdict}: {unclear.reason}", markup=False, soft_wrap=True)
    if found:
        return ExitCode.FAIL
    console.print("nothing was found")
    errors = tally.verdicts[Verdict.ERROR]
    return of_verdict(Verdict.ERROR, tally.blame) if errors else ExitCode.PASS
