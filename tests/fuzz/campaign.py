"""Fuzzes one target for a while: a process of atheris's own, and what it says when it has ended."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import FOLDER, Target

ROOT = FOLDER.parents[1]
MEMORY_MB = 1024
ONE_INPUT_S = 10  # none needs a tenth of a second; one that needs so much more has found what grows too fast
OVERTIME_S = 120  # to read the corpus, and for the last input
_WORD = re.compile(rb'"[A-Za-z_]{1,40}"')
_ARTIFACTS = ("crash-", "timeout-", "oom-")


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What came of it; ``edges`` are those of the code that were reached, ``features`` counts how often too."""

    target: Target
    executions: int
    per_s: int
    edges: int
    features: int
    new: int
    crashes: tuple[Path, ...]
    log: str

    def __str__(self) -> str:
        told = (
            f"{self.target.name:12} {self.executions:10,} executions, {self.per_s:7,} a second, {self.edges:5,} edges, "
            f"{self.features:6,} features, {self.new:4} new inputs"
        )
        return told + "".join(f"\n  CRASH: python -m tests.fuzz {self.target.name} {path}" for path in self.crashes)


class FuzzerError(Exception):
    """The fuzzer itself came to no good end."""


def fuzz(target: Target, *, seconds: int, found: Path) -> Fuzzed:
    """Fuzz a target for so long, from the inputs that are kept; put what is new into ``found``, and crashes beside.

    It stops at the first crash.

    Raises:
        FuzzerError: the fuzzer did not start, or ended for no reason that it gave.
    """
    target.crashes.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    before = set(target.crashes.iterdir())
    folders = [found, *(folder for folder in (target.corpus, target.crashes) if folder.is_dir())]
    with tempfile.NamedTemporaryFile(prefix="linkproof-fuzz-", suffix=".dict") as words:
        words.write(_dictionary(target.kept()))
        words.flush()
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={target.bytes_max}",
            f"-artifact_prefix={target.crashes}/",
        ]
        if words.tell():  # libFuzzer refuses an empty one
            options.append(f"-dict={words.name}")
        code, log = _run(target, options, folders, limit_s=seconds + OVERTIME_S)
    crashes = tuple(sorted(path for path in set(target.crashes.iterdir()) - before if path.name.startswith(_ARTIFACTS)))
    if code and not crashes:
        raise FuzzerError(f"{target.name}: the fuzzer ended with code {code}:\n{log[-3000:]}")
    return _fuzzed(target, log, crashes)


def keep(target: Target, found: Path) -> int:
    """Keep the fewest inputs that lead to each edge that the kept ones and the found ones lead to; return how many.

    Raises:
        FuzzerError: the fuzzer did not start, or ended for no reason that it gave.
    """
    target.corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="linkproof-fuzz-") as folder:
        fewest = Path(folder)
        options = ["-set_cover_merge=1", "-use_counters=0", f"-max_len={target.bytes_max}"]
        code, log = _run(target, options, [fewest, target.corpus, found], limit_s=OVERTIME_S)
        kept = list(fewest.iterdir())
        if code or not kept:
            raise FuzzerError(f"{target.name}: merging ended with code {code}:\n{log[-3000:]}")
        for path in target.corpus.iterdir():
            path.unlink()
        for path in kept:
            (target.corpus / path.name).write_bytes(path.read_bytes())
    return len(kept)


def _run(target: Target, options: list[str], folders: list[Path], *, limit_s: float) -> tuple[int, str]:
    command = [sys.executable, "-m", "tests.fuzz.libfuzzer", target.module, *options]
    command += [f"-rss_limit_mb={MEMORY_MB}", f"-timeout={ONE_INPUT_S}", *map(str, folders)]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit_s, check=False
    )
    return done.returncode, done.stdout.decode(errors="backslashreplace")


def _dictionary(kept: Iterable[Path]) -> bytes:
    """Return the words in the inputs that are kept, as libFuzzer reads them: it puts them where they may fit."""
    words = sorted({word for path in kept for word in _WORD.findall(path.read_bytes())})
    return b"".join(b'"\\"' + word.strip(b'"') + b'\\""\n' for word in words)


def _fuzzed(target: Target, log: str, crashes: tuple[Path, ...]) -> Fuzzed:
    progress = re.findall(r"#(\d+)\s.* cov: (\d+) ft: (\d+) .*exec/s: (\d+)", log)
    executions, edges, features, per_s = map(int, progress[-1]) if progress else (0, 0, 0, 0)
    return Fuzzed(target, executions, per_s, edges, features, log.count("\tNEW "), crashes, log)
