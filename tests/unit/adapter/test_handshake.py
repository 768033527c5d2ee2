from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, cast

import pytest

from harness.adapter import handshake
from harness.adapter.contract import UNSUPPORTED, Answer, Hello
from harness.adapter.handshake import CLOCK_SAMPLES, UNKNOWN_CALL, Clock, greet
from harness.adapter.process import ContractProcess
from harness.errors import AdapterError

HELLO: dict[str, Any] = {
    "contract": 1,
    "name": "some-sdk",
    "version": "1.2",
    "language": "go",
    "heartbeat_s": 0.5,
    "retry_s": 0.25,
    "capabilities": ["channels", "presence"],
}


class ToldTime:
    """The harness's clock, far from any real one, so that two clocks mixed up show at once."""

    def __init__(self) -> None:
        self.ns = 7_000_000_000_000

    def __call__(self) -> int:
        return self.ns


class Adapter:
    """Answers without a process. ``ways_ns`` are how long each question for the time is on its way, there and back."""

    name = "alice"

    def __init__(self, time: ToldTime, *, ahead_ns: int = 0, ways_ns: tuple[tuple[int, int], ...] = ()) -> None:
        self.calls: list[str] = []
        self.answers: dict[str, Answer] = {UNKNOWN_CALL: Answer(9, 0, error=UNSUPPORTED), "hello": Answer(1, 0, HELLO)}
        self._time = time
        self._ahead_ns = ahead_ns
        self._ways_ns = iter(ways_ns or [(1000, 1000)] * CLOCK_SAMPLES)

    async def request(self, call: str, args: Mapping[str, Any]) -> tuple[Answer, int]:
        assert not args
        self.calls.append(call)
        if call != "clock" or call in self.answers:
            return self.answers[call], self._time.ns
        there_ns, back_ns = next(self._ways_ns)
        self._time.ns += there_ns
        read_ns = self._time.ns + self._ahead_ns
        self._time.ns += back_ns
        return Answer(2, 0, {"now_ns": read_ns}), self._time.ns

    def greet(self) -> tuple[Hello, Clock]:
        return asyncio.run(greet(cast(ContractProcess, self)))


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> ToldTime:
    told = ToldTime()
    monkeypatch.setattr(handshake, "now_ns", told)
    return told


def test_it_is_asked_what_it_is_then_the_time_then_what_nobody_knows(time: ToldTime) -> None:
    adapter = Adapter(time)
    hello, _ = adapter.greet()
    assert adapter.calls == ["hello", *["clock"] * CLOCK_SAMPLES, UNKNOWN_CALL]
    assert hello == Hello(1, "some-sdk", "1.2", "go", 0.5, 0.25, ["channels", "presence"])


def test_a_clock_that_is_ours_is_not_corrected_by_noise(time: ToldTime) -> None:
    _, clock = Adapter(time, ways_ns=((300, 100),) * CLOCK_SAMPLES).greet()
    assert clock == Clock(offset_ns=0, error_ns=201)


@pytest.mark.parametrize("ahead_ns", [5_000_000_000, -6_000_000_000_000])
def test_a_clock_of_another_start_is_known_to_half_of_the_way(time: ToldTime, ahead_ns: int) -> None:
    _, clock = Adapter(time, ahead_ns=ahead_ns, ways_ns=((900, 100),) * CLOCK_SAMPLES).greet()
    assert clock.error_ns == 501
    assert abs(clock.offset_ns - ahead_ns) <= clock.error_ns


def test_the_quickest_answer_tells_best(time: ToldTime) -> None:
    slow = (50_000_000, 1000)
    _, clock = Adapter(time, ahead_ns=10**9, ways_ns=(slow, slow, (400, 200), slow, slow)).greet()
    assert clock == Clock(offset_ns=10**9 + 100, error_ns=301)


@pytest.mark.parametrize(("heartbeat_s", "retry_s"), [(0.001, 0.001), (3.999, 29.999)])
def test_intervals_that_a_client_can_be_judged_by_are_taken(time: ToldTime, heartbeat_s: float, retry_s: float) -> None:
    adapter = Adapter(time)
    adapter.answers["hello"] = Answer(1, 0, HELLO | {"heartbeat_s": heartbeat_s, "retry_s": retry_s})
    hello, _ = adapter.greet()
    assert (hello.heartbeat_s, hello.retry_s) == (heartbeat_s, retry_s)


@pytest.mark.parametrize(
    ("call", "answer", "found", "wanted"),
    [
        ("hello", Answer(1, 0, error="not ready"), "answered hello with 'not ready'", "Expected `object`, got `null`"),
        ("hello", Answer(1, 0, {}), "answered hello with {}", "missing required field `contract`"),
        ("hello", Answer(1, 0, HELLO | {"name": 7}), "answered hello with {'contract'", "got `int` - at `$.name`"),
        ("hello", Answer(1, 0, HELLO | {"contract": 2}), "speaks version 2 of the contract", "version 1"),
        ("hello", Answer(1, 0, HELLO | {"capabilities": ["teleport"]}), "['teleport']", "some of channels, attributes"),
        ("hello", Answer(1, 0, HELLO | {"heartbeat_s": 0}), "heartbeat_s 0 and retry_s 0.25", "both over 0"),
        ("hello", Answer(1, 0, HELLO | {"heartbeat_s": 4}), "declares heartbeat_s 4", "a heartbeat of under 4 s"),
        ("hello", Answer(1, 0, HELLO | {"heartbeat_s": -1}), "heartbeat_s -1 and retry_s 0.25", "both over 0"),
        ("hello", Answer(1, 0, HELLO | {"retry_s": 0}), "heartbeat_s 0.5 and retry_s 0", "both over 0"),
        ("hello", Answer(1, 0, HELLO | {"retry_s": -1}), "retry_s -1", "both over 0"),
        ("hello", Answer(1, 0, HELLO | {"retry_s": 30}), "retry_s 30", "a retry of under 30 s"),
        ("clock", Answer(2, 0, error=UNSUPPORTED), "answered clock with 'unsupported'", '{"now_ns": NUMBER}'),
        ("clock", Answer(2, 0, {"now_ns": "12"}), "answered clock with {'now_ns': '12'}", '{"now_ns": NUMBER}'),
        ("clock", Answer(2, 0, {"now_ns": 10**25}), "answered clock with {'now_ns': 10000", '{"now_ns": NUMBER}'),
        ("clock", Answer(2, 0, {"now_ns": True}), "answered clock with {'now_ns': True}", '{"now_ns": NUMBER}'),
        (UNKNOWN_CALL, Answer(9, 0, {}), f"answered '{UNKNOWN_CALL}' with {{}}", "expected unsupported"),
        (UNKNOWN_CALL, Answer(9, 0, error="what?"), f"answered '{UNKNOWN_CALL}' with 'what?'", "expected unsupported"),
    ],
    ids=range(17),
)
def test_a_wrong_answer_is_shown_with_what_was_expected(
    time: ToldTime, call: str, answer: Answer, found: str, wanted: str
) -> None:
    adapter = Adapter(time)
    adapter.answers[call] = answer
    with pytest.raises(AdapterError, match=f"^adapter: alice: .*{re.escape(found)}") as raised:
        adapter.greet()
    assert wanted in raised.value.why
    assert "docs/adapter-contract.md" in raised.value.mend
    assert adapter.calls[-1] == call
