from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import msgspec
import pytest

from harness.errors import UsageError
from harness.oracle.judge import judge
from harness.report import digests, known
from harness.report.certificate import EVIDENCE, HARNESS, RULES, Result, Statement, make
from harness.report.digests import Digests, of_harness, of_rules
from harness.report.run_folder import SERVER, VIRTUAL, RunFolder
from harness.spec.profiles import PROFILES, RTM_1_0, Profile
from tests.unit.report.certified import CLAUSE, SDK, Certified, failed, passed, suite_of, unsupported


@pytest.fixture
def run(tmp_path: Path) -> Certified:
    return Certified(tmp_path / "run")


def certified(folder: RunFolder) -> Statement:
    return make(folder, suite_of)


def sha256(path: Path) -> dict[str, str]:
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


# ---------------------------------------------------------------------------------------------- what a statement says


def test_a_statement_has_the_fields_of_in_toto_and_of_its_test_results(run: Certified) -> None:
    stated = msgspec.to_builtins(certified(run.played(a=passed())))
    assert list(stated) == ["_type", "subject", "predicateType", "predicate"]
    assert stated["_type"] == "https://in-toto.io/Statement/v1"
    assert stated["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert list(stated["predicate"]) == ["result", "configuration", "passedTests", "warnedTests", "failedTests"]
    for each in (*stated["subject"], *stated["predicate"]["configuration"]):
        assert set(each) <= {"name", "digest", "annotations"}
        assert len(each["digest"]["sha256"]) == 64


def test_evidence_rules_and_linkproof_are_named_by_their_hashes(run: Certified) -> None:
    folder = run.played(a=passed())
    statement = certified(folder)
    assert statement.part(EVIDENCE).digest == sha256(folder.path / "SHA256SUMS")
    assert statement.part(RULES).digest == {"sha256": of_rules(RTM_1_0)}
    assert statement.part(HARNESS).digest == {"sha256": of_harness()}
    assert statement.part(HARNESS).annotations == {"linkproof": "0.1.0", "toxiproxy": "v2.12.0"}


def test_what_is_certified_is_the_program_and_not_who_interprets_it(run: Certified) -> None:
    statement = certified(run.played(a=passed()))
    assert [(each.name, each.digest) for each in statement.subject] == [("adapter.js", {"sha256": "b" * 64})]
    assert statement.subject[0].annotations == {"implementation": SDK}
    assert statement.part("node").digest == {"sha256": "a" * 64}


@pytest.mark.parametrize(
    ("command", "files", "tested"),
    [
        (["./sdk", "--fast"], {"./sdk": "c"}, ["./sdk"]),
        (["/opt/x/sdk"], {"sdk": "c"}, ["sdk"]),
        (["sdk"], {"sdk": "c"}, [EVIDENCE]),
        (["/usr/bin/python3.13", "-m", "sdk"], {"python3.13": "c"}, [EVIDENCE]),
        (["python3", "a.py", "b.bin"], {"python3": "c", "a.py": "d", "b.bin": "e"}, ["a.py", "b.bin"]),
    ],
)
def test_without_a_program_of_its_own_it_is_the_evidence_that_is_certified(
    run: Certified, command: list[str], files: dict[str, str], tested: list[str]
) -> None:
    run.info.client_command = command
    run.info.digests = Digests(of_rules(RTM_1_0), of_harness(), {name: 64 * each for name, each in files.items()})
    folder = run.played(a=passed())
    statement = certified(folder)
    assert [each.name for each in statement.subject] == tested
    if tested == [EVIDENCE]:
        assert statement.subject[0].digest == sha256(folder.path / "SHA256SUMS")


def test_artifacts_are_certified_too_and_alone_where_the_command_names_nothing(run: Certified) -> None:
    assert run.info.digests is not None
    run.info.digests.artifacts = {"lib/sdk.so": "d" * 64}
    assert [each.name for each in certified(run.played(a=passed())).subject] == ["adapter.js", "lib/sdk.so"]


def test_of_a_server_under_test_it_is_the_server_that_is_certified(run: Certified) -> None:
    run.info.under_test, run.info.server, run.info.server_command = SERVER, {"name": "srv"}, ["./srv"]
    assert run.info.digests is not None
    run.info.digests.server = {"./srv": "e" * 64}
    (subject,) = certified(run.played(a=passed())).subject
    assert (subject.name, subject.annotations) == ("./srv", {"implementation": {"name": "srv"}})


def test_each_rule_has_its_verdict_and_so_have_those_that_nothing_looked_at(run: Certified) -> None:
    statement = certified(run.played(a=passed()))
    assert list(statement.clauses()) == [clause.id for clause in RTM_1_0.clauses]
    assert statement.clauses()[CLAUSE] == "PASS"
    assert statement.clauses()["OPEN-22"] == "NOT LOOKED AT"


def test_no_argument_of_a_command_and_no_place_on_the_machine_gets_into_it(run: Certified, tmp_path: Path) -> None:
    text = msgspec.json.encode(certified(run.played(a=passed(), b=failed()))).decode()
    for each in ("s3cret", "/somebody", str(tmp_path)):
        assert each not in text


# --------------------------------------------------------------------------------------------- how a run came out


def test_scenarios_are_listed_by_how_they_came_out(run: Certified) -> None:
    said = certified(run.played(a=passed(), b=failed(), c=unsupported())).predicate
    assert (said.passed_tests, said.warned_tests) == (["t.py::test_a"], ["t.py::test_c"])
    assert (said.failed_tests, said.result) == (["t.py::test_b"], Result.FAILED)


def test_what_could_not_be_played_is_no_pass_though_nothing_failed(run: Certified) -> None:
    assert certified(run.played(a=passed(), c=unsupported())).predicate.result is Result.FAILED


@pytest.fixture
def small_profile(monkeypatch: pytest.MonkeyPatch) -> Profile:
    """A profile of the few rules that a login which succeeds looks at."""
    ids = judge(passed()).of_clauses()
    profile = dataclasses.replace(RTM_1_0, clauses=tuple(each for each in RTM_1_0.clauses if each.id in ids))
    monkeypatch.setitem(PROFILES, "rtm-1.0", profile)
    return profile


@pytest.mark.usefixtures("small_profile")
def test_a_run_that_looked_at_every_rule_and_passed_is_passed(run: Certified) -> None:
    statement = certified(run.played(a=passed(), b=passed()))
    assert statement.predicate.result is Result.PASSED
    assert statement.summed_up() == "PASSED  my-sdk 2.1 against rtm-1.0: 2 passed"


def test_a_run_that_passed_and_did_not_look_at_every_rule_is_warned_of(run: Certified) -> None:
    statement = certified(run.played(a=passed(), b=passed()))
    assert statement.predicate.result is Result.WARNED
    unseen = list(statement.clauses().values()).count("NOT LOOKED AT")
    assert statement.summed_up().endswith(f"rtm-1.0: 2 passed, {unseen} rules were not looked at")


@pytest.mark.usefixtures("small_profile")
def test_who_leaves_out_a_scenario_has_no_pass_though_each_rule_was_looked_at(run: Certified) -> None:
    statement = certified(run.played(a=passed()))
    assert statement.predicate.result is Result.WARNED
    assert statement.summed_up() == "WARNED  my-sdk 2.1 against rtm-1.0: 1 passed, 1 of 2 scenarios were left out"


@pytest.mark.usefixtures("small_profile")
def test_a_scenario_that_was_repeated_is_one_of_the_suite(run: Certified) -> None:
    again = passed()
    again[0].args["repetition"] = 2
    folder = run.played(**{"a[r2]": again, "b": passed()})
    statement = certified(folder)
    assert statement.predicate.passed_tests == ["t.py::test_a[r2]", "t.py::test_b"]
    assert statement.predicate.result is Result.PASSED


@pytest.mark.usefixtures("small_profile")
def test_a_known_failure_is_warned_of_and_named_with_its_reason(run: Certified) -> None:
    entry = 'scenario = "t.py::test_b"\nexplanation = "never came"\nreason = "issue 7"\n'
    run.folder.write_known(known.parse(f"[[known]]\n{entry}", "known.toml"))
    statement = certified(run.played(a=passed(), b=failed()))
    said = statement.predicate
    assert (said.result, said.passed_tests, said.warned_tests) == (Result.WARNED, ["t.py::test_a"], ["t.py::test_b"])
    assert statement.part(EVIDENCE).annotations["knownFailures"] == {"t.py::test_b": "issue 7"}


# ------------------------------------------------------------------------------------------- what certifies nothing


def test_a_run_in_virtual_time_is_refused(run: Certified) -> None:
    run.info.world = VIRTUAL
    with pytest.raises(UsageError, match=r"was played in virtual time\n  why:  .*certifies nothing"):
        certified(run.played(a=passed()))


def test_a_run_that_was_broken_off_is_refused(run: Certified) -> None:
    run.info.selected = ["t.py::test_a", "t.py::test_z"]
    with pytest.raises(UsageError, match=r"was broken off\n  why:  2 scenarios were selected, and 1 played to"):
        certified(run.played(a=passed()))
    assert run.folder.read_info().selected == run.info.selected


def test_a_run_of_nothing_is_refused(run: Certified) -> None:
    with pytest.raises(UsageError, match="was broken off"):
        certified(run.played())


def test_a_part_of_a_run_is_refused(run: Certified) -> None:
    run.info.shard = "2/5"
    with pytest.raises(UsageError, match=r"is a part of a run\n  why:  it played part 2/5 of a suite"):
        certified(run.played(a=passed()))


def test_a_run_that_was_made_when_no_hashes_were_taken_is_refused(run: Certified) -> None:
    run.info.digests, run.info.linkproof = None, "0.0.9"
    with pytest.raises(UsageError, match=r"has no hashes of what was tested\n  why:  linkproof 0\.0\.9"):
        certified(run.played(a=passed()))


@pytest.mark.parametrize("part", ["rules", "harness"])
def test_a_run_that_was_made_with_another_version_is_refused_and_both_are_named(run: Certified, part: str) -> None:
    assert run.info.digests is not None
    setattr(run.info.digests, part, "f" * 64)
    run.info.linkproof = "0.0.9"
    folder = run.played(a=passed())
    with pytest.raises(UsageError, match=f"another version of the {part}\n") as raised:
        certified(folder)
    assert f"{part}: sha256 {'f' * 64} in the run, of linkproof 0.0.9; " in raised.value.why
    assert raised.value.why.endswith(f" here, of {digests.version()}")


def test_evidence_that_was_altered_is_refused_and_its_file_is_named(run: Certified) -> None:
    folder = run.played(a=passed())
    (folder.logs / "alice.log").write_text("what it never wrote\n")
    with pytest.raises(UsageError, match=r"was altered: logs/alice\.log is not what it was"):
        certified(folder)


def test_a_failure_cannot_be_excused_after_the_run(run: Certified) -> None:
    folder = run.played(a=failed())
    folder.write_known(known.parse('[[known]]\nscenario = "t.py::test_a"\nexplanation = "came"\nreason = "x"\n', "k"))
    with pytest.raises(UsageError, match=r"was altered: known-failures\.toml was added"):
        certified(folder)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no run"):
        certified(RunFolder(tmp_path))


# ------------------------------------------------------------------------------------------------------- its parts


def test_a_statement_that_says_nothing_of_a_part_is_told_of(run: Certified) -> None:
    statement = certified(run.played(a=passed()))
    with pytest.raises(UsageError, match="says nothing of the weather"):
        statement.part("weather")
    bare = msgspec.structs.replace(statement.part(RULES), annotations={"clauses": "all"})
    predicate = msgspec.structs.replace(statement.predicate, configuration=[bare])
    assert msgspec.structs.replace(statement, predicate=predicate).clauses() == {}
