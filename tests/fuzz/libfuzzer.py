"""``python -m tests.fuzz.libfuzzer MODULE OPTION...``: the process that atheris runs a target in. It never returns.

The options are libFuzzer's. The code under test is instrumented as it is imported, so nothing of it may be imported
before. msgspec is C and is not instrumented: of what happens inside it the outcome leads the search.
"""

from __future__ import annotations

import importlib
import shlex
import sys
import zlib
from collections.abc import Callable

import atheris

INSTRUMENTED = [
    "harness.adapter",
    "harness.explore",
    "harness.oracle",
    "harness.reference",
    "harness.spec",
    "harness.trace",
    "tests.fuzz",
]
OUTCOMES = 512


def main() -> None:
    """Fuzz one target until libFuzzer has enough."""
    module, *options = sys.argv[1:]
    with atheris.instrument_imports(include=INSTRUMENTED):
        run = importlib.import_module(module).run
    doors = [_door(number) for number in range(OUTCOMES)]

    def one_input(data: bytes) -> None:
        doors[zlib.crc32(run(data).encode(errors="replace")) % OUTCOMES]()

    # A merge runs this command in a shell, with options of its own behind it.
    command = shlex.join([sys.executable, "-m", "tests.fuzz.libfuzzer", module])
    atheris.Setup([command, *options], one_input)
    atheris.Fuzz()


def _door(number: int) -> Callable[[], None]:
    """Return a function of its own code: libFuzzer takes the first call of it for progress."""
    namespace: dict[str, Callable[[], None]] = {}
    exec(f"def door_{number}():\n    pass\n", namespace)  # noqa: S102 - a constant text, but for a number
    door: Callable[[], None] = atheris.instrument_func(namespace[f"door_{number}"])
    return door


if __name__ == "__main__":
    main()
