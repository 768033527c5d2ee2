"""The reference client's agent as a quick process: ``python -m harness.reference``, the same as of ``agent.py``.

A run starts it hundreds of times, and on a small host that is most of what it computes. So here is what makes the life
of such a process short at both ends, and has no place in a module that others import.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from types import ModuleType


def main() -> int:
    """Run the agent; return its exit code."""
    gc.disable()  # all that is imported stays, and to look through it for garbage takes a tenth of the start
    _put_off("importlib.metadata")
    from harness.reference import agent

    gc.freeze()
    gc.enable()
    return agent.main()


def _put_off(name: str) -> None:
    """Have a module imported only when it is used: websockets asks for one that it uses where it is no release."""
    package, _, last = name.rpartition(".")
    stand_in = ModuleType(name)

    def load(attribute: str) -> object:
        del sys.modules[name]
        return getattr(importlib.import_module(name), attribute)

    stand_in.__dict__["__getattr__"] = load
    sys.modules[name] = stand_in
    setattr(sys.modules[package], last, stand_in)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Without taking all modules apart, which takes as long as importing many of them: the kernel does that at once.
    os._exit(code)
