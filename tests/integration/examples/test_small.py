"""A small client of another hand, with its adapter: judged for what it does, and not for what it declares to lack."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from harness.report.exit_codes import ExitCode
from tests.integration.examples.example_rig import CERTIFY_S, LINKPROOF, certify

SMALL = Path(__file__).parent / "small"
ADAPTER = SMALL / "adapter.py"
# What it does, and what each of the others needs that it does not declare.
DONE = (
    "login_that_succeeds",
    "login_that_is_refused",
    "a_visible_loss_interrupts_after_4_s",
    "a_connection_that_stays_silent_is_replaced_within_the_4_s",
    "another_instance_of_the_uid_kicks_this_one_out",
    "a_ban_while_reconnecting_aborts_on_the_return",
    "logout_and_login_bring_it_back",
    "a_token_that_expires_while_connected_switches_nothing",
)
LACKING = {
    "a_takeover_leaves_the_channels_at_once": "channels",
    "attributes_are_kept_over_a_short_outage": "attributes",
    "a_logged_in_user_is_online_to_others": "presence",
    "a_token_that_is_renewed_in_time_does_not_expire": "token-renewal",
    "logout_from_inside_the_kick": "reactions",
}

pytestmark = pytest.mark.timeout(2 * CERTIFY_S)


def lines(name: str) -> int:
    """Every line counts, comments and empty ones too."""
    return len((SMALL / name).read_text(encoding="utf-8").splitlines())


def test_it_is_small() -> None:
    assert lines("client.py") <= 100
    assert lines("adapter.py") <= 60


def test_it_shares_nothing_with_linkproof() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SMALL.glob("*.py"))]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    foreign = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert foreign == {"client", "websockets"}


def test_its_adapter_keeps_to_the_contract(tmp_path: Path) -> None:
    checking = [*LINKPROOF, "adapter", "check", f"{sys.executable} {ADAPTER}"]
    done = subprocess.run(checking, cwd=tmp_path, capture_output=True, text=True, timeout=CERTIFY_S, check=False)
    assert done.returncode == ExitCode.PASS, done.stdout + done.stderr
    assert "note: " not in done.stdout


def test_what_it_does_passes_and_what_it_lacks_is_told(tmp_path: Path) -> None:
    certified = certify("--client", [sys.executable, ADAPTER], [*DONE, *LACKING], tmp_path)
    expected = {f"test_{name}": "PASS" for name in DONE} | {f"test_{name}": "UNSUPPORTED" for name in LACKING}
    assert certified.verdicts() == expected, certified.told()
    assert certified.code == ExitCode.UNSUPPORTED
    for name, capability in LACKING.items():
        told = certified.out.partition(f"::test_{name}\n")[2].splitlines()[0]
        assert told.strip() == f"small does not declare the capability '{capability}'"
    assert f"{len(DONE)} PASS, {len(LACKING)} UNSUPPORTED" in certified.out
