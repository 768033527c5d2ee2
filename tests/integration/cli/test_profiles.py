"""Which rules are judged by, on the command line. That a foreign profile is played too is shown with MQTT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.report.exit_codes import ExitCode
from harness.spec.profiles import MQTT_5

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Linkproof

RULE = MQTT_5.clause("MQTT-3.1.3-9")
BOTH = ("--client", "a", "--server", "b")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--profile", "mqtt-5"), "--profile mqtt-5 needs --client and --server: there is no reference for it"),
        (("--profile", "mqtt-5", "--client", "a"), "--profile mqtt-5 needs --client and --server"),
        (("--profile", "mqtt-5", "--virtual"), "--virtual plays the reference's cores, and there are none for mqtt-5"),
        (BOTH, "--client and --server: one side is under test, and the other one is the reference"),
        (("--profile", "rtm-1.0", *BOTH), "--client and --server: one side is under test"),
    ],
)
def test_which_sides_are_given_goes_with_the_profile(
    linkproof: Linkproof, arguments: tuple[str, ...], words: str
) -> None:
    result = linkproof("certify", *arguments)
    assert result.code == ExitCode.USAGE
    assert result.shows(words)


def test_the_scenarios_are_those_of_the_profile(linkproof: Linkproof) -> None:
    result = linkproof("certify", "--profile", "mqtt-5", "--collect-only", "-q")
    assert result.code == ExitCode.PASS
    assert result.shows("test_wills.py", "test_a_goodbye_has_no_will")
    assert "test_connected.py" not in result.out


def test_a_rule_of_the_profile_is_explained_with_where_it_stands(linkproof: Linkproof) -> None:
    assert RULE is not None
    result = linkproof("explain", "MQTT-3.1.3-9", "--profile", "mqtt-5")
    assert result.code == ExitCode.PASS
    assert result.shows(
        "MQTT-3.1.3-9 (MUST)",
        RULE.text,
        f"source: {RULE.source}",
        "test_back_before_the_session_expires",
        "play one: linkproof certify --profile mqtt-5 -k",
    )


def test_a_rule_of_another_profile_is_said_to_be_one(linkproof: Linkproof) -> None:
    result = linkproof("explain", "MQTT-3.1.3-9")
    assert result.code == ExitCode.USAGE
    assert result.shows("it is a clause of mqtt-5: add --profile mqtt-5")
