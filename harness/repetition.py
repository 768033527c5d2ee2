"""Each scenario played several times, with ``--repeat``: every repetition is a scenario of its own, ``test_x[r2]``.

So each of them has its own trace and verdict, and all that people know of pytest (``-k``, ``--lf``, xdist) works on
one of them as on any other. What a scenario is called without it says ``Judgement.plain_name``.
"""

from __future__ import annotations

import argparse

import pytest

# A Toxiproxy has ports for some 500 links, and none of our scenarios takes more than six: repeated, so many are played
# at once, and the others as those end. Each of them once, they all find room.
AT_ONCE_MAX = 80

# The parameter that pytest makes the repetitions by. No scenario takes it: it is no name that Python knows.
REPETITION = "repetition of the scenario"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    what = "play each scenario N times, side by side; in virtual time each time with another seed"
    parser.getgroup("linkproof").addoption("--repeat", metavar="N", type=_times, default=1, help=what)


def _times(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of times: a scenario is played once or more often")
    return int(text)


def at_once(config: pytest.Config) -> int | None:
    """Return how many scenarios may be played at once; None where all of them may."""
    return AT_ONCE_MAX if config.getoption("--repeat") > 1 else None


@pytest.hookimpl(trylast=True)  # after the parameters of the scenario itself: the repetition stands last in its name
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make as many scenarios of each one as it is to be played times."""
    times: int = metafunc.config.getoption("--repeat")
    if times > 1 and metafunc.definition.get_closest_marker("scenario") is not None:
        metafunc.fixturenames.append(REPETITION)
        metafunc.parametrize([REPETITION], [[number] for number in range(1, times + 1)], ids="r{}".format)
