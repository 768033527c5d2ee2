"""The commands of the recipes for CI, run as their engines would run them.

What belongs to an engine is played here: the variables that it sets, the shell that it runs lines in, and the way of an
artifact or a volume from one job to the next. Two programs are stand-ins: ``linkproof certify`` plays a selection in
virtual time, whatever client it is given, and ``pip`` only writes down what it was to install.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

RECIPES = Path(__file__).resolve().parents[3] / "docs" / "recipes"
SELECTED = "login_that_succeeds or login_switches or visible_loss_interrupts_after_4_s"
PLAYED = 3
CLIENT = "node adapter.js"
LINE_S = 120.0  # a script plays six times; on a host that has nothing else to do it takes some 7 s

LINKPROOF = """#!/bin/sh
play() {{ exec {python} -c 'from harness.cli import main; main()' "$@"; }}
[ "$1" = certify ] || play "$@"
# The client's command has to come as one word.
[ "$2" = --client ] && [ "$3" = {client} ] || exit 99
shift 3
play certify --virtual -k {selected} $EXTRA "$@"
"""
PIP = """#!/bin/sh
[ "$#" = 2 ] && [ "$1" = install ] || exit 99
echo "$2" >> {log}
"""
# Tells of an interruption after 3 s, and is right in all else.
HASTY_CORE = """
from harness.reference.client_core import ClientCore
from harness.spec.timing import Timing

class HastyCore(ClientCore):
    def __init__(self, app_id, *, instance, jitter):
        super().__init__(app_id, instance=instance, jitter=jitter, timing=Timing(interruption_s=3.0))
"""


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(RECIPES / name)
    return loaded


@dataclass
class Machine:
    """Runs the lines of a recipe, with the stand-ins first on PATH."""

    folder: Path

    def __post_init__(self) -> None:
        words = {"python": sys.executable, "client": CLIENT, "selected": SELECTED, "log": str(self.folder / "pip.log")}
        quoted = {name: shlex.quote(value) for name, value in words.items()}
        (self.folder / "bin").mkdir()
        for name, text in (("linkproof", LINKPROOF), ("pip", PIP)):
            path = self.folder / "bin" / name
            path.write_text(text.format(**quoted), encoding="utf-8")
            path.chmod(0o755)

    def run(self, command: list[str], where: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        where.mkdir(parents=True, exist_ok=True)
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environment = {"EXTRA": "", **os.environ, "PATH": path, **variables}
        return subprocess.run(
            command, cwd=where, env=environment, capture_output=True, text=True, check=False, timeout=LINE_S
        )

    def passes(self, command: list[str], where: Path, variables: Mapping[str, str]) -> None:
        done = self.run(command, where, variables)
        assert done.returncode == 0, done.stdout + done.stderr

    def installed(self) -> set[str]:
        return set((self.folder / "pip.log").read_text(encoding="utf-8").splitlines())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def check_whole(folder: Path) -> None:
    """The run in it is whole: of five parts, with all that was selected."""
    info = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert [part["shard"] for part in info["parts"]] == [f"{number}/5" for number in range(1, 6)]
    assert sum(part["scenarios"] for part in info["parts"]) == len(info["selected"]) == PLAYED
    assert (folder / "SHA256SUMS").exists()


# ---------------------------------------------------------------------------------------------------- GitHub


class Workflow:
    """Carries out a job of GitHub's: its steps, one after the other, in a folder of the job's own."""

    def __init__(self, machine: Machine, recipe: dict[str, Any]) -> None:
        self.recipe = recipe
        self.machine = machine
        self.store = machine.folder / "artifacts"

    def carry_out(self, job: str, name: str, **known: str) -> Path:
        where = self.machine.folder / name
        details = self.recipe["jobs"][job]
        variables = {**self.recipe["env"], **details.get("env", {})}
        for step in details["steps"]:
            variables["GITHUB_STEP_SUMMARY"] = str(self.machine.folder / f"{name}.md")
            if "run" in step:
                words = {key: filled_in(value, known) for key, value in variables.items()}
                self.machine.passes(["bash", "-e", "-c", step["run"]], where, words)
            else:
                self.use(step["uses"].partition("@")[0], step.get("with", {}), where, known)
        return where

    def use(self, action: str, options: dict[str, str], where: Path, known: Mapping[str, str]) -> None:
        if action == "actions/upload-artifact":
            shutil.copytree(where / options["path"], self.store / filled_in(options["name"], known))
            # Files are stored, and folders as far as there is a file in them.
            drop_empty(self.store)
        elif action == "actions/download-artifact":
            for artifact in self.store.glob(options["pattern"]):
                shutil.copytree(artifact, where / options["path"] / artifact.name)
        else:
            assert action in ("actions/checkout", "actions/setup-python", "actions/cache")


def filled_in(text: str, known: Mapping[str, str]) -> str:
    """A text with its expressions; one that is not known here is an error."""
    return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: known[found[1]], text)


def drop_empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def test_the_recipe_for_github_plays_all_parts_and_joins_them(machine: Machine) -> None:
    recipe = load("github.yml")
    workflow = Workflow(machine, recipe)
    parts = recipe["jobs"]["part"]["strategy"]["matrix"]["part"]
    for part in map(str, parts):
        known = {"matrix.part": part, "strategy.job-total": str(len(parts))}
        where = workflow.carry_out("part", f"runner-{part}", **known)
        assert (where / "run" / "junit.xml").exists()
    workflow.carry_out("whole", "runner")
    check_whole(workflow.store / "whole")
    assert f"{PLAYED} PASS" in (machine.folder / "runner.md").read_text(encoding="utf-8")
    assert machine.installed() == {recipe["env"]["LINKPROOF"]}


# ---------------------------------------------------------------------------------------------------- GitLab


def test_the_recipe_for_gitlab_plays_all_parts_and_joins_them(machine: Machine) -> None:
    recipe = load("gitlab.yml")
    store = machine.folder / "artifacts"
    total = recipe["part"]["parallel"]
    for index in range(1, total + 1):
        where = machine.folder / f"runner-{index}"
        variables = {**recipe["variables"], "CI_NODE_INDEX": str(index), "CI_NODE_TOTAL": str(total)}
        machine.passes(gitlab_shell(recipe, "part"), where, variables)
        (junit,) = where.glob(recipe["part"]["artifacts"]["reports"]["junit"])
        assert junit.stat().st_size
        keep(where, recipe["part"], store)
    # A job begins with the artifacts of those that it needs.
    assert recipe["whole"]["needs"] == ["part"]
    where = shutil.copytree(store, machine.folder / "runner")
    machine.passes(gitlab_shell(recipe, "whole"), where, recipe["variables"])
    keep(where, recipe["whole"], store)
    check_whole(store / "whole")
    assert machine.installed() == {recipe["variables"]["LINKPROOF"]}


def gitlab_shell(recipe: dict[str, Any], job: str) -> list[str]:
    """The lines of a job, in one shell that ends with the first that fails."""
    lines = [*recipe["default"]["before_script"], *recipe[job]["script"]]
    return ["bash", "-eo", "pipefail", "-c", "\n".join(lines)]


def keep(where: Path, job: dict[str, Any], store: Path) -> None:
    for path in job["artifacts"]["paths"]:
        shutil.copytree(where / path, store / path, dirs_exist_ok=True)
    drop_empty(store)


# ---------------------------------------------------------------------------------------------------- Kubernetes


def pods(recipe: dict[str, Any], volume: Path) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The command of each pod of a job, and its variables, as the kubelet has them; the volume is a folder here."""
    (container,) = recipe["spec"]["template"]["spec"]["containers"]
    (mount,) = container["volumeMounts"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    for index in range(recipe["spec"].get("completions", 1)):
        known = {**variables, "JOB_COMPLETION_INDEX": str(index)}
        # It replaces $(NAME) where it knows the name, and leaves all else to the shell.
        words = [
            re.sub(r"\$\(([^)]*)\)", lambda found: variables.get(found[1], found[0]), word)
            for word in container["args"]
        ]
        yield [*container["command"], *(word.replace(mount["mountPath"], str(volume)) for word in words)], known


def test_the_recipe_for_kubernetes_plays_all_parts_and_joins_them(machine: Machine) -> None:
    volume = machine.folder / "runs"
    for name in ("kubernetes-parts.yml", "kubernetes-whole.yml"):
        for command, variables in pods(load(name), volume):
            machine.passes(command, machine.folder / "pod", variables)
    check_whole(volume / "1" / "whole")


# ---------------------------------------------------------------------------------------------------- a shell


def test_the_script_plays_all_parts_and_joins_them(machine: Machine) -> None:
    machine.passes(["sh", str(RECIPES / "shell.sh")], machine.folder, {"CLIENT": CLIENT, "RUNS": "runs/today"})
    check_whole(machine.folder / "runs" / "today" / "whole")


def test_a_part_that_fails_does_not_end_the_script_and_is_told_by_the_whole(machine: Machine) -> None:
    (machine.folder / "hasty.py").write_text(HASTY_CORE, encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(machine.folder), os.environ.get("PYTHONPATH")]))
    variables = {"CLIENT": CLIENT, "RUNS": "runs", "EXTRA": "--core hasty:HastyCore", "PYTHONPATH": path}
    done = machine.run(["sh", str(RECIPES / "shell.sh")], machine.folder, variables)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.findall(r"^part \d: exit code \d+$", done.stdout, re.MULTILINE) == ["part 1: exit code 1"]
    check_whole(machine.folder / "runs" / "whole")
