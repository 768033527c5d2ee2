"""Certified over TLS and over IPv6, and clients that are told in one way only where their server is."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.report.exit_codes import ExitCode

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Linkproof

# One of each sort: a login, a cut, connects that hang, an RST, a newcomer, a server of the scenario's own.
SORTS = {
    "login_that_succeeds": 1,
    "a_visible_loss_interrupts": 1,
    "(a_loss_recovered_within and (hang_connects or reset))": 2,
    "another_instance_of_the_uid": 1,
    "restarted_at_once": 1,
}

# An adapter around the reference client, with only one way to learn where its server is.
TOLD = """
import os, sys
from harness.reference import agent
from harness.reference.client import RtmClient

def told(*_, **__):
    return RtmClient(url, app_id, ssl=agent._trusting(ca_file))

url, app_id, ca_file = {}
del sys.argv[1:]
agent.RtmClient = told
sys.exit(agent.main())
"""
BY_ARGUMENT = '(f"wss://[{sys.argv[1]}]:{sys.argv[2]}", *sys.argv[3:])'
BY_ENVIRONMENT = '(os.environ["LINKPROOF_" + name] for name in ("URL", "APP_ID", "CA_FILE"))'


def proofs(evidence: Path, deed: str) -> list[str]:
    """What proved each fault of this name in a run."""
    lines = [json.loads(line) for path in evidence.glob("traces/*.jsonl") for line in path.read_text().splitlines()]
    return [line["args"]["proof"] for line in lines if line["name"] == deed and "proof" in line.get("args", {})]


@pytest.mark.parametrize(
    ("options", "url", "link"),
    [
        (["--tls"], r"wss://127\.0\.0\.1:\d+", "127.0.0.1:"),
        (["--ipv6"], r"ws://\[::1\]:\d+", "[::1]:"),
        (["--tls", "--ipv6"], r"wss://\[::1\]:\d+", "[::1]:"),
    ],
    ids=" ".join,
)
def test_every_sort_of_scenario_passes(
    linkproof: Linkproof, tmp_path: Path, options: list[str], url: str, link: str
) -> None:
    result = linkproof("certify", *options, "-k", " or ".join(SORTS), "--run-dir", "run")
    assert result.code == ExitCode.PASS, result.out
    assert result.shows(f"{sum(SORTS.values())} PASS")
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert re.fullmatch(url, info["server"]["url"])
    assert [f"--{name}" for name in ("tls", "ipv6") if info.get(name)] == options
    cuts = proofs(tmp_path / "run", "cut")
    assert cuts
    assert [proof for proof in cuts if f"a connect to {link}" not in proof] == []


@pytest.mark.parametrize(
    ("where", "words"),
    [(BY_ARGUMENT, ["{host}", "{port}", "{app_id}", "{ca_file}"]), (BY_ENVIRONMENT, [])],
    ids=["by argument", "by environment"],
)
def test_a_client_that_is_told_in_one_way_only(
    linkproof: Linkproof, tmp_path: Path, where: str, words: list[str]
) -> None:
    adapter = tmp_path / "adapter.py"
    adapter.write_text(TOLD.replace("{}", where), encoding="utf-8")
    client = shlex.join([sys.executable, str(adapter), *words])
    selected = "login_that_succeeds or a_visible_loss_interrupts or another_instance_of_the_uid"
    result = linkproof("certify", "--tls", "--ipv6", "--client", client, "-k", selected)
    assert result.code == ExitCode.PASS, result.out
    assert result.shows("3 PASS")


@pytest.mark.parametrize(("command", "code"), [((), ExitCode.PASS), (("env", "-u", "SSL_CERT_FILE"), ExitCode.FAIL)])
def test_a_client_that_leaves_trust_to_its_library_is_told_by_the_environment(
    linkproof: Linkproof, tmp_path: Path, command: tuple[str, ...], code: ExitCode
) -> None:
    adapter = tmp_path / "adapter.py"
    adapter.write_text(
        "from harness.reference import agent\nagent._trusting = lambda _: None\nraise SystemExit(agent.main())\n"
    )
    client = shlex.join([*command, sys.executable, str(adapter)])
    result = linkproof("certify", "--tls", "--client", client, "-k", "login_that_succeeds")
    assert result.code == code, result.out


@pytest.mark.parametrize(
    ("client", "words"),
    [
        ("my-app {server}", "'{server}' in '{server}' is no placeholder"),
        ("my-app --at {host", "'{' in '{host' is no placeholder"),
    ],
)
def test_an_unknown_placeholder_is_refused_with_those_that_are_known(
    linkproof: Linkproof, tmp_path: Path, client: str, words: str
) -> None:
    result = linkproof("certify", "--client", client)
    assert result.code == ExitCode.USAGE
    assert result.shows(words, "{host} {port} {url} {app_id} {ca_file}", "{{ and }}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--tls", "--ipv6"])
def test_virtual_time_has_no_network(linkproof: Linkproof, option: str) -> None:
    result = linkproof("certify", "--virtual", option)
    assert result.code == ExitCode.USAGE
    assert result.shows(f"{option} has no effect with --virtual: there is no process")


def test_a_server_that_is_not_where_it_was_asked_to_be(linkproof: Linkproof) -> None:
    deaf = "import sys; from harness.reference import server_control; del sys.argv[1:]; server_control.main()"
    server = shlex.join([sys.executable, "-c", deaf])
    result = linkproof("certify", "--ipv6", "--server", server, "-k", "login_that_succeeds")
    assert result.code == ExitCode.ADAPTER
    assert result.shows("the server under test: it answered hello with", "and a url such as ws://[::1]:8080")
