"""What certify leaves for machines: results.json, summary.md, JUnit, and known failures in each of them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from harness.report.exit_codes import ExitCode
from harness.report.markdown import LIMIT_BYTES
from harness.report.results import Results
from harness.report.seal import seal

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Linkproof

# Tells of an interruption after 3 s: all scenarios below that have one fail.
HASTY_CORE = """
from harness.reference.client_core import ClientCore
from harness.spec.timing import Timing

class HastyCore(ClientCore):
    def __init__(self, app_id, *, instance, jitter):
        super().__init__(app_id, instance=instance, jitter=jitter, timing=Timing(interruption_s=3.0))
"""
HASTY = ("certify", "--virtual", "--core", "hasty:HastyCore", "-k", "visible_loss or login_that_succeeds or slow_link")
FAILING = ("test_connected.py::test_a_visible_loss_interrupts_after_4_s", "test_interruption.py::test_a_slow_link")


@pytest.fixture
def hasty(tmp_path: Path) -> Path:
    """A folder with a wrong core."""
    (tmp_path / "hasty.py").write_text(HASTY_CORE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def known(linkproof: Linkproof, hasty: Path) -> Path:
    """What fails of it, written down by certify, with a reason."""
    assert linkproof(*HASTY, "--write-known-failures", "known.toml", "--run-dir", "first").code == ExitCode.FAIL
    path = hasty / "known.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("TO" + "DO: say why", "ticket 17"), encoding="utf-8")
    return path


def results_of(folder: Path) -> Results:
    return msgspec.json.decode((folder / "results.json").read_bytes(), type=Results)


def test_the_results_say_what_the_terminal_says(linkproof: Linkproof, hasty: Path) -> None:
    run = linkproof(*HASTY, "--run-dir", "evidence")
    found = results_of(hasty / "evidence")
    assert run.code == found.exit.code == ExitCode.FAIL
    assert (found.verdict, found.world, found.profile) == ("FAIL", "virtual", "rtm-1.0")
    assert run.shows(", ".join(f"{count} {verdict}" for verdict, count in found.counts.items()))
    assert {rule.id: rule.verdict for rule in found.clauses if rule.verdict is not None} == run.verdicts()
    failed = [each for each in found.scenarios if each.verdict == "FAIL"]
    assert all(each.name.startswith(FAILING) for each in failed)
    assert all(each.reason in run.out for each in failed)
    assert failed[0].repeat.startswith("linkproof certify --virtual --core hasty:HastyCore -k 'test_a_visible_loss")
    again = linkproof(*failed[0].repeat.replace("'", "").split()[1:], "--run-dir", "again")
    assert again.shows("1 FAIL")


def test_the_summary_goes_where_github_wants_it_and_what_is_there_stays(
    linkproof: Linkproof, hasty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = hasty / "step.md"
    step.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    linkproof(*HASTY, "--run-dir", "evidence")
    summary = (hasty / "evidence" / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("## FAIL: `hasty:HastyCore` against rtm-1.0, in virtual time: ")
    assert "linkproof certify --virtual --core hasty:HastyCore -k 'test_a_visible_loss" in summary
    assert step.read_text(encoding="utf-8") == f"before\n\n{summary}"
    full = "x" * (LIMIT_BYTES - 2_000)
    step.write_text(full, encoding="utf-8")
    linkproof("report", "evidence")
    assert step.read_text(encoding="utf-8") == full  # only what certifies says so in a step
    linkproof(*HASTY, "--run-dir", "another")
    assert step.stat().st_size <= LIMIT_BYTES
    assert "left out here, for want of room" in step.read_text(encoding="utf-8")


def test_known_failures_are_told_alike_by_certify_by_judge_and_in_the_results(
    linkproof: Linkproof, known: Path
) -> None:
    run = linkproof(*HASTY, "--known-failures", "known.toml", "--run-dir", "evidence")
    assert run.code == ExitCode.PASS
    closing = "PASS hasty:HastyCore against rtm-1.0, in virtual time: 4 PASS, 2 FAIL (known)"
    assert run.shows("KNOWN FAILURE", "known failures: played and judged all the same", "tolerated: ticket 17", closing)
    judged = linkproof("judge", "evidence")
    assert judged.code == ExitCode.PASS
    assert judged.shows("tolerated: ticket 17 (known-failures.toml:", closing)
    found = results_of(known.parent / "evidence")
    assert (found.verdict, found.exit.code, found.counts) == ("PASS", 0, {"FAIL": 2, "PASS": 4})
    assert {each.scenario for each in found.known_failures} == {each.name for each in found.scenarios if each.known}
    assert {each.entry.reason for each in found.known_failures} == {"ticket 17"}


def test_an_unexpected_pass_fails_certify_judge_and_the_results(linkproof: Linkproof, known: Path) -> None:
    run = linkproof(*HASTY[:2], *HASTY[4:], "--known-failures", "known.toml", "--run-dir", "evidence")
    assert run.code == ExitCode.FAIL
    words = f"unexpected pass: {FAILING[0]} passes where: known"
    assert run.shows(words, "6 PASS")
    judged = linkproof("judge", "evidence")
    assert judged.code == ExitCode.FAIL
    assert judged.shows(words, "where: known-failures.toml:4 mend: take the entry out")
    found = results_of(known.parent / "evidence")
    assert (found.verdict, found.exit.name, len(found.misfits)) == ("FAIL", "FAIL", 2)


def test_an_entry_that_matches_nothing_ends_certify_before_it_begins(linkproof: Linkproof, known: Path) -> None:
    known.write_text(known.read_text(encoding="utf-8").replace("visible_loss", "visible_gain"), encoding="utf-8")
    run = linkproof(*HASTY, "--known-failures", "known.toml", "--run-dir", "evidence")
    assert run.code == ExitCode.USAGE
    assert run.shows("known.toml:4 names 'test_connected.py::test_a_visible_gain_interrupts_after_4_s'")
    assert not (known.parent / "evidence").exists()


@pytest.mark.parametrize("when", ["altered", "added"])
def test_who_excuses_afterwards_is_found(linkproof: Linkproof, known: Path, when: str) -> None:
    excuse = known.read_text(encoding="utf-8")
    if when == "altered":
        known.write_text(f"{excuse.partition('[[known]]')[0]}", encoding="utf-8")
    given = ["--known-failures", "known.toml"] if when == "altered" else []
    assert linkproof(*HASTY, *given, "--run-dir", "evidence").code == ExitCode.FAIL
    (known.parent / "evidence" / "known-failures.toml").write_text(excuse, encoding="utf-8")
    judged = linkproof("judge", "evidence")
    assert judged.code == ExitCode.USAGE
    assert judged.shows("was altered: known-failures.toml")
    seal(known.parent / "evidence")  # that it was this file alone which was in the way
    assert linkproof("judge", "evidence").code == ExitCode.PASS


# ---------------------------------------------------------------------------------------------------- JUnit

# What the schema of Jenkins' xUnit plugin (junit-10.xsd) allows: the children and the attributes of each element. It
# allows no properties in a test case; the junit step of Jenkins, which checks no schema, and GitLab take them.
_CASE = {"name", "time", "classname", "group"}
_COUNTS = {"name", "tests", "failures", "errors", "time"}
_SUITE = _COUNTS | {"group", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"}
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"testsuite"}, _COUNTS),
    "testsuite": ({"testsuite", "properties", "testcase", "system-out", "system-err"}, _SUITE),
    "testcase": ({"skipped", "error", "failure", "system-out", "system-err"}, _CASE),
    "properties": ({"property"}, set()),
    "property": (set(), {"name", "value"}),
    "failure": (set(), {"type", "message"}),
    "error": (set(), {"type", "message"}),
    "skipped": (set(), {"type", "message"}),
}


def outside_of_the_schema(element: ElementTree.Element) -> list[str]:
    children, attributes = ALLOWED[element.tag]
    found = [f"{element.tag}/{child.tag}" for child in element if child.tag not in children]
    found += [f"{element.tag}@{name}" for name in element.attrib if name not in attributes]
    return found + [each for child in element for each in outside_of_the_schema(child)]


def test_the_junit_report_is_one_as_jenkins_reads_it(linkproof: Linkproof, known: Path) -> None:
    text = known.read_text(encoding="utf-8")
    known.write_text(text[: text.rindex("[[known]]")], encoding="utf-8")  # so that one fails
    run = linkproof(*HASTY, "--known-failures", "known.toml", "--run-dir", "evidence", "--junitxml=junit.xml")
    assert run.code == ExitCode.FAIL
    tree = ElementTree.parse(known.parent / "junit.xml")  # noqa: S314 - our own
    assert set(outside_of_the_schema(tree.getroot())) == {"testcase/properties"}
    outcomes: dict[str, list[str]] = {}
    for case in tree.iter("testcase"):
        properties = case.find("properties")
        assert properties is not None
        names = [each.attrib["name"] for each in properties]
        assert len(names) == len(set(names))
        outcomes[f"{case.attrib['classname']}.py::{case.attrib['name']}"] = [
            each.tag for each in case if each.tag[0] != "p"
        ]
    found = results_of(known.parent / "evidence")
    tags: dict[str, list[str]] = {"PASS": [], "FAIL": ["failure"]}
    assert outcomes == {each.name: ["skipped"] if each.known else tags[each.verdict] for each in found.scenarios}
    (suite,) = tree.iter("testsuite")
    assert (suite.attrib["failures"], suite.attrib["skipped"], suite.attrib["errors"]) == ("1", "1", "0")


def test_the_results_are_those_of_the_evidence_and_are_made_again(linkproof: Linkproof, hasty: Path) -> None:
    linkproof(*HASTY, "--run-dir", "evidence")
    path = hasty / "evidence" / "results.json"
    first = path.read_bytes()
    path.write_bytes(json.dumps({"verdict": "PASS"}).encode())
    assert (
        linkproof("judge", "evidence").code == ExitCode.FAIL
    )  # it is no evidence: whoever alters it fools himself alone
    assert linkproof("report", "evidence").code == ExitCode.PASS
    assert path.read_bytes() == first
