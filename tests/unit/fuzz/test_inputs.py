"""What is kept is repeated on every run: all that the fuzzers found the code by, and all that it once crashed with."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.reference.client_token_core import Token
from tests.fuzz.targets import FOLDER, TARGETS, Target

KEPT = [pytest.param(target, id=name) for name, target in TARGETS.items()]
CRASHES = [
    pytest.param(target, path, id=f"{name}: {path.name}")
    for name, target in TARGETS.items()
    for path in target.kept()
    if path.parent == target.crashes
]
CORPUS_FILES_MAX = 150
CORPUS_BYTES_MAX = 4096


@pytest.mark.parametrize("target", KEPT)
def test_each_kept_input_comes_out_without_a_crash(target: Target) -> None:
    run = target.load()
    outcomes = {run(path.read_bytes()) for path in target.corpus.iterdir()}
    assert len(outcomes) > 3, "the corpus leads nowhere: has the meaning of its bytes changed?"


@pytest.mark.parametrize(("target", "path"), CRASHES)
def test_what_crashed_once_does_so_no_more(target: Target, path: Path) -> None:
    assert isinstance(target.load()(path.read_bytes()), str)


@pytest.mark.parametrize("target", KEPT)
def test_a_corpus_stays_small(target: Target) -> None:
    sizes = [path.stat().st_size for path in target.kept()]
    assert max(sizes) <= CORPUS_BYTES_MAX
    assert len(sizes) <= CORPUS_FILES_MAX


def test_each_folder_of_inputs_belongs_to_a_target() -> None:
    folders = {path.name for kind in ("corpus", "crashes") for path in (FOLDER / kind).iterdir()}
    assert folders <= set(TARGETS)
    assert {path.name for path in (FOLDER / "corpus").iterdir()} == set(TARGETS)


def test_a_client_that_takes_any_lifetime_is_found_by_what_it_crashed_with(monkeypatch: pytest.MonkeyPatch) -> None:
    target = TARGETS["client_core"]
    (crash,) = (path for path in target.crashes.iterdir() if path.name == "a-lifetime-of-1e308-s")

    def accepted(token: Token, now: int, value: str, expires_in_s: float | None) -> None:
        raise OverflowError(token, now, value, expires_in_s)

    assert target.load()(crash.read_bytes()) == "CONNECTING"
    monkeypatch.setattr(Token, "accepted", accepted)
    met = 0
    for path in target.corpus.iterdir():
        try:
            target.load()(path.read_bytes())
        except OverflowError:
            met += 1
    assert met, "no kept input logs in"
