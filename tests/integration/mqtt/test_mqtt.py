"""A client and a broker of another system, played and judged by a profile of its own."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from harness.report.exit_codes import ExitCode

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "mqtt"
RUN_S = 90.0  # twice what it takes on a host that is busy
LINKPROOF = (sys.executable, "-c", "from harness.cli import main; main()")
SCENARIOS = {
    "test_connect.py::test_a_client_connects_and_messages_go_both_ways",
    "test_sessions.py::test_back_before_the_session_expires",
}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=RUN_S)


def closing(ended: subprocess.CompletedProcess[str]) -> str:
    """The closing line: the verdict, who was judged by what, and how many scenarios came out how."""
    return next(line for line in ended.stdout.splitlines() if " against mqtt-5: " in line)


def test_paho_and_mosquitto_are_judged_by_the_rules_of_mqtt_and_again_from_the_evidence(
    mqtt_python: str, tmp_path: Path
) -> None:
    client = shlex.join([mqtt_python, str(EXAMPLE / "adapter.py")])
    server = shlex.join([sys.executable, str(EXAMPLE / "broker.py")])
    sides = ("--client", client, "--server", server)
    chosen = "go_both_ways or back_before_the_session_expires"
    played = run(tmp_path, *LINKPROOF, "certify", "--profile", "mqtt-5", *sides, "-k", chosen, "--run-dir", "run")
    assert played.returncode == ExitCode.PASS, played.stdout + played.stderr
    assert re.fullmatch(r"PASS  paho-mqtt \S+ against mqtt-5: 2 PASS", closing(played))

    stored = json.loads((tmp_path / "run" / "verdicts.json").read_bytes())
    assert {each["scenario"] for each in stored} == SCENARIOS
    checked = {check["clause"] for each in stored for check in each["checks"]}
    assert {"MQTT-3.1.2-5", "MQTT-3.2.2-3", "MQTT-4.6.0-6", "MQTT-3.1.3-9"} <= checked
    assert not {clause for clause in checked if not clause.startswith("MQTT-")}

    again = run(tmp_path, *LINKPROOF, "judge", "run")
    assert (again.returncode, closing(again)) == (played.returncode, closing(played))


def test_the_broker_keeps_to_the_contract_and_ends_with_its_input(mqtt_python: str) -> None:
    requests = [{"id": number, "call": call, "args": {}} for number, call in enumerate(["hello", "clock", "ban"], 1)]
    ended = subprocess.run(
        [mqtt_python, str(EXAMPLE / "broker.py")],
        input="".join(json.dumps(each) + "\n" for each in requests),
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_S,
    )
    hello, clock, ban = map(json.loads, ended.stdout.splitlines())
    assert ended.returncode == 0
    assert hello["result"]["name"] == "mosquitto"
    assert re.fullmatch(r"mqtt://127\.0\.0\.1:\d+", hello["result"]["url"])
    assert clock["result"]["now_ns"] > 0
    assert ban["error"] == "unsupported"
    assert "mosquitto version" in ended.stderr
    assert ended.stderr.rstrip().endswith("terminating")
