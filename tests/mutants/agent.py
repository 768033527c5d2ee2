"""The reference's agent with a mutant in it: ``python -m tests.mutants.agent NAME``, under the adapter contract."""

from __future__ import annotations

import sys

from harness.reference import agent
from tests.mutants.everyone import MUTANTS


def main() -> int:
    """Run the process; return its exit code."""
    with MUTANTS[sys.argv.pop(1)].applied():
        return agent.main()


if __name__ == "__main__":
    sys.exit(main())
