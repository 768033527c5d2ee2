from __future__ import annotations

import dataclasses
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.report import digests
from harness.report.digests import Digests, of_artifacts, of_command, of_harness, of_rules
from harness.spec.profiles import MQTT_5, RTM_1_0
from harness.spec.timing import Timing
from harness.virtual_run import VirtualRun, VirtualRunConfig

HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with a file in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "adapter.js").write_text("hello")
    return tmp_path


# ------------------------------------------------------------------------------------------------------ the rules


def test_each_profile_has_rules_of_its_own() -> None:
    assert len({of_rules(RTM_1_0), of_rules(MQTT_5)}) == 2
    assert of_rules(RTM_1_0) == of_rules(dataclasses.replace(RTM_1_0))


def test_one_word_of_one_rule_makes_other_rules() -> None:
    first, *rest = RTM_1_0.clauses
    reworded = dataclasses.replace(first, text=first.text + ".")
    assert of_rules(dataclasses.replace(RTM_1_0, clauses=(reworded, *rest))) != of_rules(RTM_1_0)


def test_one_time_and_one_row_of_the_table_make_other_rules() -> None:
    later = dataclasses.replace(RTM_1_0, timing=Timing(interruption_s=4.1))
    shorter = dataclasses.replace(RTM_1_0, transitions=RTM_1_0.transitions[1:])
    assert len({of_rules(each) for each in (RTM_1_0, later, shorter)}) == 3


# --------------------------------------------------------------------------------------------------- linkproof itself


@pytest.fixture
def checkout(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of a linkproof of few files."""
    for name in ("harness/report/digests.py", "proxies/link.py", "tests/conformance/test_a.py", "profiles/mqtt5/t.py"):
        path = here / "checkout" / name
        path.parent.mkdir(parents=True)
        path.write_text(name)
    monkeypatch.setattr(digests, "__file__", str(here / "checkout" / "harness" / "report" / "digests.py"))
    return here / "checkout"


def test_the_hash_of_linkproof_is_that_of_the_list_of_its_files(checkout: Path) -> None:
    names = {
        "harness/conformance/test_a.py": "tests/conformance/test_a.py",
        "harness/mqtt5/t.py": "profiles/mqtt5/t.py",
        "harness/report/digests.py": "harness/report/digests.py",
        "proxies/link.py": "proxies/link.py",
    }
    hashes = {name: hashlib.sha256((checkout / path).read_bytes()).hexdigest() for name, path in names.items()}
    listed = "".join(f"{digest}  {name}\n" for name, digest in hashes.items())
    assert of_harness() == hashlib.sha256(listed.encode()).hexdigest()


def test_installed_from_a_wheel_it_is_the_same_linkproof_as_in_its_checkout(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_checkout = of_harness()
    site = checkout.parent / ".venv" / "site"
    shutil.copytree(checkout / "harness", site / "harness")
    shutil.copytree(checkout / "proxies", site / "proxies")
    shutil.copytree(checkout / "tests" / "conformance", site / "harness" / "conformance")
    shutil.copytree(checkout / "profiles" / "mqtt5", site / "harness" / "mqtt5")
    for cache in ("__pycache__", ".cache"):
        (site / "harness" / cache).mkdir()
        (site / "harness" / cache / "x").write_text("what a tool left there")
    monkeypatch.setattr(digests, "__file__", str(site / "harness" / "report" / "digests.py"))
    assert of_harness() == in_checkout


@pytest.mark.parametrize("name", ["harness/report/digests.py", "proxies/link.py", "tests/conformance/test_a.py"])
def test_one_file_that_is_altered_renamed_or_added_makes_another_linkproof(checkout: Path, name: str) -> None:
    found = {of_harness()}
    path = checkout / name
    path.write_text("altered")
    found.add(of_harness())
    path.rename(path.with_name("renamed.py"))
    found.add(of_harness())
    (path.parent / "added.py").touch()
    found.add(of_harness())
    assert len(found) == 4


def test_each_run_keeps_the_hashes_of_its_rules_and_its_linkproof(here: Path) -> None:
    run = VirtualRun(VirtualRunConfig(here / "run"))
    assert run.info.digests == Digests(of_rules(RTM_1_0), of_harness())
    assert len(of_harness()) == 64


# ------------------------------------------------------------------------------------------------------- a command


def test_each_word_of_a_command_that_is_a_file_has_its_hash_and_so_has_who_interprets_it(here: Path) -> None:
    tool = here / "bin" / "tool"
    tool.parent.mkdir()
    tool.write_text("hello")
    tool.chmod(0o755)
    command = ["./bin/tool", "--at", "{url}", "adapter.js", str(here / "adapter.js"), "no-such-file", "."]
    assert of_command(command) == {"./bin/tool": HELLO, "adapter.js": HELLO}


def test_who_interprets_it_is_found_as_the_system_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    name = Path(sys.executable).name
    assert of_command([name, "adapter.js"]) == {**of_command([sys.executable]), "adapter.js": HELLO}


def test_a_word_that_cannot_be_the_name_of_a_file_is_none() -> None:
    assert of_command(["no-such-program", "x" * 5000, "a\0b", ""]) == {}
    assert of_command([]) == {}


def test_two_files_of_the_same_name_keep_their_hashes_apart(here: Path) -> None:
    other = here / "other" / "adapter.js"
    other.parent.mkdir()
    other.write_text("another")
    found = of_command(["x", str(here / "adapter.js"), str(other)])
    assert found == {"adapter.js": HELLO, str(other): hashlib.sha256(b"another").hexdigest()}


# ------------------------------------------------------------------------------------------------------ artifacts


def test_an_artifact_is_named_as_its_user_named_it_and_never_by_where_the_machine_keeps_it(here: Path) -> None:
    (here / "lib").mkdir()
    (here / "lib" / "sdk.so").write_text("hello")
    absolute = here / "lib" / "abs.so"
    absolute.write_text("hello")
    assert of_artifacts([Path("lib/sdk.so"), absolute]) == {"lib/sdk.so": HELLO, "abs.so": HELLO}


@pytest.mark.parametrize(("name", "why"), [("gone.so", "No such file"), (".", "Is a directory")])
def test_an_artifact_that_cannot_be_read_is_refused_by_name(name: str, why: str) -> None:
    with pytest.raises(UsageError, match=rf"--artifact {name}: {why}.*\n.*\n  mend: name a file") as raised:
        of_artifacts([Path("adapter.js"), Path(name)])
    assert raised.value.found


def test_the_hashes_are_those_that_sha256sum_gives() -> None:
    told = subprocess.run(["sha256sum", "adapter.js"], capture_output=True, text=True, check=True).stdout
    assert told.split()[0] == of_artifacts([Path("adapter.js")])["adapter.js"] == HELLO
