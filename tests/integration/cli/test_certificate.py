from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.report.exit_codes import ExitCode
from tests.unit.docs.pages import page

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Linkproof

ADAPTER = "import sys\nfrom harness.reference import agent\nsys.exit(agent.main())\n"
LINKPROOF = '#!/bin/sh\nexec "$LINKPROOF_PYTHON" -c "from harness.cli import main; main()" "$@"\n'
SHOWN = page("docs/certificate.md").block("sh", "openssl")
COMMANDS_S = 120.0  # a run of one scenario among them, with its set-up


class Place:
    """Where the commands of the page were given, one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "adapter.py").write_text(ADAPTER)
        (path / "sdk.so").write_bytes(b"the SDK's library")
        (path / "bin").mkdir()
        (path / "bin" / "linkproof").write_text(LINKPROOF)
        (path / "bin" / "linkproof").chmod(0o755)
        search = [str(path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
        # One scenario is as good as all of them, for the certificate.
        script = SHOWN.replace("linkproof certify", "linkproof certify -k login_that_succeeds")
        done = subprocess.run(
            ["sh", "-e", "-c", script],
            cwd=path,
            env={**os.environ, "PATH": os.pathsep.join(search), "LINKPROOF_PYTHON": sys.executable},
            capture_output=True,
            text=True,
            timeout=COMMANDS_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self.printed = done.stdout
        self.run = path / "runs" / "mine"
        self.certificate = path / "certificate.json"
        self.key = path / "public.pem"

    def statement(self) -> dict[str, Any]:
        statement: dict[str, Any] = json.loads(base64.b64decode(json.loads(self.certificate.read_bytes())["payload"]))
        return statement


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl on this machine, so the page's commands cannot be tried")
    return Place(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def evidence(place: Place, tmp_path: Path) -> Path:
    """A copy of the run, to be spoilt."""
    return shutil.copytree(place.run, tmp_path / "copy")


def test_the_commands_of_the_page_make_a_certificate_that_holds(place: Place) -> None:
    checks = [line for line in place.printed.splitlines() if line[:3] in ("ok ", "?? ", "!! ")]
    shown = [line for line in page("docs/certificate.md").block("text").splitlines() if line.startswith("ok ")]
    assert [line.partition(":")[0] for line in checks] == [line.partition(":")[0] for line in shown]
    assert "the certificate holds. It says:\nWARNED  linkproof-reference-python " in place.printed


def test_what_was_tested_is_named_by_the_hashes_of_its_files(place: Place) -> None:
    statement = place.statement()
    sums = subprocess.run(
        ["sha256sum", "adapter.py", "sdk.so"], cwd=place.path, capture_output=True, text=True, check=True
    )
    hashes = {name: digest for digest, name in (line.split() for line in sums.stdout.splitlines())}
    assert {each["name"]: each["digest"]["sha256"] for each in statement["subject"]} == hashes
    names = [each["name"] for each in statement["predicate"]["configuration"]]
    assert names[:3] == ["evidence", "rules", "harness"]
    assert "python3" in names
    assert statement["predicate"]["passedTests"] == ["test_connecting.py::test_login_that_succeeds"]
    assert statement["predicate"]["result"] == "WARNED"
    assert str(place.path) not in json.dumps(statement)


def test_one_that_nobody_signed_holds_and_says_so_loudly(linkproof: Linkproof, place: Place, evidence: Path) -> None:
    attested = linkproof("attest", str(evidence))
    assert attested.code == ExitCode.PASS
    assert attested.shows("NOBODY SIGNED IT", str(evidence / "certificate.json"))
    verified = linkproof("verify", str(evidence / "certificate.json"), str(evidence))
    assert verified.code == ExitCode.PASS
    assert verified.shows("?? signature: NOBODY SIGNED THIS CERTIFICATE", "the certificate holds")
    refused = linkproof("verify", str(evidence / "certificate.json"), str(evidence), "--public-key", str(place.key))
    assert refused.code == ExitCode.FAIL
    assert refused.shows("!! signature: nobody signed it", "the certificate does not hold")


@pytest.mark.parametrize("name", ["run.json", "verdicts.json", "traces", "logs", "SHA256SUMS"])
def test_one_byte_of_the_evidence_that_is_another_is_found_and_its_file_named(
    linkproof: Linkproof, place: Place, evidence: Path, name: str
) -> None:
    path = evidence / name
    if path.is_dir():
        path = max(path.iterdir(), key=lambda each: each.stat().st_size)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    result = linkproof("verify", str(place.certificate), str(evidence), "--public-key", str(place.key))
    assert result.code == ExitCode.FAIL
    assert result.shows("ok signature", "!! evidence", path.relative_to(evidence).as_posix())


@pytest.mark.parametrize("part", ["payload", "sig"])
def test_one_byte_of_the_certificate_that_is_another_is_found(
    linkproof: Linkproof, place: Place, tmp_path: Path, part: str
) -> None:
    text = place.certificate.read_text()
    at = text.index(f'"{part}": "') + 100
    forged = tmp_path / "forged.json"
    forged.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])
    result = linkproof("verify", str(forged), str(place.run), "--public-key", str(place.key))
    assert result.code == ExitCode.FAIL if part == "payload" else result.code in (ExitCode.FAIL, ExitCode.USAGE)
    assert "the certificate holds" not in result.out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("adapter.py", ["no certificate of linkproof's", "it cannot be read"]),
        ("gone.json", ["cannot be read: No such file"]),
        ("runs", ["cannot be read: Is a directory"]),
    ],
)
def test_what_is_no_certificate_is_refused(linkproof: Linkproof, place: Place, name: str, words: list[str]) -> None:
    result = linkproof("verify", str(place.path / name), str(place.run))
    assert result.code == ExitCode.USAGE
    assert result.shows(*words)


def test_a_signature_is_not_taken_on_trust_and_a_private_key_checks_none(linkproof: Linkproof, place: Place) -> None:
    result = linkproof("verify", str(place.certificate), str(place.run))
    assert result.code == ExitCode.USAGE
    assert result.shows("the certificate is signed", "--public-key FILE")
    private = str(place.path / "private.pem")
    result = linkproof("verify", str(place.certificate), str(place.run), "--public-key", private)
    assert result.code == ExitCode.USAGE
    assert result.shows("has no public key")


def test_a_run_in_virtual_time_certifies_nothing(linkproof: Linkproof, tmp_path: Path) -> None:
    assert linkproof("certify", "--virtual", "-k", "login_that_succeeds", "--run-dir", "run").code == ExitCode.PASS
    result = linkproof("attest", "run")
    assert result.code == ExitCode.USAGE
    assert result.shows("was played in virtual time", "certifies nothing")
    assert not (tmp_path / "run" / "certificate.json").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--artifact", "gone.so"], "--artifact gone.so: No such file"),
        (["--artifact", "x", "--virtual"], "--artifact has no effect with --virtual"),
    ],
)
def test_an_artifact_that_cannot_be_hashed_is_refused_before_anything_runs(
    linkproof: Linkproof, options: list[str], words: str
) -> None:
    result = linkproof("certify", "-k", "login_that_succeeds", "--run-dir", "run", *options)
    assert result.code == ExitCode.USAGE
    assert result.shows(words)


def test_a_certificate_that_cannot_be_written_is_told_of(linkproof: Linkproof, place: Place) -> None:
    result = linkproof("attest", str(place.run), "--out", str(place.path / "no" / "such" / "folder.json"))
    assert result.code == ExitCode.USAGE
    assert result.shows("cannot be written: No such file", "--out")
