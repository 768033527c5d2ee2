"""``linkproof attest``: write the certificate of a run, signed or bare."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click
from rich.text import Text

from harness.cli.console import make_console
from harness.cli.suite import collect
from harness.collection import name_of
from harness.errors import UsageError
from harness.report import certificate, envelope
from harness.report.certificate import Result
from harness.report.exit_codes import ExitCode
from harness.report.run_folder import RunFolder
from harness.spec.profiles import Profile

_PATH = click.Path(path_type=Path)
STYLE = {Result.PASSED: "green", Result.WARNED: "yellow", Result.FAILED: "bold red"}


def suite_of(profile: Profile, means: Collection[str]) -> list[str]:
    """Return the names of all scenarios of a profile that can be played with these means, as installed here."""
    return [name_of(item) for item in collect(profile, means)]


@click.command()
@click.argument("run", type=_PATH)
@click.option("--key", type=_PATH, help="Sign with this key: an Ed25519 private key as PEM.")
@click.option("--out", type=_PATH, help="Where the certificate goes (default: RUN/certificate.json).")
def attest(run: Path, key: Path | None, out: Path | None) -> int:
    """Judge the evidence in the folder RUN again, and write what it certifies: an in-toto Statement of test results.

    With --key it is signed, in a DSSE envelope; without, whoever has the evidence could have made it. A run that failed
    is attested too, as FAILED: what came out is in the certificate, and not in the exit code.

    \b
    Examples:
      linkproof attest runs/20260101T000000Z-4711
      linkproof attest runs/20260101T000000Z-4711 --key private.pem --out certificate.json
    """
    signer = None if key is None else envelope.read_private_key(key)
    statement = certificate.make(RunFolder(run), suite_of)
    path = run / "certificate.json" if out is None else out
    try:
        path.write_bytes(envelope.written(statement) if signer is None else envelope.signed(statement, signer))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", mend="name another file by --out") from error
    console = make_console()
    for each in statement.subject:
        console.print(Text(f"tested: {each.name}, sha256 {each.digest['sha256']}"), soft_wrap=True)
    if signer is None:
        console.print(
            Text("NOBODY SIGNED IT: it is worth what the word of its bearer is (see --key)", style="bold yellow")
        )
    else:
        console.print(Text(f"signed by key {signer.public_key.keyid}"), soft_wrap=True)
    console.print(Text(f"certificate: {path}"), soft_wrap=True)
    console.print(Text(statement.summed_up()), style=STYLE[statement.predicate.result], soft_wrap=True)
    return ExitCode.PASS
