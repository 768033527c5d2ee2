from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.skeletons import write
from harness.skeletons.write import LANGUAGES, write_skeleton

FOLDER = Path(write.__file__).parent
SOURCES = {".py", ".ts", ".go", ".cpp"}


def test_there_is_a_folder_for_each_language_and_no_other() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_of_a_skeleton_is_written(language: str, tmp_path: Path) -> None:
    skeleton = write_skeleton(language, tmp_path / "a" / "b")
    names = {path.name for path in (FOLDER / language).iterdir() if path.is_file()}
    assert {path.name for path in skeleton.files} == names
    for path in skeleton.files:
        assert path.read_bytes() == (FOLDER / language / path.name).read_bytes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_skeleton_can_be_read_at_one_glance(language: str) -> None:
    (source,) = [path for path in (FOLDER / language).iterdir() if path.suffix in SOURCES]
    assert len(source.read_text(encoding="utf-8").splitlines()) <= 60


def test_an_empty_folder_will_do_and_one_with_something_in_it_will_not(tmp_path: Path) -> None:
    write_skeleton("go", tmp_path)
    with pytest.raises(UsageError, match="is there already"):
        write_skeleton("python", tmp_path)
    assert not (tmp_path / "adapter.py").exists()


def test_a_file_in_the_place_of_the_folder_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("kept", encoding="utf-8")
    for folder in (path, path / "below"):
        with pytest.raises(UsageError):
            write_skeleton("cpp", folder)
    assert path.read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize(
    ("folder", "build", "check"),
    [
        ("mine", "go build -C ./mine -o adapter .", "linkproof adapter check ./mine/adapter"),
        ("a/b", "go build -C a/b -o adapter .", "linkproof adapter check a/b/adapter"),
    ],
)
def test_the_next_commands_are_told(
    folder: str, build: str, check: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_skeleton("go", Path(folder)).next_commands == [build, check]


def test_a_name_with_a_space_is_one_word_for_the_shell_and_for_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    build, check = map(shlex.split, write_skeleton("go", Path("my adapter")).next_commands)
    assert build[3] == "./my adapter"
    assert shlex.split(check[-1]) == ["./my adapter/adapter"]
