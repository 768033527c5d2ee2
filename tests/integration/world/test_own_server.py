"""A server of a scenario's own: what can be done to it, the proof of it, and the record."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from harness.adapter.child import ThisMachine
from harness.clock import now_ns
from harness.errors import HarnessError, LinkproofError
from harness.trace import Observation, What
from harness.world.engine import Moment
from harness.world.lab import REFERENCE_SERVER, Lab
from harness.world.own_server import OwnServer
from harness.world.places import ServerPlace

if TYPE_CHECKING:
    from tests.integration.world.conftest import RunInLab

ANSWER_S = 5.0


class Yard:
    """A server, its record, and what failed."""

    def __init__(self, lab: Lab) -> None:
        self.record: list[Observation] = []
        self.failures: list[LinkproofError] = []
        self.failed = asyncio.Event()
        here = ServerPlace(ThisMachine(lab.guard), lab.config.host, ())
        self.server = OwnServer(lab, "tenant", REFERENCE_SERVER, here, self.record.append, self._fail)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        async with asyncio.timeout(ANSWER_S):
            await self.server.close()

    def is_answering(self) -> bool:
        return self.server.is_answering

    def check_deeds(self, *deeds: tuple[str, str]) -> None:
        """Each deed is recorded once, with its proof (a pattern), and with nobody's failure."""
        assert [(each.what, each.source) for each in self.record] == [(What.SERVER, "server")] * len(deeds)
        for each, (name, proof) in zip(self.record, deeds, strict=True):
            assert each.name == name
            assert re.fullmatch(proof, each.args["proof"])
            assert each.until_ns is not None
            assert each.at_ns <= each.until_ns
        assert [each.at_ns for each in self.record] == sorted(each.at_ns for each in self.record)
        assert self.failures == []

    def is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(self.server.address) == 0

    def _fail(self, error: LinkproofError) -> None:
        self.failures.append(error)
        self.failed.set()

    def is_there(self, pid: int) -> bool:
        return Path(f"/proc/{pid}").exists()


STARTED = ("server start", r"it answered, as process \d+")
REAPED = r"the process \d+ was reaped: it {}, and a connect to port \d+ was refused"
KILLED = REAPED.format("ended by signal 9")
FINISHED = REAPED.format("exited with code 0")


def test_a_crash_and_a_new_life_on_the_same_port(run_in_lab: RunInLab) -> None:
    async def test(lab: Lab) -> None:
        async with Yard(lab) as yard:
            before_ns = now_ns()
            started = await yard.server.start()
            first = yard.server.process.pid
            assert before_ns <= started.t0_ns <= started.t1_ns <= now_ns()
            assert yard.is_answering()
            killed = await yard.server.kill()
            assert isinstance(killed, Moment)
            assert not yard.is_answering()
            assert not yard.is_listening()
            assert not yard.is_there(first)
            await yard.server.start()
            assert yard.is_listening()
            assert yard.server.process.pid != first
            second = yard.server.process.pid
        assert not yard.is_there(second)
        yard.check_deeds(STARTED, ("server kill", KILLED), STARTED)
        logs = sorted(path.name for path in lab.config.logs.glob("tenant.*"))
        assert logs == ["tenant.server1.log", "tenant.server2.log"]

    run_in_lab(test)


def test_an_end_in_order(run_in_lab: RunInLab) -> None:
    async def test(lab: Lab) -> None:
        async with Yard(lab) as yard:
            await yard.server.start()
            await yard.server.stop()
            assert not yard.is_listening()
            with pytest.raises(HarnessError, match="asks something of a server that it has killed or stopped"):
                await yard.server.kill()
        yard.check_deeds(STARTED, ("server stop", FINISHED))

    run_in_lab(test)


async def is_answered(server: OwnServer) -> bool:
    try:
        await server.process.request("clock", {}, within_s=0.2)
    except LinkproofError:
        return False
    return True


def test_one_that_stands_still_accepts_and_does_not_answer(run_in_lab: RunInLab) -> None:
    async def test(lab: Lab) -> None:
        async with Yard(lab) as yard:
            await yard.server.start()
            await yard.server.suspend()
            assert not yard.is_answering()
            assert yard.is_listening()
            assert not await is_answered(yard.server)
            await yard.server.resume()
            assert yard.is_answering()
            assert await is_answered(yard.server)
        yard.check_deeds(
            STARTED,
            ("server suspend", "the kernel says that it is in state 'T'"),
            ("server resume", "SIGCONT was delivered"),
        )

    run_in_lab(test)


def test_one_that_was_killed_where_it_stood_answers_in_its_next_life(run_in_lab: RunInLab) -> None:
    async def test(lab: Lab) -> None:
        async with Yard(lab) as yard:
            await yard.server.start()
            await yard.server.suspend()
            await yard.server.kill()
            await yard.server.start()
            assert yard.is_answering()
            assert await is_answered(yard.server)

    run_in_lab(test)


def test_one_that_stands_still_can_be_taken_away_in_order(run_in_lab: RunInLab) -> None:
    async def test(lab: Lab) -> None:
        async with Yard(lab) as yard:
            await yard.server.start()
            pid = yard.server.process.pid
            await yard.server.suspend()
        assert not yard.is_there(pid)
        assert yard.failures == []

    run_in_lab(test)


def test_a_port_that_somebody_else_has_taken_is_no_proof(run_in_lab: RunInLab) -> None:
    async def test(lab: Lab) -> None:
        async with Yard(lab) as yard:
            with socket.create_server(yard.server.address), pytest.raises(HarnessError, match="somebody else listens"):
                await yard.server._proven_gone()

    run_in_lab(test)


def test_one_that_dies_by_itself_is_a_failure_and_no_deed(run_in_lab: RunInLab) -> None:
    async def test(lab: Lab) -> None:
        async with Yard(lab) as yard:
            await yard.server.start()
            os.kill(yard.server.process.pid, signal.SIGKILL)
            async with asyncio.timeout(ANSWER_S):
                await yard.failed.wait()
            assert "ended by signal 9" in str(yard.failures[0])
            assert [each.name for each in yard.record] == ["server start"]

    run_in_lab(test)
