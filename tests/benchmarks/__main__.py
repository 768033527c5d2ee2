"""``python -m tests.benchmarks``: measures, prints what it found, and keeps it as JSON and as a picture.

Each part runs in a process of its own, for no longer than its limit, and what it found is kept at once: parts can be
measured one by one, and a later run replaces those that it measures.
"""

from __future__ import annotations

import argparse
import datetime
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import msgspec

from tests.benchmarks import host
from tests.benchmarks.figures import Measured, Part, Results
from tests.benchmarks.page import publish
from tests.benchmarks.picture import picture

DEFAULT = ("startup", "virtual", "judge", "exactness", "faults", "server", "suite")
PARTS = (*DEFAULT, "serial")  # which is only measured where it is asked for
INTO = Path("runs/benchmarks")
EXIT_OK, EXIT_MISSED, EXIT_FAILED = 0, 1, 10


def main(arguments: Sequence[str]) -> int:
    """Measure; returns the exit code: 1 where a figure misses its bound, 10 where a part could not be measured."""
    options = _options(arguments)
    if options.part:
        sys.stdout.buffer.write(msgspec.json.encode(module(options.part).measure(quick=options.quick)))
        return EXIT_OK
    # Whoever ends this process means the part that runs as well, which is in a session of its own.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    into: Path = options.into
    into.mkdir(parents=True, exist_ok=True)
    kept = into / "results.json"
    results = Results(host.describe())
    if kept.exists():
        results.parts = msgspec.json.decode(kept.read_bytes(), type=Results).parts
    print("\n".join(f"{name}: {what}" for name, what in results.host.items()), flush=True)
    for name in options.only:
        print(f"\n{name}: {module(name).WHAT}; the load of this host was {host.load()}", flush=True)
        results.parts[name] = part = _measured(name, quick=options.quick)
        print("\n".join([*(f"  {figure}" for figure in part.figures), *filter(None, [part.failure])]), flush=True)
        kept.write_bytes(msgspec.json.format(msgspec.json.encode(results)))
        (into / "results.svg").write_text(picture(results), encoding="utf-8")
    print(f"\nkept: {kept} and {into / 'results.svg'}")
    if options.publish:
        print("\n".join(f"written: {path}" for path in publish(results)))
    return _code([results.parts[name] for name in options.only])


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measures linkproof: " + "; ".join(module(name).WHAT for name in PARTS) + ".",
        epilog='Examples: make bench; make bench ARGS="--only judge,startup"; make bench ARGS="--quick"',
    )
    several = ",".join(DEFAULT)
    parser.add_argument("--only", default=several, metavar="PART,...", help="what to measure (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="look whether all of it works; the figures say little")
    parser.add_argument(
        "--into", type=Path, default=INTO, metavar="DIR", help="where to keep it (default: %(default)s)"
    )
    parser.add_argument("--publish", action="store_true", help="write docs/performance.md anew from what is kept")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.only = options.only.split(",") if options.only else []
    for name in options.only:
        if name not in PARTS:
            parser.error(f"there is no part {name!r}; there are {', '.join(PARTS)}")
    return options


def module(name: str) -> ModuleType:
    """Return the part of this name."""
    return import_module(f"tests.benchmarks.parts.{name}")


def _measured(name: str, *, quick: bool) -> Part:
    """Measure one part in a process of its own; what goes wrong is told, and the other parts go on."""
    words = ["--part", name, *(["--quick"] if quick else [])]
    began, started = time.monotonic(), datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    command = [sys.executable, "-m", "tests.benchmarks", *words]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    failure, found = "", Measured()
    try:
        output, _ = child.communicate(timeout=module(name).LIMIT_S)
        if child.returncode == 0:
            found = msgspec.json.decode(output, type=Measured)
        else:
            failure = f"it could not be measured: the process ended with {child.returncode}; see above"
    except subprocess.TimeoutExpired:
        failure = f"it could not be measured within {module(name).LIMIT_S:.0f} s"
    finally:
        _end(child)
    line = f'make bench ARGS="--only {name}{" --quick" if quick else ""}"'
    took_s = round(time.monotonic() - began, 1)
    return Part(module(name).WHAT, started, took_s, line, found.figures, found.curves, failure)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a part, and what it has started: what leads a group of its own has a guard that does the rest."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _code(parts: Sequence[Part]) -> int:
    if any(part.failure for part in parts):
        return EXIT_FAILED
    is_met = all(figure.is_met for part in parts for figure in part.figures)
    return EXIT_OK if is_met else EXIT_MISSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
