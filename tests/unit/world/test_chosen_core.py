from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.reference.client_core import ClientCore
from harness.world.chosen_core import client_core


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A working directory of its own, and afterwards nothing of it left where Python looks for modules."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def written(text: str, name: str = "chosen_core_of_a_test.py") -> str:
    """Write a module into the working directory; returns its name."""
    Path(name).write_text(text, encoding="utf-8")
    return Path(name).stem


def test_a_core_is_found_where_python_looks() -> None:
    assert client_core("harness.reference.client_core:ClientCore") is ClientCore


def test_a_core_is_found_in_the_working_directory() -> None:
    module = written("from harness.reference.client_core import ClientCore\nclass Mine(ClientCore): pass\n")
    chosen = client_core(f"{module}:Mine")
    assert isinstance(chosen, type)
    assert issubclass(chosen, ClientCore)
    assert chosen.__name__ == "Mine"


def test_the_working_directory_comes_last() -> None:
    Path("harness").mkdir()
    Path("harness/__init__.py").write_text("raise AssertionError('not this one')")
    before = list(sys.path)
    client_core("harness.reference.client_core:ClientCore")
    client_core("harness.reference.client_core:ClientCore")
    assert sys.path == [*before, str(Path.cwd())]


@pytest.mark.parametrize("name", ["", ":", "module", "module:", ":Name"])
def test_what_is_not_written_as_module_and_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not written as MODULE:NAME") as raised:
        client_core(name)
    assert "my_cores.late:LateCore" in raised.value.mend


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("class Mine(", "SyntaxError: "),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_module_that_cannot_be_imported_is_its_authors(text: str, why: str) -> None:
    module = written(text)
    with pytest.raises(UsageError) as raised:
        client_core(f"{module}:Mine")
    assert raised.value.found.startswith(f"the core '{module}:Mine' cannot be imported: {why}")


@pytest.mark.parametrize("name", ["no_such_module:Mine", "./cores:Mine", ".cores:Mine", "harness.nothing:Mine"])
def test_a_module_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be imported") as raised:
        client_core(name)
    assert repr(name) in raised.value.found


@pytest.mark.parametrize("attribute", ["Mine", "NUMBER"])
def test_what_is_not_there_or_cannot_be_called_is_refused(attribute: str) -> None:
    module = written("NUMBER = 7\n")
    with pytest.raises(UsageError, match=f"{module} has nothing to call by the name of {attribute}"):
        client_core(f"{module}:{attribute}")
