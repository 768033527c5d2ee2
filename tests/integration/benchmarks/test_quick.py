"""The benchmarks work: each part finds its figures, and they are kept. What they say is for 'make bench' to say."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.__main__ import DEFAULT, EXIT_FAILED, EXIT_OK
from tests.benchmarks.figures import Part, Results

ROOT = Path(__file__).resolve().parents[3]


def bench(into: Path, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "tests.benchmarks", "--into", str(into), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    return done.returncode, done.stdout + done.stderr


def kept_in(into: Path) -> dict[str, Part]:
    return msgspec.json.decode((into / "results.json").read_bytes(), type=Results).parts


def test_each_part_finds_its_figures_and_one_alone_leaves_the_others(tmp_path: Path) -> None:
    code, told = bench(tmp_path, "--quick")
    assert code == EXIT_OK, told
    first = kept_in(tmp_path)
    assert list(first) == list(DEFAULT)
    assert [name for name, part in first.items() if part.failure or not part.figures] == []
    assert [figure.name for part in first.values() for figure in part.figures if figure.name not in told] == []
    assert (tmp_path / "results.svg").read_text(encoding="utf-8").startswith("<svg")

    assert bench(tmp_path, "--quick", "--only", "faults")[0] == EXIT_OK
    second = kept_in(tmp_path)
    assert list(second) == list(DEFAULT)
    assert [name for name in DEFAULT if first[name] != second[name]] == ["faults"]


def test_a_part_that_cannot_be_measured_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINKPROOF_TOXIPROXY", str(tmp_path / "nothing"))
    code, told = bench(tmp_path, "--quick", "--only", "faults")
    assert code == EXIT_FAILED
    assert "it could not be measured: the process ended with" in told


def children(pid: int) -> list[int]:
    """Those that are well under way: the first instants of one belong to whoever starts it."""
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(each) for each in told if _ran_s(int(each)) > 0.1]


def _ran_s(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def test_who_ends_it_ends_the_part_that_is_being_measured(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "--into", str(tmp_path), "--only", "judge"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as bench_process:
        while not (parts := children(bench_process.pid)):
            assert bench_process.poll() is None
        bench_process.terminate()
        assert bench_process.wait(timeout=30) == 128 + signal.SIGTERM
    assert [part for part in parts if Path(f"/proc/{part}").exists()] == []
