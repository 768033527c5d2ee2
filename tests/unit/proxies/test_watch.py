"""What is told of a Toxiproxy that does its work no more, and that nobody is left waiting behind it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Coroutine
from typing import Any

import pytest

from harness.errors import ToxiproxyError
from harness.processes import stat_of
from proxies import watch
from proxies.api import UnreachableError

DEADLINE_S = 20.0


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(watch, "ASK_EVERY_S", 0.0)


def told(watching: Coroutine[Any, Any, ToxiproxyError]) -> str:
    return str(asyncio.run(asyncio.wait_for(watching, DEADLINE_S)))


def test_a_process_that_stands_still_is_told_of() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        assert stat_of(process.pid).state == "T"
        text = told(watch.stands_still(process.pid))
        process.kill()
    assert f"the Toxiproxy of this run, process {process.pid}, was stopped" in text
    assert "no client is to blame" in text


def test_the_end_of_a_process_is_left_to_who_waits_for_it() -> None:
    with subprocess.Popen(["true"]) as process:
        pass

    async def first() -> ToxiproxyError:
        return await watch.first_of(watch.stands_still(process.pid), _says("it has ended"))

    assert "it has ended" in told(first())


async def _says(text: str) -> ToxiproxyError:
    for _ in range(10):
        await asyncio.sleep(0)
    return ToxiproxyError(text)


def test_it_is_asked_until_it_does_not_answer() -> None:
    answers = iter([None, None])

    async def ask() -> None:
        if next(answers, "no more") == "no more":
            raise UnreachableError("no answer")

    assert told(watch.answers_no_more(ask)) == "toxiproxy: no answer"


def test_the_others_have_ended_when_the_first_is_told() -> None:
    ended = []

    async def other() -> ToxiproxyError:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("other")
        raise AssertionError

    assert "first" in told(watch.first_of(other(), _says("first")))
    assert ended == ["other"]
