from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner, Key

from harness.errors import UsageError
from harness.report import digests
from harness.report.certificate import EVIDENCE, Resource, Result, Statement, make
from harness.report.envelope import read, signed, written
from harness.report.run_folder import RunFolder
from harness.report.verification import Checked, Found, holds, verify
from harness.spec.profiles import PROFILES, RTM_1_0
from tests.unit.report.certified import Certified, failed, passed, suite_of

SIGNER = CryptoSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = CryptoSigner(Ed25519PrivateKey.from_private_bytes(bytes(32)))


@pytest.fixture(scope="module", autouse=True)
def _linkproof_is_hashed_once() -> Iterator[None]:
    """Its files do not change while these tests run, and hundreds of certificates are checked."""
    once = digests.of_harness()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digests, "of_harness", lambda: once)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of two scenarios, one of which failed."""
    return Certified(tmp_path_factory.mktemp("certified") / "run").played(a=passed(), b=failed())


@pytest.fixture(scope="module")
def statement(folder: RunFolder) -> Statement:
    return certified(folder)


def certified(folder: RunFolder) -> Statement:
    return make(folder, suite_of)


def checked(data: bytes, folder: RunFolder, signer: CryptoSigner | None = None) -> list[Checked]:
    return verify(read(data), folder, None if signer is None else signer.public_key, suite_of)


def broken(data: bytes, folder: RunFolder, signer: CryptoSigner | None = None) -> str:
    """What is said of the one check that is broken."""
    (found,) = [each for each in checked(data, folder, signer) if each.found is Found.BROKEN]
    return f"{found.what}: {found.said}"


# ------------------------------------------------------------------------------------------------------ what holds


def test_a_signed_certificate_holds_and_each_check_is_told(folder: RunFolder, statement: Statement) -> None:
    checks = checked(signed(statement, SIGNER), folder, SIGNER)
    assert [each.what for each in checks] == ["signature", "evidence", "rules", "harness", "verdicts", "all else"]
    assert {each.found for each in checks} == {Found.HOLDS}
    assert SIGNER.public_key.keyid in checks[0].said
    assert checks[4].said == f"judged again: 2 scenarios and {len(RTM_1_0.clauses)} rules come out as certified"


def test_one_that_nobody_signed_holds_and_that_is_said_loudly(folder: RunFolder, statement: Statement) -> None:
    first, *rest = checked(written(statement), folder)
    assert first.found is Found.NOBODY
    assert first.said.startswith("NOBODY SIGNED THIS CERTIFICATE")
    assert {each.found for each in rest} == {Found.HOLDS}
    assert holds([first, *rest])


def test_what_is_made_of_a_run_afterwards_is_no_evidence(tmp_path: Path) -> None:
    folder = Certified(tmp_path / "run").played(a=passed())
    data = written(certified(folder))
    for name in ("certificate.json", "report.html", "results.json", "summary.md"):
        (folder.path / name).write_text("made later")
    assert holds(checked(data, folder))


# --------------------------------------------------------------------------------------------------- the signature


def test_without_the_key_a_signature_is_not_taken_on_trust(folder: RunFolder, statement: Statement) -> None:
    with pytest.raises(UsageError, match="the certificate is signed") as raised:
        checked(signed(statement, SIGNER), folder)
    assert SIGNER.public_key.keyid in raised.value.why
    assert "--public-key" in raised.value.mend


def test_one_that_nobody_signed_is_refused_where_a_signature_is_asked_for(
    folder: RunFolder, statement: Statement
) -> None:
    assert broken(written(statement), folder, SIGNER).startswith("signature: nobody signed it")


def test_a_signature_by_another_key_is_refused_and_both_keys_are_named(folder: RunFolder, statement: Statement) -> None:
    said = broken(signed(statement, OTHER), folder, SIGNER)
    assert said.startswith("signature: it is by another key")
    assert OTHER.public_key.keyid in said
    assert SIGNER.public_key.keyid in said


def test_a_signature_that_was_forged_is_refused_and_nothing_that_is_said_is_read(
    folder: RunFolder, statement: Statement
) -> None:
    forger = CryptoSigner(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    forger.public_key.keyid = SIGNER.public_key.keyid
    checks = checked(signed(statement, forger), folder, SIGNER)
    assert [(each.what, each.found) for each in checks] == [("signature", Found.BROKEN)]
    assert "altered, or forged" in checks[0].said


# ------------------------------------------------------------------------------------------------ another version


@pytest.fixture
def mine(tmp_path: Path) -> RunFolder:
    """A run of a test's own, to be spoilt."""
    return Certified(tmp_path / "run").played(a=passed())


def test_another_linkproof_is_refused_and_both_are_named(mine: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(certified(mine))
    was = digests.of_harness()
    monkeypatch.setattr(digests, "of_harness", lambda: "f" * 64)
    monkeypatch.setattr(digests, "version", lambda: "9.0")
    said = broken(data, mine)
    assert said == (
        f"harness: another linkproof: linkproof 0.1.0 (sha256 {was}) made it; here is linkproof 9.0 (sha256 {'f' * 64})"
    )


def test_other_rules_are_refused_and_nothing_is_judged_by_them(
    mine: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = written(certified(mine))
    monkeypatch.setitem(PROFILES, "rtm-1.0", dataclasses.replace(RTM_1_0, clauses=RTM_1_0.clauses[1:]))
    checks = checked(data, mine)
    assert [each.what for each in checks if each.found is Found.BROKEN] == ["rules"]
    assert "verdicts" not in {each.what for each in checks}


# ---------------------------------------------------------------------------------------- another run, or other words


def test_another_run_is_not_what_was_certified(statement: Statement, mine: RunFolder) -> None:
    assert broken(written(statement), mine).startswith("evidence: SHA256SUMS is not the one that was certified")


def test_evidence_that_was_altered_and_sealed_again_is_not_what_was_certified(mine: RunFolder) -> None:
    data = written(certified(mine))
    (mine.logs / "alice.log").write_text("nothing")
    mine.seal()
    assert broken(data, mine).startswith("evidence: SHA256SUMS is not the one that was certified")


def test_a_file_that_was_altered_added_or_taken_away_is_named(mine: RunFolder) -> None:
    data = written(certified(mine))
    (trace,) = (mine.path / "traces").iterdir()
    trace.rename(trace.with_name("b.jsonl"))
    (mine.logs / "alice.log").write_text("nothing")
    said = broken(data, mine)
    for each in ("logs/alice.log is not what it was", f"traces/{trace.name} is gone", "traces/b.jsonl was added"):
        assert each in said


def test_a_folder_without_a_run_is_no_run(statement: Statement, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no SHA256SUMS"):
        checked(written(statement), RunFolder(tmp_path))


def claiming(statement: Statement, **changes: object) -> Statement:
    return msgspec.structs.replace(statement, predicate=msgspec.structs.replace(statement.predicate, **changes))


def test_a_better_verdict_than_the_judges_is_refused_scenario_by_scenario(
    folder: RunFolder, statement: Statement
) -> None:
    better = claiming(statement, passed_tests=["t.py::test_a", "t.py::test_b"], failed_tests=[], result=Result.PASSED)
    said = broken_by(signed(better, SIGNER), folder, "verdicts")
    assert said == "the whole: certified PASSED, judged FAILED; t.py::test_b: certified passed, judged failed"


def test_a_scenario_that_is_left_out_or_made_up_is_refused(folder: RunFolder, statement: Statement) -> None:
    said = broken_by(signed(claiming(statement, failed_tests=["t.py::test_z"]), SIGNER), folder, "verdicts")
    assert "t.py::test_b: certified not named, judged failed" in said
    assert "t.py::test_z: certified failed, judged not there" in said


def test_a_better_verdict_of_a_rule_is_refused(folder: RunFolder, statement: Statement) -> None:
    text = written(statement)
    at = text.index(b'"FAIL"', text.index(b'"OPEN-22"'))
    said = broken_by(text[:at] + b'"PASS"' + text[at + 6 :], folder, "verdicts", None)
    assert said == "OPEN-22: certified PASS, judged FAIL"


def test_of_many_differences_the_first_are_told_and_the_rest_counted(folder: RunFolder, statement: Statement) -> None:
    made_up = claiming(statement, failed_tests=[f"t.py::test_{number}" for number in range(9)])
    assert broken_by(signed(made_up, SIGNER), folder, "verdicts").endswith("; and 5 more")


def broken_by(data: bytes, folder: RunFolder, what: str, signer: CryptoSigner | None = SIGNER) -> str:
    """What is said of this check, which is to be broken."""
    (said,) = [each.said for each in checked(data, folder, signer) if (each.what, each.found) == (what, Found.BROKEN)]
    return said


def test_another_implementation_than_was_tested_is_refused(folder: RunFolder, statement: Statement) -> None:
    another = msgspec.structs.replace(statement, subject=[Resource("sdk-3.0.so", {"sha256": "c" * 64})])
    said = broken(signed(another, SIGNER), folder, SIGNER)
    assert said == "all else: the evidence says otherwise of: what was tested"


@pytest.mark.parametrize("name", ["evidence", "node"])
def test_another_word_of_what_it_was_made_with_is_refused(folder: RunFolder, statement: Statement, name: str) -> None:
    parts = [
        msgspec.structs.replace(each, annotations={"quiet": True}) if each.name == name else each
        for each in statement.predicate.configuration
    ]
    said = broken(signed(claiming(statement, configuration=parts), SIGNER), folder, SIGNER)
    assert said == f"all else: the evidence says otherwise of: {name}"


def test_another_order_is_another_certificate(folder: RunFolder, statement: Statement) -> None:
    turned = claiming(statement, configuration=statement.predicate.configuration[::-1])
    assert broken(signed(turned, SIGNER), folder, SIGNER).endswith(
        "otherwise of: the order and the form of what it lists"
    )


def test_a_certificate_without_a_part_cannot_be_checked(folder: RunFolder, statement: Statement) -> None:
    parts = [each for each in statement.predicate.configuration if each.name != EVIDENCE]
    with pytest.raises(UsageError, match="says nothing of the evidence"):
        checked(signed(claiming(statement, configuration=parts), SIGNER), folder, SIGNER)


def test_a_certificate_of_a_run_that_certifies_nothing_does_not_hold(tmp_path: Path) -> None:
    run = Certified(tmp_path / "run")
    run.info.world = "virtual"
    folder = run.played(a=passed())
    real = Certified(tmp_path / "real").played(a=passed())
    said = certified(real)
    parts = [
        Resource(EVIDENCE, {"sha256": digests.of_artifacts([folder.path / "SHA256SUMS"])["SHA256SUMS"]})
        if each.name == EVIDENCE
        else each
        for each in said.predicate.configuration
    ]
    told = broken(written(claiming(said, configuration=parts)), folder)
    assert told.startswith("judged again: ")
    assert "was played in virtual time: a run in virtual time certifies nothing" in told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=5,
)


@given(st.data())
def test_whatever_a_certificate_says_beside_its_hashes_it_does_not_hold(
    folder: RunFolder, statement: Statement, data: st.DataObject
) -> None:
    parts = statement.predicate.configuration
    changed = data.draw(st.sampled_from(parts), label="part")
    words = st.dictionaries(st.sampled_from([*changed.annotations, "more"]), JSON)
    said = {**changed.annotations, **data.draw(words, label="words")}
    assume(json.dumps(said) != json.dumps(changed.annotations))
    otherwise = [msgspec.structs.replace(each, annotations=said) if each is changed else each for each in parts]
    assert not holds(checked(signed(claiming(statement, configuration=otherwise), SIGNER), folder, SIGNER))


# --------------------------------------------------------------------------------------------------- any byte of it


@contextmanager
def flipped(path: Path, offset: int, mask: int) -> Iterator[None]:
    """One byte of a file is another one for a while."""
    data = path.read_bytes()
    path.write_bytes(data[:offset] + bytes([data[offset] ^ mask]) + data[offset + 1 :])
    try:
        yield
    finally:
        path.write_bytes(data)


def is_found(path: Path, folder: RunFolder, key: Key | None) -> bool:
    """Whether a certificate does not hold, or cannot even be read."""
    try:
        return not holds(verify(read(path.read_bytes()), folder, key, suite_of))
    except UsageError:
        return True


@settings(max_examples=300)
@given(st.data())
def test_any_byte_of_the_evidence_that_is_another_is_found(
    folder: RunFolder, statement: Statement, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    certificate = tmp_path_factory.getbasetemp() / "certificate.json"
    certificate.write_bytes(written(statement))
    files = sorted(path for path in folder.path.rglob("*") if path.is_file())
    kinds = {path.relative_to(folder.path).parts[0] for path in files}
    assert kinds == {"SHA256SUMS", "logs", "run.json", "traces", "verdicts.json"}
    path = data.draw(st.sampled_from(files), label="file")
    offset = data.draw(st.integers(0, path.stat().st_size - 1), label="offset")
    with flipped(path, offset, data.draw(st.integers(1, 255), label="mask")):
        assert is_found(certificate, folder, None)


@settings(max_examples=300)
@given(st.data())
@pytest.mark.parametrize("signer", [SIGNER, None], ids=["signed", "bare"])
def test_any_byte_of_the_certificate_that_is_another_is_found(
    folder: RunFolder,
    statement: Statement,
    tmp_path_factory: pytest.TempPathFactory,
    signer: CryptoSigner | None,
    data: st.DataObject,
) -> None:
    certificate = tmp_path_factory.getbasetemp() / "flipped.json"
    certificate.write_bytes(written(statement) if signer is None else signed(statement, signer))
    offset = data.draw(st.integers(0, certificate.stat().st_size - 1), label="offset")
    key = None if signer is None else signer.public_key
    with flipped(certificate, offset, data.draw(st.integers(1, 255), label="mask")):
        assert is_found(certificate, folder, key)
