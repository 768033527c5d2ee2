"""pytest runs the scenarios: collected as any test is, played side by side in one event loop, reported as each ends.

A scenario is ``async def test_...(world)`` with the mark ``@pytest.mark.scenario("CLAUSE-1", ..., lasts_s=8)``. All
that people know of pytest goes on working; ``--serial`` and xdist play one scenario after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import itertools
import os
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from harness import known_failures, needs, repetition, shards, shown
from harness.adapter.endpoint import check_placeholders
from harness.board import Board
from harness.collection import is_scenario, mistakes, name_of, spec_of
from harness.errors import LinkproofError, UsageError
from harness.known_failures import TOLERANCE
from harness.oracle.explain import render
from harness.oracle.verdict import Judgement, Verdict
from harness.report.exit_codes import of_blame
from harness.report.junit import properties
from harness.report.repeat import repeat
from harness.run import RealRun, RunConfig, ScenarioSpec
from harness.scheduler import Job, side_by_side
from harness.sides import IMAGE_OPTIONS, add_options, check_images, given, sides_of
from harness.spec.profiles import PROFILES, RTM_1_0, Profile
from harness.virtual_run import VirtualRun, VirtualRunConfig
from harness.world.means import ENGINES, NETNS, TOXIPROXY, means_of

RUN = pytest.StashKey[RealRun | VirtualRun]()
_RUNNER = pytest.StashKey[asyncio.Runner]()
ERROR = pytest.StashKey[LinkproofError]()  # why the run could not be set up
_OPENED = pytest.StashKey[contextlib.AsyncExitStack]()
_JUDGEMENT = pytest.StashKey[Judgement]()
_TOOK_S = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add linkproof's options, and the plugins that are a part of this one."""
    # Not by their names, as pytest_plugins would have it: they are imported already.
    for part in (repetition, shown):
        pluginmanager.register(part)
    group = parser.getgroup("linkproof")
    group.addoption("--client", metavar="COMMAND", help="the adapter of the client under test (default: the reference)")
    group.addoption("--server", metavar="COMMAND", help="the server under test, judged by what reference clients see")
    add_options(group)
    group.addoption("--profile", choices=list(PROFILES), help="the rules to judge by (default: rtm-1.0)")
    group.addoption("--toxiproxy", metavar="ADDRESS|BINARY", help="the Toxiproxy to use (default: found or built)")
    # None and not False where they are not given, as of the options with values.
    group.addoption("--faults", choices=ENGINES, help="what makes the faults (default: toxiproxy)")
    group.addoption("--tls", action="store_const", const=True, help="have server and clients speak TLS")
    group.addoption("--ipv6", action="store_const", const=True, help="play on [::1]")
    group.addoption("--serial", action="store_true", help="play one scenario after the other")
    group.addoption("--virtual", action="store_true", help="play in virtual time, which certifies nothing")
    group.addoption("--seed", type=int, help="of chance in virtual time (default: 0)")
    group.addoption("--core", metavar="MODULE:NAME", help="the client core to play in virtual time")
    group.addoption("--run-dir", metavar="DIR", type=Path, help="where the evidence goes (default: runs/TIME)")
    artifact = "a file of what is tested that no command names: its hash is kept; can be repeated"
    group.addoption("--artifact", metavar="FILE", type=Path, action="append", help=artifact)
    shards.add_options(group)
    known_failures.add_options(group)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, and see to it that the options go together and the client's command is one."""
    _check_options(config)
    try:
        check_placeholders(sides_of(config, _profile(config)).client_command)
    except UsageError as error:
        raise pytest.UsageError(f"--client: {error}") from error
    check_images(config, _profile(config))
    shards.configure(config)
    known_failures.configure(config)
    needs.configure(config, _means(config))
    config.addinivalue_line(
        "markers", "scenario(*clauses, lasts_s): a scenario, the clauses it proves, and about how long it takes"
    )


def _check_options(config: pytest.Config) -> None:
    """Refuse what would be of no effect: its user believes that something else was played."""
    is_virtual = config.getoption("--virtual")
    of_images = (option for option, *_ in IMAGE_OPTIONS)
    of_processes = ("--client", "--server", *of_images, "--toxiproxy", "--faults", "--tls", "--ipv6", "--artifact")
    without_effect = of_processes if is_virtual else ("--seed", "--core")
    if config.getoption("--core") == "":
        # As with --client: to play the reference in the place of what was meant would be a false PASS.
        raise pytest.UsageError("--core names no core; leave it out to play the reference's")
    if config.getoption("--faults") == NETNS and config.getoption("--toxiproxy") is not None:
        raise pytest.UsageError("--toxiproxy has no effect with --faults netns: no link goes through it")
    useless = given(config, *without_effect)
    profile = _profile(config)
    sides = given(config, "--client", "--server", "--client-image", "--server-image")
    if not profile.has_reference and is_virtual:
        raise pytest.UsageError(f"--virtual plays the reference's cores, and there are none for {profile.name}")
    if not profile.has_reference and len(sides) < 2 and not config.option.collectonly:
        raise pytest.UsageError(f"--profile {profile.name} needs --client and --server: there is no reference for it")
    if useless:
        which = "with --virtual: there is no process" if is_virtual else "without --virtual"
        raise pytest.UsageError(f"{useless[0]} has no effect {which}")


def _means(config: pytest.Config) -> frozenset[str]:
    in_containers = bool(sides_of(config, _profile(config)).images.client)
    return means_of(config.getoption("--faults") or TOXIPROXY, in_containers=in_containers)


@pytest.fixture
def world() -> None:
    """What a scenario is given. Only there so that pytest knows the name: the real one is made when it is played."""


# ---------------------------------------------------------------------------------------------------- collection


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Refuse a scenario that is written wrongly, before anything runs."""
    wrong = [f"{item.nodeid}: {text}" for item in items for text in mistakes(item, _profile(item.config))]
    if wrong:
        raise pytest.UsageError("\n".join(wrong))


# ---------------------------------------------------------------------------------------------------- playing


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Play all scenarios at once; whatever else was selected runs before, one after the other."""
    config = session.config
    alone = config.getoption("--serial") or config.getoption("--virtual")
    serial = alone or config.getoption("dist", "no") != "no" or hasattr(config, "workerinput")
    scenarios = [item for item in session.items if isinstance(item, pytest.Function) and is_scenario(item)]
    if _is_empty_part(config):
        _keep_empty_part(config)
    if serial or config.option.collectonly or not scenarios or session.testsfailed:
        return None
    others = [item for item in session.items if not is_scenario(item)]
    for item, following in itertools.zip_longest(others, others[1:]):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        _stop_if_asked(session)
    try:
        _runner_of(config).run(_play_all(session, scenarios))
    except LinkproofError as error:
        config.stash[ERROR] = error
    return True


def _is_empty_part(config: pytest.Config) -> bool:
    return shards.SHARING in config.stash and config.stash[shards.SHARING].is_empty and not config.option.collectonly


def _keep_empty_part(config: pytest.Config) -> None:
    """Leave a run without scenarios: whoever joins the parts can tell it from one that is missing."""
    try:
        with _run_of(config).recording([]):
            _say(config, f"part {config.stash[shards.SHARING].shard} has no scenario: there are more parts than those")
    except LinkproofError as error:
        config.stash[ERROR] = error


async def _play_all(session: pytest.Session, items: Sequence[pytest.Function]) -> None:
    run = _run_of(session.config)
    assert isinstance(run, RealRun)
    jobs = {id(job): (job, item) for item in items for job in [_job(run, item)]}
    async with run.open([name_of(item) for item in items]):
        board = Board(session.config, run, {job.name: job.lasts_s for job, _ in jobs.values()})
        playing = side_by_side((job for job, _ in jobs.values()), at_once=repetition.at_once(session.config))
        async with board, contextlib.aclosing(playing) as ended:
            unclear = []
            async for job in ended:
                item = jobs[id(job)][1]
                item.stash[_JUDGEMENT] = job.task.result()
                item.stash[_TOOK_S] = (job.ended_ns - job.started_ns) / 1e9
                if item.stash[_JUDGEMENT].verdict is Verdict.INCONCLUSIVE:
                    unclear.append(item)
                    continue
                with board.aside():
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                _stop_if_asked(session)
            for item in unclear:
                # The others are done: what disturbed it may have been they.
                item.stash[_JUDGEMENT] = await run.play_again(_spec_of(item))
                with board.aside():
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                _stop_if_asked(session)


def _job(run: RealRun, item: pytest.Function) -> Job[Judgement]:
    scenario = _spec_of(item)
    return Job(scenario.title.name, scenario.lasts_s, functools.partial(run.play, scenario))


def _stop_if_asked(session: pytest.Session) -> None:
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


def _play_one(item: pytest.Function) -> Judgement:
    """Play a scenario on its own: with --serial or --virtual, and in a worker of xdist."""
    config = item.config
    try:
        run = _run_of(config)
        is_first = _OPENED not in config.stash
        opened = config.stash.setdefault(_OPENED, contextlib.AsyncExitStack())
        names = [name_of(each) for each in item.session.items if is_scenario(each)]
        if isinstance(run, VirtualRun):
            if is_first:
                opened.enter_context(run.open(names))
            return run.play(_spec_of(item))
        runner = _runner_of(config)
        if is_first:
            runner.run(opened.enter_async_context(run.open(names)))
        judgement = runner.run(run.play(_spec_of(item)))
        if judgement.verdict is Verdict.INCONCLUSIVE:
            judgement = runner.run(run.play_again(_spec_of(item)))
        return judgement
    except LinkproofError as error:
        config.stash[ERROR] = error
        item.session.shouldstop = "the run cannot go on"
        pytest.fail(str(error), pytrace=False)


def _run_of(config: pytest.Config) -> RealRun | VirtualRun:
    run = config.stash.get(RUN, None)
    if run is None:
        run = config.stash[RUN] = _new_run(config)
        tolerance = config.stash[TOLERANCE]
        run.known, run.info.suite = tolerance.failures, tolerance.suite
        run.info.repeat = config.getoption("--repeat")
        run.info.options = _options(config)
        if shards.SHARING in config.stash:
            sharing = config.stash[shards.SHARING]
            run.info.shard, run.info.whole = str(sharing.shard), sharing.whole
    return run


def _new_run(config: pytest.Config) -> RealRun | VirtualRun:
    if config.getoption("--virtual"):
        chosen = VirtualRunConfig(_folder(config), config.getoption("--seed") or 0, config.getoption("--core") or "")
        return VirtualRun(chosen)
    sides = sides_of(config, _profile(config))
    return RealRun(
        RunConfig(
            folder=_folder(config),
            client_command=sides.client_command,
            server_command=sides.server_command,
            images=sides.images,
            toxiproxy=config.getoption("--toxiproxy"),
            tls=bool(config.getoption("--tls")),
            ipv6=bool(config.getoption("--ipv6")),
            profile=_profile(config),
            faults=config.getoption("--faults") or TOXIPROXY,
            say=functools.partial(_say, config),
            artifacts=tuple(config.getoption("--artifact") or ()),
        )
    )


def _profile(config: pytest.Config) -> Profile:
    return PROFILES[config.getoption("--profile") or RTM_1_0.name]


def _spec_of(item: pytest.Function) -> ScenarioSpec:
    return spec_of(item, _profile(item.config))


def _folder(config: pytest.Config) -> Path:
    worker: str = getattr(config, "workerinput", {}).get("workerid", "")
    given: Path | None = config.getoption("--run-dir")
    if given is not None:
        return given / worker
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return Path("runs") / "-".join(part for part in (now, str(os.getpid()), worker) if part)


def _say(config: pytest.Config, text: str) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    # With --serial a run is set up within a test, where pytest keeps what is printed.
    capture = config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext():
        reporter.ensure_newline()
        reporter.write_line(text)


def _runner_of(config: pytest.Config) -> asyncio.Runner:
    if _RUNNER not in config.stash:
        config.stash[_RUNNER] = asyncio.Runner()
    return config.stash[_RUNNER]


# ---------------------------------------------------------------------------------------------------- reporting


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Make sure that the scenario was played. What went wrong beside the implementation is an error of the set-up."""
    if not isinstance(item, pytest.Function) or not is_scenario(item):
        return
    if _JUDGEMENT not in item.stash:
        item.stash[_JUDGEMENT] = _play_one(item)
    judgement = item.stash[_JUDGEMENT]
    run = item.config.stash[RUN]
    item.user_properties += properties(judgement, run.covered[judgement.scenario], run.info)
    if judgement.verdict is Verdict.ERROR:
        pytest.fail(_text(item, judgement), pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Give the verdict of a scenario in the place of calling it: it was called when it was played."""
    judgement = pyfuncitem.stash.get(_JUDGEMENT, None)
    if judgement is None:
        return None
    misfit = pyfuncitem.config.stash[TOLERANCE].hold(judgement)
    if judgement.verdict is Verdict.FAIL:
        pytest.fail("\n\n".join(filter(None, [_text(pyfuncitem, judgement), misfit])), pytrace=False)
    if misfit:
        pytest.fail(misfit, pytrace=False)
    if judgement.verdict is not Verdict.PASS:
        pytest.skip(f"{judgement.verdict}: {judgement.reason}")
    return True


def _text(item: pytest.Item, judgement: Judgement) -> str:
    run = item.config.stash[RUN]
    again = repeat(run.info, judgement.scenario)
    return f"{render(judgement)}\n\n  evidence: {run.folder.path}\n  repeat:   {again}"


def _options(config: pytest.Config) -> list[str]:
    """Return the options that make a run the same again."""
    words = [option for option in ("--virtual", "--tls", "--ipv6") if config.getoption(option)]
    usual = {"--profile": RTM_1_0.name, "--faults": TOXIPROXY, "--repeat": 1}
    of_images = (option for option, *_ in IMAGE_OPTIONS)
    for option in ("--client", "--server", *of_images, "--profile", "--faults", "--seed", "--core", "--repeat"):
        value = config.getoption(option)
        if value is not None and value != usual.get(option):
            words += [option, str(value)]
    return words


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give the report of a scenario that was played before the time that it really took."""
    report = yield
    if report.when == "call" and _TOOK_S in item.stash:
        report.duration = item.stash[_TOOK_S]
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Take down what is left, say why a run could not be set up, and let INCONCLUSIVE alone be no success either."""
    config = session.config
    if _OPENED in config.stash:
        _runner_of(config).run(config.stash[_OPENED].aclose())
    if _RUNNER in config.stash:
        config.stash[_RUNNER].close()
    if RUN in config.stash and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        known_failures.write(config, config.stash[RUN].summary(), functools.partial(_say, config))
    if ERROR in config.stash:
        error = config.stash[ERROR]
        _say(config, f"\n{error}")
        session.exitstatus = of_blame(error.blame)
    elif _is_empty_part(config):
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK  # that some part gets nothing is no failure of a matrix
    elif exitstatus == pytest.ExitCode.OK and not _can_tell(config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _can_tell(config: pytest.Config) -> bool:
    if RUN in config.stash:
        return config.stash[RUN].summary().verdict in (Verdict.PASS, Verdict.UNSUPPORTED)
    # Under xdist the runs are those of the workers: what they reported is all that is known here.
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter is None or str(Verdict.INCONCLUSIVE).lower() not in reporter.stats


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say where the evidence is."""
    if RUN in config.stash and not config.option.no_summary:
        run = config.stash[RUN]
        for misfit in run.summary().misfits:
            terminalreporter.write_line(str(misfit), red=True)
        terminalreporter.write_line(f"evidence: {run.folder.path}")
