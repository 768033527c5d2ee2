"""``python -m tests.fuzz``: fuzz each target for a while; ``python -m tests.fuzz TARGET FILE``: repeat one input."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path

from tests.fuzz.campaign import fuzz, keep
from tests.fuzz.targets import TARGETS, Target

SECONDS = 60


def main() -> int:
    """Read the command line and run; returns the exit code: 0, or 1 where something crashed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", nargs="?", choices=TARGETS, help="only this one (default: each)")
    parser.add_argument("file", nargs="*", type=Path, help="repeat these inputs of it, without atheris")
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"for each target (default: {SECONDS})")
    parser.add_argument("--keep", action="store_true", help="keep in tests/fuzz/corpus what led somewhere new")
    parser.add_argument("--if-there", action="store_true", help="where atheris is not installed, say so and end well")
    options = parser.parse_args()
    if options.file:
        for path in options.file:
            print(f"{path}: {TARGETS[options.target].load()(path.read_bytes())}")
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed, so nothing is fuzzed; 'pip install -e .[fuzz]' where there is a wheel of it")
        return 0 if options.if_there else 1
    targets = [TARGETS[options.target]] if options.target else list(TARGETS.values())
    crashed = [target.name for target in targets if _crashes(target, options.seconds, is_kept=options.keep)]
    if crashed:
        print(f"crashed: {', '.join(crashed)}. Mend the code, and commit the file: a test repeats it from then on.")
    return 1 if crashed else 0


def _crashes(target: Target, seconds: int, *, is_kept: bool) -> bool:
    with tempfile.TemporaryDirectory(prefix="linkproof-fuzz-") as found:
        fuzzed = fuzz(target, seconds=seconds, found=Path(found))
        print(fuzzed, flush=True)
        if fuzzed.crashes:
            print("\n".join(f"    {line}" for line in _traceback(fuzzed.log)), flush=True)
        elif is_kept:
            print(f"{target.name:12} {keep(target, Path(found))} inputs are kept", flush=True)
    return bool(fuzzed.crashes)


def _traceback(log: str) -> list[str]:
    """Return what atheris says of a crash: the exception and its traceback, without libFuzzer's own lines."""
    _, _, told = log.partition("=== Uncaught Python exception: ===")
    return [line for line in told.splitlines() if line.strip()][:40] or log.splitlines()[-10:]


if __name__ == "__main__":
    sys.exit(main())
