"""Writes the made parts of docs/, or checks that they are fresh: ``python -m harness.pages [--check] docs``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.pages import contract_page
from harness.pages.conversations import conversations
from harness.pages.markers import MADE_BY, fill
from harness.pages.schemas import schemas


def made(docs: Path) -> dict[Path, str]:
    """Return each file that is made, or made in part, with the text that it should have.

    Raises:
        HarnessError: a page does not have the markers of its made parts.
    """
    contract, wire = docs / "adapter-contract.md", docs / "wire-protocol.md"
    told = json.loads((docs / "vectors" / "conversations.json").read_text(encoding="utf-8"))
    files = {
        contract: fill(contract.read_text(encoding="utf-8"), contract_page.parts()),
        wire: fill(wire.read_text(encoding="utf-8"), {"conversations": conversations(told)}),
    }
    for name, schema in schemas().items():
        files[docs / "schema" / name] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return files


def main(arguments: Sequence[str]) -> int:
    """Write the files, or check them; returns the exit code."""
    paths = [argument for argument in arguments if argument != "--check"]
    if len(paths) != 1 or paths[0].startswith("-"):
        sys.stderr.write("usage: python -m harness.pages [--check] docs\n")
        return 2
    files = made(Path(paths[0]))
    if "--check" not in arguments:
        for path, text in files.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        sys.stderr.write(f"{path} is stale. Run '{MADE_BY}' and commit it.\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
