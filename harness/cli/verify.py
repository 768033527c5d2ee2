"""``linkproof verify``: whether a certificate holds, by the evidence that it speaks of."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from harness.cli.attest import STYLE, suite_of
from harness.cli.console import make_console
from harness.report import envelope, verification
from harness.report.exit_codes import ExitCode
from harness.report.run_folder import RunFolder
from harness.report.verification import Found

_STYLE = {Found.HOLDS: "green", Found.NOBODY: "bold yellow", Found.BROKEN: "bold red"}
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("certificate", type=_PATH)
@click.argument("run", type=_PATH)
@click.option("--public-key", type=_PATH, help="The signer's key: an Ed25519 public key as PEM.")
def verify(certificate: Path, run: Path, public_key: Path | None) -> int:
    """Check a CERTIFICATE against the evidence in the folder RUN, offline.

    Who signed it, whether each file of the evidence is what it was, whether rules and linkproof are those that are
    installed here, and whether each verdict comes out again. What a certificate that holds says may still be that
    something failed.

    \b
    Examples:
      linkproof verify certificate.json runs/20260101T000000Z-4711 --public-key public.pem
      linkproof verify runs/20260101T000000Z-4711/certificate.json runs/20260101T000000Z-4711

    \b
    Exit codes:
      0   it holds
      1   it does not: the line with !! says why
      2   it cannot be read, or is signed and no key was given
    """
    key = None if public_key is None else envelope.read_public_key(public_key)
    sealed = envelope.read(envelope.bytes_in(certificate))
    checks = verification.verify(sealed, RunFolder(run), key, suite_of)
    console = make_console()
    for each in checks:
        line = f"{each.found.value} {each.what}: {each.said}"
        # What comes from a certificate may be made to look like something else on a terminal.
        printable = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)
        console.print(Text(printable), style=_STYLE[each.found], soft_wrap=True)
    if not verification.holds(checks):
        console.print("the certificate does not hold", style="bold red")
        return ExitCode.FAIL
    statement = sealed.statement()
    console.print("the certificate holds. It says:")
    console.print(Text(statement.summed_up()), style=STYLE[statement.predicate.result], soft_wrap=True)
    return ExitCode.PASS
