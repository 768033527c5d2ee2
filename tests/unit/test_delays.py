from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from harness import delays
from harness.delays import BUCKET_NS, PERIOD_NS, DelaySampler
from harness.world.virtual_loop import START_NS, now_ns, run

MS = 1_000_000


class Host:
    """A clock that is late by what the test says: the sampler asks it before each sleep and after."""

    def __init__(self) -> None:
        self.late_ns: Iterator[int] = iter(())
        self._asked = 0

    def now_ns(self) -> int:
        self._asked += 1
        after_sleep = self._asked % 2 == 0
        return now_ns() + (next(self.late_ns, 0) if after_sleep else 0)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host()
    monkeypatch.setattr(delays, "now_ns", host.now_ns)
    return host


async def sampled(from_ns: int, to_ns: int, *, for_s: float) -> tuple[list[tuple[int, int]], int]:
    sampler = DelaySampler()
    await asyncio.sleep(for_s)
    await sampler.close()
    return sampler.between(START_NS + from_ns, START_NS + to_ns), sampler.latest_ns()


def late_ms(found: list[tuple[int, int]]) -> list[float]:
    return [(ran - due) / MS for due, ran in found]


def test_of_each_quarter_of_a_second_the_worst_delay_is_kept(host: Host) -> None:
    per_bucket = BUCKET_NS // PERIOD_NS
    # The first sample of all is due a period after the start.
    first = [3 * MS, 9 * MS, 2 * MS, *[0] * (per_bucket - 4)]
    second = [*[0] * 10, 5 * MS, 4 * MS]
    host.late_ns = iter([*first, *second])
    found, latest_ns = run(sampled(0, 10**12, for_s=0.6))
    assert late_ms(found) == [9.0, 5.0, 0.0]
    assert latest_ns == 5 * MS


def test_the_load_right_now_is_the_worst_of_the_last_two_quarters(host: Host) -> None:
    host.late_ns = iter([50 * MS])
    assert run(sampled(0, 10**12, for_s=0.4))[1] == 50 * MS
    host.late_ns = iter([50 * MS])
    assert run(sampled(0, 10**12, for_s=0.8))[1] == 0


def test_only_the_quarters_of_the_span_are_told(host: Host) -> None:
    host.late_ns = iter([MS] * 400)
    found, _ = run(sampled(500 * MS, 1000 * MS, for_s=1.9))
    assert {(due - START_NS) // BUCKET_NS for due, _ in found} <= {1, 2, 3, 4}
    assert {2, 3} <= {(due - START_NS) // BUCKET_NS for due, _ in found}


@pytest.mark.parametrize(
    ("from_ns", "to_ns", "told"),
    [
        (0, 10**12, True),
        (400 * MS, 500 * MS, True),  # began before the span, ended after it
        (605 * MS, 10**12, True),
        (605 * MS + BUCKET_NS, 10**12, True),
        (605 * MS + BUCKET_NS + 1, 10**12, False),
        (0, 5 * MS, True),
        (0, 5 * MS - 1, False),
    ],
)
def test_a_stall_counts_from_when_something_was_due_until_it_ran(
    host: Host, from_ns: int, to_ns: int, told: bool
) -> None:
    host.late_ns = iter([600 * MS])  # due after 5 ms
    found, _ = run(sampled(from_ns, to_ns, for_s=0.9))
    stalls = [(due - START_NS, ran - START_NS) for due, ran in found if ran != due]
    assert stalls == ([(5 * MS, 605 * MS)] if told else [])


@pytest.mark.usefixtures("host")
def test_before_the_first_sample_nothing_is_known_to_be_late() -> None:
    async def at_once() -> int:
        sampler = DelaySampler()
        latest_ns = sampler.latest_ns()
        await sampler.close()
        return latest_ns

    assert run(at_once()) == 0
