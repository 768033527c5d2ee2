"""The rules of style that matter, as tests: who may import whom, what is pure, how long things get.

Each rule looks at one source file and says file:line, what is wrong there and why it matters. Their tables are in
layers.py; an entry of a table that fits no file is an error too, so that nothing escapes its rule by being renamed.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from tests.unit import layers
from tests.unit.layers import LAYERS, NARROW, PURE

ROOT = Path(__file__).resolve().parents[2]

CLOCKS_AND_CHANCE = {"datetime", "random", "secrets", "time"}
PROCESSES_AND_SOCKETS = {"asyncio", "concurrent", "multiprocessing", "os", "select", "selectors", "signal", "socket"}
IMPURE = CLOCKS_AND_CHANCE | PROCESSES_AND_SOCKETS | {"subprocess", "threading"}

FILE_LINES = 400
FUNCTION_LINES = 70
ASSERTING_CALLS = re.compile("raises|saw|expect|check|verify")
UNFINISHED = re.compile(r"\b(?:TOD[O]|FIXM[E])\b")


@dataclass(frozen=True)
class Finding:
    """One breach of a rule."""

    path: str
    line: int
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what} ({self.why})"


@dataclass(frozen=True)
class Source:
    """A Python file: its path from the top, with slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".")

    def is_under(self, *folders: str) -> bool:
        return self.path.startswith(folders)

    def fits(self, pattern: str) -> bool:
        # '**/' stands for any folders or none; '*' for a name or a part of one. PurePath.full_match is of 3.13.
        regex = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        return re.fullmatch(regex, self.path) is not None

    def found(self, node: ast.stmt | ast.expr | ast.excepthandler | int, what: str, why: str) -> Finding:
        return Finding(self.path, node if isinstance(node, int) else node.lineno, what, why)


Rule = Callable[[Source], Iterator[Finding]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(root: Path) -> list[Source]:
    files = sorted(file for top in ("harness", "profiles", "proxies", "tests") for file in (root / top).rglob("*.py"))
    return [Source(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")) for file in files]


def functions(source: Source) -> Iterator[Function]:
    return (node for node in ast.walk(source.tree) if isinstance(node, Function))


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Each call with the name that it is made by: 'f' for f(), 'a.f' for a.f() and x.a.f()."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, ".".join(ast.unparse(node.func).split(".")[-2:])


def imports(source: Source) -> Iterator[tuple[ast.stmt, str]]:
    """Each import with the full name of what it brings, also those in functions and for type checkers only."""
    package = source.module.split(".")[:-1]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node, f"{origin}.{alias.name}") for alias in node.names)


def begins(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def row_of(module: str) -> str | None:
    return max((row for row in LAYERS if begins(module, row)), key=len, default=None)


def imports_go_downwards(source: Source) -> Iterator[Finding]:
    row = row_of(source.module)
    if row is None:
        if source.is_under("harness/", "proxies/"):
            yield source.found(1, "has no row in LAYERS", "only what has a place can be held to it")
        return
    allowed = (*LAYERS[row], row, *NARROW.get(row, ()))
    for node, name in imports(source):
        of_project = begins(name, "harness") or begins(name, "proxies") or begins(name, "tests")
        if (of_project or row in NARROW) and not any(begins(name, prefix) for prefix in allowed):
            yield source.found(node, f"{row} imports {name}", f"it may import {', '.join(allowed)}; see LAYERS")


def pure_files_touch_no_world(source: Source) -> Iterator[Finding]:
    if any(source.fits(pattern) for pattern in PURE):
        for node, name in imports(source):
            if name.split(".")[0] in IMPURE:
                yield source.found(node, f"imports {name}", "this file is pure: the same input gives the same output")


def files_are_short(source: Source) -> Iterator[Finding]:
    lines = len(source.text.splitlines())
    if lines > FILE_LINES:
        yield source.found(lines, f"has {lines} lines", f"over {FILE_LINES} a file is two things: part them")


def functions_are_short(source: Source) -> Iterator[Finding]:
    for function in functions(source):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES:
            why = f"over {FUNCTION_LINES} it cannot be read at one glance"
            yield source.found(function, f"{function.name} has {lines} lines", why)


def no_error_is_swallowed(source: Source) -> Iterator[Finding]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            if node.type is None:
                yield source.found(node, "bare except", "it also catches Ctrl-C: name what is expected")
            lines = source.text.splitlines()[node.lineno - 1 : node.end_lineno]
            if all(isinstance(step, ast.Pass) for step in node.body) and not any("#" in line for line in lines):
                yield source.found(node, "except with pass alone", "say beside it why nothing is to be done")


def no_shell_strings(source: Source) -> Iterator[Finding]:
    for call, name in calls(source.tree):
        for keyword in call.keywords:
            if keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value):
                yield source.found(call, f"{name}(shell=...)", "quoting breaks; pass a list of arguments")


def unit_tests_do_not_sleep(source: Source) -> Iterator[Finding]:
    if not source.is_under("tests/unit/"):
        return
    for call, name in calls(source.tree):
        if name == "time.sleep":
            yield source.found(call, "time.sleep()", "cores take the time as an argument: set it")
    for node, name in imports(source):
        if name == "time.sleep":
            yield source.found(node, "imports time.sleep", "cores take the time as an argument: set it")


def only_the_cli_prints(source: Source) -> Iterator[Finding]:
    if source.is_under("harness/") and not source.is_under("harness/cli"):
        for call, name in calls(source.tree):
            if name == "print":
                yield source.found(call, "print()", "stdout belongs to the CLI and, in the agent, to the contract")


def nothing_is_left_for_later(source: Source) -> Iterator[Finding]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if match := UNFINISHED.search(line):
            yield source.found(number, match[0], "an open end is an issue, not a comment that nobody finds")


def each_test_asserts(source: Source) -> Iterator[Finding]:
    if not source.is_under("tests/"):
        return
    for function in functions(source):
        asserts = any(isinstance(node, ast.Assert) for node in ast.walk(function))
        if function.name.startswith("test_") and not asserts:
            named = (name.split(".")[-1] for _, name in calls(function))
            if not any(ASSERTING_CALLS.search(name) for name in named):
                yield source.found(function, f"{function.name} asserts nothing", "it passes whatever the code does")


# That public names have docstrings is ruff's to say (D100-D103).
RULES: tuple[Rule, ...] = (
    imports_go_downwards,
    pure_files_touch_no_world,
    files_are_short,
    functions_are_short,
    no_error_is_swallowed,
    no_shell_strings,
    unit_tests_do_not_sleep,
    only_the_cli_prints,
    nothing_is_left_for_later,
    each_test_asserts,
)


def unmatched_entries(tree: list[Source]) -> Iterator[Finding]:
    """The entries of the tables that rule no code; an empty __init__.py is none."""
    code = [source for source in tree if source.tree.body]
    dead = [row for row in LAYERS if not any(row_of(source.module) == row for source in code)]
    dead += [pattern for pattern in PURE if not any(source.fits(pattern) for source in code)]
    tables = Path(layers.__file__).read_text(encoding="utf-8").splitlines()
    for entry in dead:
        line = next(number for number, text in enumerate(tables, 1) if text.startswith(f'    "{entry}"'))
        yield Finding("tests/unit/layers.py", line, f"{entry} fits no code", "it holds nothing: was that renamed?")


def name_of(rule: Rule) -> str:
    return rule.__name__


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    findings = [str(finding) for source in sources(ROOT) for finding in rule(source)]
    assert not findings, "\n" + "\n".join(findings)


def test_each_entry_of_the_tables_rules_some_file() -> None:
    findings = [str(finding) for finding in unmatched_entries(sources(ROOT))]
    assert not findings, "\n" + "\n".join(findings)


def test_each_requirement_is_pinned_and_no_host_is_named() -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split("[^a-z0-9-]", requirement.lower(), maxsplit=1)[0] for requirement in required}
    missing = sorted(names - set(re.findall("^([a-z0-9-]+)==", pins, re.MULTILINE)))
    assert not missing, f"constraints.txt does not pin {missing}, so CI would test what nobody chose: make constraints"
    assert "://" not in pins, "constraints.txt names a host, and others install from elsewhere: make constraints"


# What follows shows that each rule can fail, and for the reason in its name.
CORE = "harness/reference/client_core.py"
BAD = [
    (imports_go_downwards, "harness/oracle/judge.py", "import harness.reference.wire", 1, "harness.reference.wire"),
    (imports_go_downwards, "harness/adapter/process.py", "def f():\n    from harness import reference", 2, "reference"),
    (imports_go_downwards, "harness/adapter/process.py", "from ..reference import wire", 1, "harness.reference.wire"),
    (imports_go_downwards, "harness/reference/client.py", "from harness.adapter import contract", 1, "contract"),
    (imports_go_downwards, "harness/reference/agent.py", "import harness.adapter.process", 1, "adapter.process"),
    (imports_go_downwards, "harness/world/real.py", "import harness.plugin", 1, "harness.plugin"),
    (imports_go_downwards, "harness/spec/clauses.py", "from harness.errors import HarnessError", 1, "harness.errors"),
    (imports_go_downwards, "proxies/link.py", "from harness.trace import Trace", 1, "harness.trace"),
    (imports_go_downwards, "harness/__init__.py", "from harness.cli import main", 1, "harness.cli"),
    (imports_go_downwards, "harness/stray.py", "", 1, "no row"),
    (imports_go_downwards, "tests/conformance/test_s.py", "from harness.spec import clauses", 1, "harness.spec"),
    (imports_go_downwards, "tests/conformance/test_s.py", "import asyncio", 1, "asyncio"),
    (imports_go_downwards, CORE, "from harness.clock import now_ns", 1, "harness.clock"),
    (pure_files_touch_no_world, "harness/spec/deep/er.py", "import time", 1, "time"),
    (pure_files_touch_no_world, "harness/reference/presence_core.py", "from os import path", 1, "os.path"),
    (pure_files_touch_no_world, "harness/oracle/judge.py", "if True:\n    import asyncio.events", 2, "asyncio"),
    (files_are_short, CORE, "x = 1\n" * 401, 401, "401 lines"),
    (functions_are_short, CORE, "async def f():\n" + "    x = 1\n" * 70, 1, "f has 71 lines"),
    (no_error_is_swallowed, CORE, "try:\n    f()\nexcept:\n    raise", 3, "bare except"),
    (no_error_is_swallowed, CORE, "try:\n    f()\nexcept OSError:\n    pass", 3, "pass alone"),
    (no_shell_strings, CORE, "run('ls', shell=True)", 1, "shell"),
    (unit_tests_do_not_sleep, "tests/unit/test_a.py", "import time\ntime.sleep(1)", 2, "time.sleep"),
    (unit_tests_do_not_sleep, "tests/unit/test_a.py", "from time import sleep", 1, "time.sleep"),
    (only_the_cli_prints, "harness/plugin.py", "def f():\n    print('x')", 2, "print"),
    (nothing_is_left_for_later, CORE, "x = 1  # FIX" + "ME", 1, "FIX" + "ME"),
    (each_test_asserts, "tests/unit/test_a.py", 'def test_a():\n    "What I expect."\n    f()', 1, "test_a"),
    (each_test_asserts, "tests/conformance/test_s.py", "async def test_s(world):\n    expected = 1", 1, "test_s"),
]
GOOD = [
    (imports_go_downwards, "harness/reference/agent.py", "from harness.adapter.contract import Hello"),
    (imports_go_downwards, "harness/oracle/judge.py", "import asyncio\nfrom . import verdict\nimport harness.trace"),
    (imports_go_downwards, "harness/cli/__init__.py", "from harness.reference import server\nimport proxies.link"),
    (imports_go_downwards, "tests/conformance/test_s.py", "import pytest\nfrom harness.world.api import World"),
    (imports_go_downwards, "tests/unit/test_a.py", "import harness.cli"),
    (pure_files_touch_no_world, "harness/reference/client.py", "import asyncio, time"),
    (pure_files_touch_no_world, CORE, "import timeit"),
    (files_are_short, CORE, "x = 1\n" * 400),
    (functions_are_short, CORE, "def f():\n" + "    x = 1\n" * 69),
    (no_error_is_swallowed, CORE, "try:\n    f()\nexcept OSError:\n    x = 1"),
    (no_error_is_swallowed, CORE, "try:\n    f()\nexcept OSError:\n    pass  # it was closed before"),
    (no_shell_strings, CORE, "run(['ls'], shell=False)"),
    (unit_tests_do_not_sleep, "tests/integration/test_a.py", "import time\ntime.sleep(1)"),
    (only_the_cli_prints, "harness/cli/__init__.py", "print('x')"),
    (nothing_is_left_for_later, CORE, "x = 'mastodon'"),
    (each_test_asserts, "tests/unit/test_a.py", "def test_a():\n    with pytest.raises(OSError):\n        f()"),
    (each_test_asserts, "tests/unit/test_a.py", "def helper():\n    f()"),
    (each_test_asserts, "tests/conformance/test_s.py", "async def test_s(alice):\n    await alice.saw('JOINED')"),
]


def planted(root: Path, path: str, text: str) -> Source:
    """The file as the rules would meet it in a tree."""
    file = root / path
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    (source,) = sources(root)
    return source


@pytest.mark.parametrize(("rule", "path", "text", "line", "what"), BAD)
def test_a_rule_finds_its_breach(tmp_path: Path, rule: Rule, path: str, text: str, line: int, what: str) -> None:
    (finding,) = rule(planted(tmp_path, path, text))
    assert (finding.path, finding.line) == (path, line)
    assert what in finding.what
    assert str(finding).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize(("rule", "path", "text"), GOOD)
def test_a_rule_lets_the_rest_be(tmp_path: Path, rule: Rule, path: str, text: str) -> None:
    assert list(rule(planted(tmp_path, path, text))) == []


def test_each_rule_has_an_example_of_its_breach() -> None:
    assert {name_of(case[0]) for case in BAD} == {name_of(rule) for rule in RULES}


def test_an_entry_that_fits_no_file_is_found_where_it_stands(tmp_path: Path) -> None:
    tree = [planted(tmp_path, "harness/trace.py", "x = 1"), Source("harness/world/__init__.py", "")]
    found = {finding.what: finding.line for finding in unmatched_entries(tree)}
    assert not {"harness.trace fits no code", "harness/trace.py fits no code"} & set(found)
    assert "harness.world fits no code" in found
    line = found["harness.reference.agent fits no code"]
    tables = Path(layers.__file__).read_text(encoding="utf-8").splitlines()
    assert tables[line - 1].startswith('    "harness.reference.agent"')
