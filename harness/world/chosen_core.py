"""A client core that takes the reference's place in the virtual world, by the name of its module and its own."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from harness.errors import UsageError
from harness.world.virtual_client import MakeClientCore


def client_core(name: str) -> MakeClientCore:
    """Return what ``MODULE:NAME`` names, which is to be called as ``ClientCore`` is.

    The module is looked for where Python looks for modules, and in the working directory.

    Raises:
        UsageError: there is no such module, it cannot be imported, or it has nothing of that name that can be called.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon or not module_name or not attribute:
        raise UsageError(f"the core {name!r} is not written as MODULE:NAME", mend="such as my_cores.late:LateCore")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # whatever its author has written may raise whatever it likes
        raise UsageError(f"the core {name!r} cannot be imported: {type(error).__name__}: {error}") from error
    core: MakeClientCore | None = getattr(module, attribute, None)
    if not callable(core):
        raise UsageError(f"the module {module_name} has nothing to call by the name of {attribute}")
    return core
