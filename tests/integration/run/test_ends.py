"""However a run ends, nothing of it is left, and the blame is laid where it belongs."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from harness.report.exit_codes import ExitCode
from harness.trace import What, read

if TYPE_CHECKING:
    from tests.integration.conftest import StartRun

# Some 40 s and 34 s, one person and two; their links stay open all the time, as a cut one does not.
SLOW = "stays_reconnecting_as_long or noticed_on_both_sides"

# An SDK that crashes in one scenario, hangs in another, and does the rest.
FRAIL_CLIENT = """
import os, sys
from harness.adapter.contract import decode_request
from harness.reference import agent

class FrailAgent(agent.Agent):
    def request(self, line):
        request = decode_request(line)
        if request.call == "create":
            self.app_id = request.args["app_id"]
        if request.call != "login":
            super().request(line)
        elif "succeeds" in self.app_id:
            sys.stderr.write("panic: out of cheese\\n")
            sys.stderr.flush()
            os._exit(7)

agent.Agent = FrailAgent
sys.exit(agent.main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_a_run_that_is_killed_leaves_nothing(start_run: StartRun, number: signal.Signals) -> None:
    run = start_run(SLOW, None, "--tls")
    run.wait_until_playing(people=3)
    ports = run.ports()
    assert run.temporary()  # the keys
    run.process.send_signal(number)
    # Who ends it by SIGTERM interrupts it, as Ctrl-C does; of SIGKILL it learns nothing.
    assert run.process.wait() == (ExitCode.INTERRUPTED if number == signal.SIGTERM else -number)
    run.check_nothing_is_left(ports)


def test_a_run_that_a_script_began_with_an_ampersand_is_ended_by_sigterm_too(start_run: StartRun) -> None:
    # A shell without job control has such a command ignore SIGINT, and so does whoever inherits that.
    taken = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run = start_run(SLOW)
    finally:
        signal.signal(signal.SIGINT, taken)
    run.wait_until_playing(people=3)
    ports = run.ports()
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait() == ExitCode.INTERRUPTED
    run.check_nothing_is_left(ports)


def test_ctrl_c_keeps_the_evidence_so_far(start_run: StartRun) -> None:
    run = start_run(f"login_that_succeeds or {SLOW}")
    run.wait_until_playing(people=3)
    ports = run.ports()
    (done,) = run.traces(1)
    run.process.send_signal(signal.SIGINT)
    code, out = run.end()
    assert code == ExitCode.INTERRUPTED
    assert "evidence so far: evidence" in out
    assert "Traceback" not in out
    run.check_nothing_is_left(ports)
    assert done == "test_connecting.test_login_that_succeeds.jsonl"
    assert {name: each["verdict"] for name, each in run.verdicts().items()} == {"test_login_that_succeeds": "PASS"}
    broken_off = [name for name in run.traces(3) if name != done]
    for name in broken_off:
        trace = read(run.evidence / "traces" / name)
        assert trace[0].what is What.SCENARIO
        assert any(each.what is What.DECLARED for each in trace)


def test_an_adapter_that_crashes_or_hangs_is_to_blame(start_run: StartRun) -> None:
    run = start_run("login_that_succeeds or login_that_is_refused or the_first_state", FRAIL_CLIENT)
    run.wait_until_playing(people=1)
    ports = run.ports()
    code, out = run.end()
    assert code == ExitCode.ADAPTER
    run.check_nothing_is_left(ports)
    verdicts = run.verdicts()
    crashed, hung = verdicts["test_login_that_succeeds"], verdicts["test_login_that_is_refused"]
    assert (crashed["verdict"], crashed["blame"]) == (hung["verdict"], hung["blame"]) == ("ERROR", "adapter")
    assert "alice: it exited with code 7 while it was still needed; its last words: panic: out of" in crashed["reason"]
    assert "alice: no answer to 'login' within 10 s; the process" in hung["reason"]
    assert "mend: an adapter answers each request line by one line" in hung["reason"]
    assert verdicts["test_the_first_state_is_disconnected"]["verdict"] == "PASS"
    assert "2 ERROR, 1 PASS" in out


@pytest.mark.parametrize(
    ("word", "code", "blame", "words"),
    [
        ("toxiproxy-server", ExitCode.TOXIPROXY, "toxiproxy", "the Toxiproxy of this run has ended with status -9"),
        (
            "server_control",
            ExitCode.HARNESS,
            "harness",
            "the reference server failed: the server: it ended by signal 9 ",
        ),
    ],
)
def test_no_client_is_judged_by_what_is_not_its_fault(
    start_run: StartRun, word: str, code: ExitCode, blame: str, words: str
) -> None:
    run = start_run(SLOW)
    run.wait_until_playing(people=3)
    ports = run.ports()
    pid = run.pid_of(word)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert run.end()[0] == code
    run.check_nothing_is_left(ports)
    for each in run.verdicts().values():
        assert (each["verdict"], each["blame"]) == ("ERROR", blame)
        assert words in each["reason"]
