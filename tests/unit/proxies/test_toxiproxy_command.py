from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.toxiproxy import toxiproxy
from harness.errors import HostError
from proxies import binary


@pytest.fixture
def cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("LINKPROOF_CACHE", str(tmp_path))
    monkeypatch.delenv("LINKPROOF_TOXIPROXY", raising=False)
    path = binary.cached_binary()
    path.parent.mkdir()
    path.write_bytes(b"mod\tgithub.com/Shopify/toxiproxy/v2\tv2.12.0\t")
    path.chmod(0o755)
    return path


def test_path_prints_the_path_and_nothing_else(cached: Path) -> None:
    result = CliRunner().invoke(toxiproxy, ["path"], catch_exceptions=False)
    assert result.stdout == f"{cached}\n"


def test_which_tells_path_version_origin_and_what_was_tried(cached: Path) -> None:
    result = CliRunner().invoke(toxiproxy, ["which"], catch_exceptions=False)
    for part in (str(cached), "v2.12.0", "found in the cache", "toxiproxy-server on PATH: not there"):
        assert part in result.stdout


def test_install_uses_what_is_there(cached: Path) -> None:
    result = CliRunner().invoke(toxiproxy, ["install"], catch_exceptions=False)
    assert result.stdout == f"Toxiproxy v2.12.0, found in the cache: {cached}\n"


@pytest.mark.parametrize("command", ["path", "which"])
def test_nothing_is_built_to_answer_a_question(cached: Path, command: str) -> None:
    cached.unlink()
    with pytest.raises(HostError, match="What was tried"):
        CliRunner().invoke(toxiproxy, [command], catch_exceptions=False)


@pytest.mark.parametrize("command", [[], ["install"], ["path"], ["which"]])
def test_help_has_examples(command: list[str]) -> None:
    result = CliRunner().invoke(toxiproxy, [*command, "--help"])
    assert "linkproof toxiproxy" in result.output
