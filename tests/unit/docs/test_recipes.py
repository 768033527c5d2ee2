"""The recipes for CI, held against the schemas of their engines, and against the page that shows them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.unit.docs.pages import ROOT, page

RECIPES = ROOT / "docs" / "recipes"
GITHUB = ("check_jsonschema", "--builtin-schema", "vendor.github-workflows")
GITLAB = ("check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
KUBERNETES = ("kubernetes_validate", "--strict")
CHECKED_BY = {
    "github.yml": GITHUB,
    "gitlab.yml": GITLAB,
    "kubernetes-parts.yml": KUBERNETES,
    "kubernetes-whole.yml": KUBERNETES,
}
# A word of each recipe, misspelt.
MISSPELT = [
    ("github.yml", "runs-on:", "run-on:"),
    ("github.yml", "fail-fast:", "failfast:"),
    ("gitlab.yml", "parallel: 5", "parallel: five"),
    ("gitlab.yml", "needs: [part]", "needs: {part: true}"),
    ("kubernetes-parts.yml", "completionMode:", "completionmode:"),
    ("kubernetes-whole.yml", "restartPolicy: Never", "restartPolicy: [Never]"),
]


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(RECIPES / name)
    return loaded


def checked(command: tuple[str, ...], path: Path) -> subprocess.CompletedProcess[str]:
    """What a checker says of a file. Its schemas came with it: it fetches nothing."""
    words = [sys.executable, "-m", *command, str(path)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


def test_each_recipe_is_held_against_a_schema_or_is_a_script() -> None:
    assert {path.name for path in RECIPES.iterdir()} == {*CHECKED_BY, "shell.sh"}


@pytest.mark.parametrize("name", CHECKED_BY)
def test_a_recipe_is_what_its_engine_takes(name: str) -> None:
    result = checked(CHECKED_BY[name], RECIPES / name)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("name", "right", "wrong"), MISSPELT, ids=lambda value: value.partition(":")[0])
def test_a_recipe_that_is_misspelt_is_found(tmp_path: Path, name: str, right: str, wrong: str) -> None:
    text = (RECIPES / name).read_text(encoding="utf-8")
    assert right in text
    path = tmp_path / name
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    assert checked(CHECKED_BY[name], path).returncode != 0


def test_the_matrix_counts_from_one() -> None:
    parts = load("github.yml")["jobs"]["part"]["strategy"]["matrix"]["part"]
    assert parts == list(range(1, len(parts) + 1))


def test_there_are_as_many_pods_as_parts_and_no_pod_is_tried_again() -> None:
    spec = load("kubernetes-parts.yml")["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    parts = {each["name"]: each["value"] for each in container["env"]}["PARTS"]
    assert (str(spec["completions"]), str(spec["parallelism"])) == (parts, parts)
    assert (spec["backoffLimitPerIndex"], spec["template"]["spec"]["restartPolicy"]) == (0, "Never")


def test_the_pods_and_what_joins_them_use_the_same_image_run_and_volume() -> None:
    used = []
    for name in ("kubernetes-parts.yml", "kubernetes-whole.yml"):
        pod = load(name)["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        (run,) = [each["value"] for each in container["env"] if each["name"] == "RUN"]
        used.append((container["image"], run, container["volumeMounts"], pod["volumes"]))
    assert used[0] == used[1]


def test_the_page_shows_lines_of_the_recipes_and_links_each_of_them() -> None:
    ci = page("docs/ci.md")
    assert {link.removeprefix("recipes/") for link in ci.links if link.startswith("recipes/")} == {
        path.name for path in RECIPES.iterdir()
    }
    recipes = "\n".join(path.read_text(encoding="utf-8") for path in RECIPES.iterdir())
    lines = {line.strip() for line in recipes.splitlines()}
    shown = [line.strip() for each in ci.blocks if each.language == "yaml" for line in each.text.splitlines()]
    assert shown
    assert [line for line in shown if line not in lines] == []
