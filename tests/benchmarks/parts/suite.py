"""How long the suite takes side by side: against its longest scenario, and against the same one after the other.

The whole suite is played side by side, again and again. What it would take serially is the sum of what its scenarios
lasted once their people were there, without the starts of their processes: a bound from below, as playing it takes the
better part of an hour (``--only serial`` does). A stated part of it is really played in each way: side by side,
serially, and by the 2 and 32 workers of pytest-xdist, each of which is a run of its own.
"""

from __future__ import annotations

from tests.benchmarks.figures import Figure, Measured, median
from tests.benchmarks.suite_runs import Played, play

WHAT = "suite: side by side, against its longest scenario, serially and by xdist"
LIMIT_S = 1800.0
ROUNDS = 3
OVER_LONGEST_MAX = 1.10
PART = ("test_server.py", "test_token.py", "test_connecting.py", "test_out_of_season.py")
PART_QUICK = ("test_disconnected.py",)
WAYS = {
    "side by side": (),
    "serially": ("--serial",),
    "by xdist -n 2": ("-n", "2"),
    "by xdist -n 32": ("-n", "32"),
}
WAYS_QUICK = {"side by side": ()}


def measure(*, quick: bool) -> Measured:
    """Play the whole suite in one way, and a part of it in all."""
    figures = []
    if not quick:
        figures += whole([play((), (), limit_s=LIMIT_S) for _ in range(ROUNDS)])
    files, ways = (PART_QUICK, WAYS_QUICK) if quick else (PART, WAYS)
    played = {name: play(files, how, limit_s=LIMIT_S) for name, how in ways.items()}
    return Measured(figures + compared(f"{', '.join(files)}", played))


def whole(runs: list[Played]) -> list[Figure]:
    """Return what whole runs side by side say."""
    over = [run.run_s / run.longest_s for run in runs]
    ratio = median("whole suite, against its longest scenario", over, "x")
    serial_s = sum(runs[0].each_s)
    return [
        Figure("whole suite: scenarios", len(runs[0].each_s), ""),
        median("whole suite, side by side", [run.run_s for run in runs], "s"),
        median("whole suite: its longest scenario", [run.longest_s for run in runs], "s"),
        Figure(ratio.name, ratio.value, "x", ratio.spread, at_most=OVER_LONGEST_MAX),
        median("whole suite: of which the set-up", [run.setup_s for run in runs], "s"),
        median("whole suite: the whole command", [run.wall_s for run in runs], "s"),
        median("whole suite: time of processors", [run.cpu_s for run in runs], "s"),
        Figure("whole suite: all scenarios one after the other, by sum", serial_s, "s"),
        Figure("whole suite: that, against side by side", serial_s / runs[0].run_s, "x"),
        _unclear("whole suite", runs),
    ]


def compared(what: str, played: dict[str, Played]) -> list[Figure]:
    """Return how the same scenarios fared in each way."""
    first = next(iter(played.values()))
    figures = [Figure(f"{what}: scenarios", len(first.each_s), "")]
    for name, one in played.items():
        figures.append(Figure(f"{name}: the whole command", one.wall_s, "s"))
        figures.append(Figure(f"{name}: time of processors", one.cpu_s, "s"))
        if one is not first:
            figures.append(Figure(f"{name}: against side by side", one.wall_s / first.wall_s, "x"))
    return [*figures, _unclear("in all ways", list(played.values()))]


def _unclear(name: str, runs: list[Played]) -> Figure:
    unclear = [each for run in runs for each in run.unclear]
    return Figure(f"{name}: scenarios that are no PASS", len(unclear), "", note="; ".join(unclear[:3]))
