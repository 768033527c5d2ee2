"""Whether a certificate holds: its signature, the evidence file by file, and every verdict judged again. Offline."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from securesystemslib.signer import Key

from harness.errors import UsageError
from harness.report import certificate, digests
from harness.report.certificate import EVIDENCE, HARNESS, RULES, Statement
from harness.report.envelope import Sealed, written
from harness.report.run_folder import RunFolder
from harness.report.seal import SEAL

_DIFFERENCES_MAX = 5  # of one kind: more of them say nothing more


class Found(Enum):
    """What a check found."""

    HOLDS = "ok"
    NOBODY = "??"  # it cannot be said, as nobody vouches for it
    BROKEN = "!!"


class Checked(NamedTuple):
    """One check: what was looked at, what was found, and in words."""

    what: str
    found: Found
    said: str


def verify(sealed: Sealed, folder: RunFolder, key: Key | None, suite_of: certificate.SuiteOf) -> list[Checked]:
    """Return what each check found, in order. After one that is broken those that build on it are not made.

    Args:
        sealed: the certificate.
        folder: the run's.
        key: the signer's; None where nobody is said to have signed it.
        suite_of: returns the names of all scenarios that such a run could have played.

    Raises:
        UsageError: it is no certificate, or there is no run; or it is signed, and there is no key to check that by.
    """
    signature = _signature(sealed, key)
    if signature.found is Found.BROKEN:
        return [signature]
    statement = sealed.statement()
    evidence = _evidence(statement, folder)
    if evidence.found is Found.BROKEN:
        return [signature, evidence]
    checks = [signature, evidence, _rules(statement, folder), _harness(statement)]
    if not holds(checks):
        return checks
    try:
        again = certificate.make(folder, suite_of)
    except UsageError as error:
        return [*checks, Checked("judged again", Found.BROKEN, f"{error.found}: {error.why}")]
    return [*checks, _verdicts(statement, again), _the_rest(statement, again)]


def holds(checks: list[Checked]) -> bool:
    """Whether nothing is broken."""
    return all(each.found is not Found.BROKEN for each in checks)


def _signature(sealed: Sealed, key: Key | None) -> Checked:
    signers = ", ".join(sealed.signers)
    if not signers:
        if key is not None:
            return Checked("signature", Found.BROKEN, f"nobody signed it: not key {key.keyid} either")
        said = "NOBODY SIGNED THIS CERTIFICATE: whoever handed it to you may have made it, and the evidence too"
        return Checked("signature", Found.NOBODY, said)
    if key is None:
        why = f"a signature that is not checked is worth nothing; it is said to be by key {signers}"
        raise UsageError("the certificate is signed", why=why, mend="name the signer's key: --public-key FILE")
    if key.keyid not in sealed.signers:
        return Checked("signature", Found.BROKEN, f"it is by another key: {signers}, and not by {key.keyid}")
    if not sealed.is_signed_by(key):
        return Checked("signature", Found.BROKEN, f"it is not what key {key.keyid} signed: it was altered, or forged")
    return Checked("signature", Found.HOLDS, f"by key {key.keyid}")


def _evidence(statement: Statement, folder: RunFolder) -> Checked:
    if statement.part(EVIDENCE).digest != certificate.of_evidence(folder):
        said = f"{SEAL} is not the one that was certified: it was altered, or this is another run"
        return Checked(EVIDENCE, Found.BROKEN, said)
    try:
        folder.check()
    except UsageError as error:
        return Checked(EVIDENCE, Found.BROKEN, error.found)
    return Checked(EVIDENCE, Found.HOLDS, f"each file is what it was when the run ended: {SEAL} and what it lists")


def _rules(statement: Statement, folder: RunFolder) -> Checked:
    part, profile = statement.part(RULES), folder.profile()
    here = digests.of_rules(profile)
    if part.digest != {"sha256": here}:
        said = f"other rules: {_version(statement, part.digest)} made it; here is {_installed(here)}"
        return Checked(RULES, Found.BROKEN, said)
    return Checked(RULES, Found.HOLDS, f"{profile.name}, sha256 {here}")


def _harness(statement: Statement) -> Checked:
    part, here = statement.part(HARNESS), digests.of_harness()
    if part.digest != {"sha256": here}:
        said = f"another linkproof: {_version(statement, part.digest)} made it; here is {_installed(here)}"
        return Checked(HARNESS, Found.BROKEN, said)
    return Checked(HARNESS, Found.HOLDS, _installed(here))


def _version(statement: Statement, digest: dict[str, str]) -> str:
    version = statement.part(HARNESS).annotations.get("linkproof", "?")
    return f"linkproof {version} (sha256 {digest.get('sha256', '?')})"


def _installed(digest: str) -> str:
    return f"linkproof {digests.version()} (sha256 {digest})"


def _verdicts(said: Statement, again: Statement) -> Checked:
    scenarios, rules = _of_tests(again), again.clauses()
    differences = [*_differences(_of_tests(said), scenarios), *_differences(said.clauses(), rules)]
    if said.predicate.result != again.predicate.result:
        differences.insert(0, f"the whole: certified {said.predicate.result}, judged {again.predicate.result}")
    if differences:
        more = len(differences) - _DIFFERENCES_MAX
        shown = differences[:_DIFFERENCES_MAX] + ([f"and {more} more"] if more > 0 else [])
        return Checked("verdicts", Found.BROKEN, "; ".join(shown))
    told = f"judged again: {len(scenarios)} scenarios and {len(rules)} rules come out as certified"
    return Checked("verdicts", Found.HOLDS, told)


def _of_tests(statement: Statement) -> dict[str, str]:
    said = statement.predicate
    groups = (("passed", said.passed_tests), ("warned", said.warned_tests), ("failed", said.failed_tests))
    return {name: group for group, names in groups for name in names}


def _differences(said: dict[str, str], again: dict[str, str]) -> Iterator[str]:
    for name in sorted({*said, *again}):
        certified, judged = said.get(name, "not named"), again.get(name, "not there")
        if certified != judged:
            yield f"{name}: certified {certified}, judged {judged}"


def _the_rest(said: Statement, again: Statement) -> Checked:
    """Hold the certificate against the one that would be made now, so that nothing in it goes unchecked."""
    if written(said) == written(again):  # compared as values, false and 0 would be the same
        named = ", ".join(each.name for each in again.subject)
        return Checked("all else", Found.HOLDS, f"what was tested ({named}) and with what is what the evidence says")
    certified, judged = said.predicate.configuration, again.predicate.configuration
    parts = {each.name for each in (*certified, *judged) if each not in certified or each not in judged}
    otherwise = ["what was tested"] if said.subject != again.subject else []
    named = ", ".join([*otherwise, *sorted(parts)]) or "the order and the form of what it lists"
    return Checked("all else", Found.BROKEN, f"the evidence says otherwise of: {named}")
