"""The reference's server with a mutant in it: ``python -m tests.mutants.server NAME``, controlled by its input."""

from __future__ import annotations

import sys

from harness.reference import server_control
from tests.mutants.everyone import MUTANTS


def main() -> int:
    """Run the process; return its exit code."""
    with MUTANTS[sys.argv.pop(1)].applied():
        return server_control.main()


if __name__ == "__main__":
    sys.exit(main())
