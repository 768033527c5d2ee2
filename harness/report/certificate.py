"""What a run certifies, as an in-toto Statement about test results.

It is made from the evidence, judged again, and names by hash what was tested, with what, and by which rules. The words
are those of https://in-toto.io/Statement/v1 and https://in-toto.io/attestation/test-result/v0.1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection
from enum import StrEnum
from pathlib import PurePath
from typing import Any, Literal

import msgspec

from harness.errors import UsageError
from harness.oracle.verdict import Verdict
from harness.report import digests, seal
from harness.report.digests import Digests
from harness.report.run_folder import SERVER, VIRTUAL, RunFolder, RunInfo
from harness.report.summary import ClauseResult, Summary
from harness.spec.profiles import Profile

# The parts of the configuration that each certificate has, by name.
EVIDENCE, RULES, HARNESS = "evidence", "rules", "harness"
NOT_LOOKED_AT = "NOT LOOKED AT"  # in the place of a verdict: no scenario of the run checked this rule

# What runs the programs of others is not what was tested; nor is a program that is found on PATH.
_INTERPRETER = re.compile(r"(?:python|pypy|node|deno|bun|java|ruby|perl|php|dotnet|bash|sh|env)[\d.]*")

_GROUP = {
    Verdict.PASS: "passed",
    Verdict.INCONCLUSIVE: "warned",
    Verdict.UNSUPPORTED: "warned",
    Verdict.FAIL: "failed",
    Verdict.ERROR: "failed",
}


class Result(StrEnum):
    """How a run came out, in the words of in-toto."""

    PASSED = "PASSED"
    WARNED = "WARNED"  # it passed; but a failure was known and let be, or not everything was played
    FAILED = "FAILED"  # its verdict is not PASS


class Resource(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that is named by its hash: a ResourceDescriptor."""

    name: str
    digest: dict[str, str]
    annotations: dict[str, Any] = {}


class Predicate(msgspec.Struct, frozen=True, rename="camel"):
    """How the tests came out, and what they were made with."""

    result: Result
    configuration: list[Resource]
    passed_tests: list[str]
    warned_tests: list[str]
    failed_tests: list[str]


class Statement(msgspec.Struct, frozen=True):
    """The whole: what it is about, and what is said of it."""

    type: Literal["https://in-toto.io/Statement/v1"] = msgspec.field(name="_type")
    subject: list[Resource]
    predicate_type: Literal["https://in-toto.io/attestation/test-result/v0.1"] = msgspec.field(name="predicateType")
    predicate: Predicate

    def part(self, name: str) -> Resource:
        """Return a part of the configuration.

        Raises:
            UsageError: there is none of that name.
        """
        for each in self.predicate.configuration:
            if each.name == name:
                return each
        raise UsageError(f"the certificate says nothing of the {name}", why="one by linkproof attest always does")

    def clauses(self) -> dict[str, str]:
        """Return the verdict of each rule; none where these are not written as linkproof writes them."""
        try:
            listed = msgspec.convert(self.part(RULES).annotations.get("clauses"), list[dict[str, Any]])
        except msgspec.ValidationError:
            return {}
        return {str(each.get("clause")): str(each.get("verdict")) for each in listed}

    def summed_up(self) -> str:
        """Return what it says in one line, where linkproof made it."""
        said, implementation = self.predicate, self.subject[0].annotations["implementation"]
        name = " ".join(str(implementation[each]) for each in ("name", "version") if each in implementation)
        counted = (("passed", said.passed_tests), ("warned", said.warned_tests), ("failed", said.failed_tests))
        told = [f"{len(tests)} {word}" for word, tests in counted if tests]
        run = self.part(EVIDENCE).annotations
        told += [f"{run['leftOut']} of {run['suite']} scenarios were left out"] if run["leftOut"] else []
        unseen = sum(verdict == NOT_LOOKED_AT for verdict in self.clauses().values())
        told += [f"{unseen} rules were not looked at"] if unseen else []
        rules = self.part(RULES).annotations["profile"]
        return f"{said.result}  {name or 'the implementation'} against {rules}: {', '.join(told)}"


# The names of all scenarios of a profile that can be played with these means beyond Toxiproxy.
SuiteOf = Callable[[Profile, Collection[str]], Collection[str]]


def make(folder: RunFolder, suite_of: SuiteOf) -> Statement:
    """Judge a run again, and return what it certifies.

    Args:
        folder: the run's.
        suite_of: returns the names of all scenarios that such a run could have played. Who leaves out what fails has
            no pass by that, so it is not the run that is asked how many there are.

    Raises:
        UsageError: it certifies nothing: it was played in virtual time, altered or broken off; or the rules and the
            linkproof that are installed are not those that it was made with.
    """
    info, profile = folder.read_info(), folder.profile()
    taken = _digests_of(folder, info, profile)
    summary = folder.summary(folder.played())
    if summary.missing or not summary.judgements:
        why = f"{len(info.selected)} scenarios were selected, and {len(summary.judgements)} played to their end"
        raise UsageError(f"the run in {folder.path} was broken off", why=why, mend="run it again")
    suite = set(suite_of(profile, info.means))
    left_out = suite - {each.plain_name for each in summary.judgements}
    evidence = of_evidence(folder)
    subject = _subject(info, taken, evidence)
    parts = [
        Resource(EVIDENCE, evidence, _of_run(info, summary) | {"suite": len(suite), "leftOut": len(left_out)}),
        Resource(RULES, _sha256(taken.rules), _of_rules(summary, profile)),
        Resource(HARNESS, _sha256(taken.harness), {"linkproof": info.linkproof, **_faults(info)}),
    ]
    commands = {**taken.client, **taken.server}
    parts += [Resource(name, _sha256(digest)) for name, digest in commands.items()]
    return Statement(
        "https://in-toto.io/Statement/v1",
        subject,
        "https://in-toto.io/attestation/test-result/v0.1",
        Predicate(_result(summary, profile, is_whole=not left_out), parts, *_tests(summary)),
    )


def of_evidence(folder: RunFolder) -> dict[str, str]:
    """Return the digest that stands for the whole evidence: that of its seal, which has the hash of each file.

    Raises:
        UsageError: there is no seal.
    """
    try:
        return _sha256(hashlib.sha256((folder.path / seal.SEAL).read_bytes()).hexdigest())
    except OSError as error:
        why = "only a run that came to its end has one"
        raise UsageError(f"{folder.path} has no {seal.SEAL}: {error.strerror}", why=why, mend="name a run") from error


def _digests_of(folder: RunFolder, info: RunInfo, profile: Profile) -> Digests:
    """Return the hashes that were taken at the run, where the run can be certified by what is installed here."""
    if info.world == VIRTUAL:
        why = "a run in virtual time certifies nothing: no process and no network had a part in it"
        raise UsageError(f"{folder.path} was played in virtual time", why=why, mend="leave --virtual out")
    if info.shard:
        why = f"it played part {info.shard} of a suite, and the other parts may have failed"
        raise UsageError(f"{folder.path} is a part of a run", why=why, mend="join the parts first: linkproof merge")
    if info.digests is None:
        why = f"linkproof {info.linkproof}, which made it, took none"
        raise UsageError(f"{folder.path} has no hashes of what was tested", why=why, mend="run it again")
    for name, was, here in (
        (RULES, info.digests.rules, digests.of_rules(profile)),
        (HARNESS, info.digests.harness, digests.of_harness()),
    ):
        if was != here:
            why = f"{name}: sha256 {was} in the run, of linkproof {info.linkproof}; {here} here, of {digests.version()}"
            mend = "install the linkproof that made the run, or run it again"
            raise UsageError(f"{folder.path} was made with another version of the {name}", why=why, mend=mend)
    return info.digests


def _subject(info: RunInfo, taken: Digests, evidence: dict[str, str]) -> list[Resource]:
    """Return what was tested: the programs of the implementation and what was added to them; else the evidence."""
    is_server = info.under_test == SERVER
    words, files = (info.server_command, taken.server) if is_server else (info.client_command, taken.client)
    hello = info.server if is_server else info.client
    said = {name: hello[name] for name in ("name", "version", "language") if hello.get(name)}
    on_path = words[0] if words and "/" not in words[0] else ""
    own = [each for each in files.items() if each[0] != on_path and not _is_interpreter(each[0])]
    named = [(name, _sha256(digest)) for name, digest in (*own, *taken.artifacts.items())]
    return [Resource(name, digest, {"implementation": said}) for name, digest in named or [(EVIDENCE, evidence)]]


def _is_interpreter(name: str) -> bool:
    return _INTERPRETER.fullmatch(PurePath(name).name) is not None


def _of_run(info: RunInfo, summary: Summary) -> dict[str, Any]:
    return {
        "started": info.started,
        "underTest": info.under_test,
        "verdict": str(summary.verdict),
        "knownFailures": {name: entry.known.reason for name, entry in summary.excused.items()},
        "tls": info.tls,
        "ipv6": info.ipv6,
    }


def _of_rules(summary: Summary, profile: Profile) -> dict[str, Any]:
    results = [summary.of_clause(clause) for clause in profile.clauses]
    return {"profile": profile.name, "clauses": [_of_clause(result) for result in results]}


def _of_clause(result: ClauseResult) -> dict[str, Any]:
    said = {"clause": result.clause.id, "verdict": str(result.verdict or NOT_LOOKED_AT), "checks": result.checks}
    return said | ({"seen": result.answer} if result.answer else {})


def _faults(info: RunInfo) -> dict[str, str]:
    """Return what made the faults, by its version alone: where it was found is the machine's own affair."""
    return {"namespaces": info.netns} if info.netns else {"toxiproxy": info.toxiproxy.partition(",")[0]}


def _result(summary: Summary, profile: Profile, *, is_whole: bool) -> Result:
    if summary.verdict is not Verdict.PASS:
        return Result.FAILED
    all_looked_at = all(summary.of_clause(clause).verdict is not None for clause in profile.clauses)
    return Result.PASSED if is_whole and all_looked_at and not summary.excused else Result.WARNED


def _tests(summary: Summary) -> tuple[list[str], list[str], list[str]]:
    """Return the scenarios that passed, those that failed as is known or could not tell, and those that failed."""
    named: dict[str, list[str]] = {"passed": [], "warned": [], "failed": []}
    for each in summary.judgements:
        named["warned" if each.scenario in summary.excused else _GROUP[each.verdict]].append(each.scenario)
    return named["passed"], named["warned"], named["failed"]


def _sha256(digest: str) -> dict[str, str]:
    return {"sha256": digest}
