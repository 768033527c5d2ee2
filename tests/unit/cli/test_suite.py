from __future__ import annotations

from pathlib import Path

import pytest

from harness import plugin
from harness.cli import suite as module
from harness.cli.suite import collect, run_pytest, suite_folder
from harness.collection import name_of
from harness.errors import HarnessError
from harness.spec.profiles import MQTT_5, RTM_1_0
from proxies.effects import BELOW_TCP, UNPLUG

MEANS: tuple[tuple[str, ...], ...] = (BELOW_TCP, (), (UNPLUG,))
ROOT = Path(plugin.__file__).parents[1]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder as site-packages is: only the package, wherever it came from."""
    monkeypatch.setattr(plugin, "__file__", str(tmp_path / "harness" / "plugin.py"))
    return tmp_path


def test_a_checkout_has_its_scenarios_in_tests() -> None:
    assert suite_folder() == ROOT / "tests" / "conformance"


def test_a_wheel_has_its_scenarios_in_itself(installed: Path) -> None:
    (installed / "harness" / "conformance").mkdir(parents=True)
    assert suite_folder() == installed / "harness" / "conformance"


def test_each_profile_has_a_folder_of_its_own(installed: Path) -> None:
    (installed / "harness" / "mqtt5").mkdir(parents=True)
    (installed / "harness" / "conformance").mkdir()
    assert suite_folder(MQTT_5) == installed / "harness" / "mqtt5"


def test_a_checkout_has_the_scenarios_of_mqtt_in_profiles() -> None:
    assert suite_folder(MQTT_5) == ROOT / "profiles" / "mqtt5"
    assert list(suite_folder(MQTT_5).glob("test_*.py"))


def test_without_scenarios_it_says_where_it_looked(installed: Path) -> None:
    with pytest.raises(HarnessError, match="the scenarios are not there") as raised:
        suite_folder()
    assert str(installed / "tests" / "conformance") in raised.value.found
    assert raised.value.mend == "install linkproof anew"


def test_no_configuration_of_the_user_has_a_say(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[list[str], list[object]]] = []

    def main(arguments: list[str], plugins: list[object]) -> int:
        called.append((arguments, plugins))
        return 3

    monkeypatch.setattr(pytest, "main", main)
    extra = object()
    assert run_pytest(["-k", "x"], extra) == 3
    ((arguments, plugins),) = called
    assert plugins[-1] is extra
    assert arguments[arguments.index("-c") + 1].endswith("suite.ini")
    assert arguments[arguments.index("--profile") + 1] == "rtm-1.0"
    assert arguments[-1] == str(suite_folder())


def test_a_suite_that_cannot_be_collected_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "run_pytest", lambda *_, profile: 2 if profile is RTM_1_0 else 0)
    with pytest.raises(HarnessError, match="cannot be collected"):
        collect()


def test_what_needs_other_means_is_no_part_of_the_suite() -> None:
    everything, without, unplugged = ({name_of(each) for each in collect(means=means)} for means in MEANS)
    below = {name for name in everything if name.startswith("test_below_tcp.py::")}
    assert below
    assert everything - without == below
    assert unplugged - without == {
        "test_below_tcp.py::test_a_network_that_is_gone_interrupts",
        "test_below_tcp.py::test_without_a_network_for_32_s_the_others_saw_it_leave_and_join",
    }
