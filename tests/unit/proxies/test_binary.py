from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import HostError, UsageError
from proxies import binary
from proxies.pinned import check_answered_version, version_of

MakeBinary = Callable[[Path, str], Path]


def make_binary(path: Path, version: str) -> Path:
    """A file with build information like that of a binary made by Go; no text program, so it cannot be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x7fELF\0path\tx\nmod\tgithub.com/Shopify/toxiproxy/v2\t" + version.encode() + b"\th1:x\n\0")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def make_script(path: Path, says: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def _empty_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("LINKPROOF_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LINKPROOF_TOXIPROXY", raising=False)


def test_what_the_user_gives_comes_before_path_and_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = make_binary(tmp_path / "own", "v2.12.0")
    make_binary(tmp_path / "bin" / "toxiproxy-server", "v2.12.0")
    make_binary(binary.cached_binary(), "v2.12.0")
    assert binary.find(str(own)).path == own
    monkeypatch.setenv("LINKPROOF_TOXIPROXY", str(own))
    assert binary.find().origin == "given by the user"


def test_path_comes_before_the_cache(tmp_path: Path) -> None:
    on_path = make_binary(tmp_path / "bin" / "toxiproxy-server", "v2.12.0")
    cached = make_binary(binary.cached_binary(), "v2.12.0")
    assert binary.find(build=False).path == on_path
    on_path.unlink()
    found = binary.find(build=False)
    assert found.path == cached
    assert [step.outcome for step in found.tried] == ["not there", "used"]


def test_another_version_on_path_is_passed_over_and_told(tmp_path: Path) -> None:
    make_binary(tmp_path / "bin" / "toxiproxy-server", "v2.9.0")
    cached = make_binary(binary.cached_binary(), "v2.12.0")
    found = binary.find(build=False)
    assert found.path == cached
    assert "Toxiproxy v2.9.0, not v2.12.0" in found.tried[0].outcome


def test_another_version_from_the_user_is_an_error(tmp_path: Path) -> None:
    own = make_binary(tmp_path / "own", "v2.11.0")
    with pytest.raises(HostError, match=r"own is Toxiproxy v2\.11\.0, not v2\.12\.0"):
        binary.find(str(own))


@pytest.mark.parametrize("given", ["toxiproxy", "127.0.0.1", "127.0.0.1:port", "http:1:2"])
def test_what_is_neither_address_nor_path_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="neither the address nor the binary"):
        binary.find(given)


def test_a_path_to_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no executable file"):
        binary.find(str(tmp_path / "nothing"))


def test_nothing_found_is_one_error_with_everything_that_was_tried() -> None:
    with pytest.raises(HostError) as raised:
        binary.find(build=False)
    text = str(raised.value)
    assert "toxiproxy-server on PATH: not there" in text
    assert f"the cache ({binary.cached_binary()}): not there" in text
    assert "mend: go install github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0" in text


def test_a_release_binary_tells_its_version_when_asked(tmp_path: Path) -> None:
    assert version_of(make_script(tmp_path / "t", "toxiproxy-server version 2.12.0")) == "v2.12.0"


@pytest.mark.parametrize("says", ["hello", ""])
def test_a_program_that_is_no_toxiproxy_is_refused(tmp_path: Path, says: str) -> None:
    with pytest.raises(HostError, match="no Toxiproxy server"):
        version_of(make_script(tmp_path / "t", says))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch(mode=0o755)
    with pytest.raises(HostError):
        version_of(empty)


def test_a_running_server_may_be_built_from_source_but_not_be_another_release() -> None:
    check_answered_version("git", where="here")
    check_answered_version("2.12.0", where="here")
    with pytest.raises(HostError, match=r"v2\.9\.0"):
        check_answered_version("2.9.0", where="here")


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert binary.cached_binary() == tmp_path / "cache" / "toxiproxy-2.12.0" / "toxiproxy-server"
    monkeypatch.delenv("LINKPROOF_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert binary.cache_folder() == tmp_path / "xdg" / "linkproof"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert binary.cache_folder() == tmp_path / ".cache" / "linkproof"
