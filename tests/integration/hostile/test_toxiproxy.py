"""A Toxiproxy that fails in the middle of a run is soon found out, and no client is judged by what it did."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from harness.report.exit_codes import ExitCode
from proxies.api import CALL_TIMEOUT_S
from proxies.binary import find
from proxies.watch import ASK_EVERY_S, LOOK_EVERY_S
from tests.whole_run import GONE_S, wait_until

if TYPE_CHECKING:
    from tests.integration.conftest import StartRun
    from tests.integration.hostile.conftest import Begin
    from tests.whole_run import WholeRun

# Some 40 s and 34 s, one person and two; their links stay open all the time.
SLOW = "stays_reconnecting_as_long or noticed_on_both_sides"
TEARDOWN_S = 5.0  # all adapters end at the same time; and an answer that is still waited for is given up after 3 s
# Hands on what it is sent: the API of a Toxiproxy seen through it is wedged as long as it stands still.
PIPE = """
import asyncio, sys
async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
async def serve(reader, writer):
    up_reader, up_writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer), return_exceptions=True)
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[2]))
    await server.serve_forever()
asyncio.run(main())
"""


def check_all_blamed(run: WholeRun, words: str) -> None:
    """Every scenario that was playing is an ERROR by Toxiproxy."""
    verdicts = run.verdicts()
    assert len(verdicts) == 2
    for each in verdicts.values():
        assert (each["verdict"], each["blame"]) == ("ERROR", "toxiproxy"), each["reason"]
        assert words in each["reason"]


def end_of(run: WholeRun, *, within_s: float) -> None:
    """Wait for the end of a run, which comes in time, in order, and by fault of Toxiproxy."""
    began = time.monotonic()
    code, out = run.end()
    assert time.monotonic() - began < within_s
    assert code == ExitCode.TOXIPROXY
    assert "Traceback" not in out
    assert "2 ERROR" in out


def test_one_that_stands_still_is_found_within_a_second(start_run: StartRun) -> None:
    run = start_run(SLOW)
    run.wait_until_playing(people=3)
    ports = run.ports()
    pid = run.pid_of("toxiproxy-server")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    end_of(run, within_s=LOOK_EVERY_S + TEARDOWN_S)
    check_all_blamed(run, f"the Toxiproxy of this run, process {pid}, was stopped")
    run.check_nothing_is_left(ports)


@pytest.mark.parametrize("what", ["its API is wedged", "it stands still", "it is killed"])
def test_one_of_somebody_else_that_answers_no_more_is_found_within_seconds(
    start_run: StartRun, listening: Begin, what: str
) -> None:
    binary = find(None, say=lambda _: None).path
    toxiproxy, port = listening(binary, "-host", "127.0.0.1", "-port")
    pipe, pipe_port = listening(sys.executable, "-c", PIPE, port)
    run = start_run(SLOW, None, "--toxiproxy", f"127.0.0.1:{pipe_port}")
    # Its links are not ports of the run's own: what can be counted is the processes.
    wait_until(lambda: len(run.processes()) >= 6, "three people play", within_s=GONE_S * 4)
    deed = {"its API is wedged": (pipe, signal.SIGSTOP), "it stands still": (toxiproxy, signal.SIGSTOP)}
    process, number = deed.get(what, (toxiproxy, signal.SIGKILL))
    process.send_signal(number)
    end_of(run, within_s=ASK_EVERY_S + CALL_TIMEOUT_S + TEARDOWN_S)
    check_all_blamed(run, f"Toxiproxy at 127.0.0.1:{pipe_port} did not answer")
    wait_until(lambda: not run.processes(), f"all processes have ended: {run.processes()}", within_s=GONE_S)
