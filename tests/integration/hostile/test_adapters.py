"""Adapters that do what they must not: whose fault that is, what is kept of it, and that nothing of it is left."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.adapter.log_limit import LOG_BYTES_MAX
from harness.adapter.process import OUTPUT_BYTES_MAX
from harness.report.exit_codes import ExitCode
from tests.whole_run import START_S, wait_until

if TYPE_CHECKING:
    from tests.integration.conftest import StartRun
    from tests.whole_run import WholeRun

# The reference, but for what it does before a login; which of its deeds that is, the name of the scenario says.
HOSTILE_CLIENT = """
import os, signal, subprocess, sys, time
from harness.adapter.contract import decode_request
from harness.reference import agent

MEGABYTE = 1000 * 1000

def flood_of_text():
    for _ in range(100):
        os.write(1, b"all is well\\n" * (MEGABYTE // 12))

def flood_of_events():
    event = b'{"event": "onLoginSuccess", "at_ns": 1, "args": {}, "filler": "%s"}\\n' % (b"x" * (MEGABYTE - 100))
    for _ in range(100):
        os.write(1, event)

def flood_of_errors():
    os.write(2, b"the first words\\n")
    for _ in range(100):
        os.write(2, b"all is not well\\n" * (MEGABYTE // 16))
    os.write(2, b"the last words\\n")

def half_a_line():
    os.write(1, b'{"id": 5, "at_')
    time.sleep(1000)

def no_text():
    os.write(1, b"\\xff\\xfe\\xfd\\n")

def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1000)

def grandchildren():
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.Popen(["sleep", "1001"])
    subprocess.Popen(["sleep", "1002"], start_new_session=True)
    # A daemon: its parent has ended; and one that has forgotten all that it came from.
    subprocess.run(["sh", "-c", "setsid sleep 1003 &"], **quiet)
    subprocess.run(["env", "-i", "/bin/sh", "-c", "setsid sleep 1004 &"], **quiet)

DEEDS = {
    "login_that_succeeds": flood_of_errors,
    "login_that_is_refused": flood_of_text,
    "login_switches": flood_of_events,
    "a_second_logout": half_a_line,
    "a_banned_user": no_text,
    "logout_disconnects": deaf,
    "a_login_after_a_failure": grandchildren,
}

class HostileAgent(agent.Agent):
    def request(self, line):
        request = decode_request(line)
        if request.call == "create":
            self.app_id = request.args["app_id"]
        if request.call == "login":
            for word, deed in DEEDS.items():
                if word in self.app_id:
                    deed()
        super().request(line)

agent.Agent = HostileAgent
sys.exit(agent.main())
"""
ALL = (
    "login_that_succeeds or login_that_is_refused or login_switches or a_second_logout or a_banned_user or "
    "logout_disconnects or a_login_after_a_failure or the_first_state"
)
# Processes that the hostile client starts, by what each of them sleeps.
GRANDCHILDREN = ("1001", "1002", "1003", "1004")


def sleepers() -> set[str]:
    """Which of the grandchildren run, whoever has them now: one of them does not carry the mark of its run."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_text().split("\0")
        except OSError:  # it has ended
            continue
        found |= {word for word in GRANDCHILDREN if words[:2] == ["sleep", word]}
    return found


def blamed(run: WholeRun, scenario: str) -> str:
    """What is said of the adapter in a scenario that is an ERROR by its fault."""
    found = next(each for name, each in run.verdicts().items() if name.startswith(scenario))
    assert (found["verdict"], found["blame"]) == ("ERROR", "adapter"), found["reason"]
    return str(found["reason"])


def test_each_hostile_adapter_is_to_blame_alone(start_run: StartRun) -> None:
    run = start_run(ALL, HOSTILE_CLIENT)
    run.wait_until_playing(people=1)
    ports = run.ports()
    code, out = run.end()
    assert code == ExitCode.ADAPTER
    assert "Traceback" not in out
    assert "a line that the contract does not allow: all is well" in blamed(run, "test_login_that_is_refused")
    assert f"over {OUTPUT_BYTES_MAX} bytes on standard output" in blamed(run, "test_login_switches")
    assert "no answer to 'login' within 10 s" in blamed(run, "test_a_second_logout")
    assert "a line that the contract does not allow: \\xff\\xfe\\xfd" in blamed(run, "test_a_banned_user")
    assert "no answer to 'login' within 10 s" in blamed(run, "test_logout_disconnects")
    # What it writes on standard error, and what it starts, is its own affair.
    passed = {name for name, each in run.verdicts().items() if each["verdict"] == "PASS"}
    assert passed == {
        "test_login_that_succeeds",
        "test_a_login_after_a_failure_succeeds",
        "test_the_first_state_is_disconnected",
    }
    run.check_nothing_is_left(ports)
    assert sleepers() == set()
    (log,) = run.evidence.glob("logs/*login_that_succeeds.alice.log")
    written = log.read_text()
    assert len(written) < LOG_BYTES_MAX
    assert written.startswith("the first words\n")
    assert "bytes are left out here; a log is kept up to" in written
    assert "the last words" in written[-2000:]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "SIGINT"])
def test_what_an_adapter_started_in_a_session_of_its_own_ends_with_the_run(
    start_run: StartRun, number: signal.Signals
) -> None:
    # One that hands on nothing, and leaves its session and its parent, is found as long as the run itself is there.
    client = HOSTILE_CLIENT if number == signal.SIGINT else HOSTILE_CLIENT.replace('"env", "-i", ', "")
    run = start_run("a_login_after_a_failure", client)
    wait_until(lambda: sleepers() == set(GRANDCHILDREN), "they are there", within_s=START_S)
    ports = run.ports()
    run.process.send_signal(number)
    run.process.wait()
    run.check_nothing_is_left(ports)
    assert sleepers() == set()
