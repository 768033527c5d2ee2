"""Given tables as the kernel writes them: which of their rows count, and how long they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proxies import dead_connections
from proxies.dead_connections import await_dead_connections
from proxies.recipes import freeze, silence
from proxies.toxics import BOTH, Direction, ToxicSpec
from tests.unit.proxies.conftest import Bench

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
PORT = 40_000  # 9C40
ESTABLISHED, CLOSE_WAIT, LISTEN = "01", "08", "0A"


def row(local: str, remote: str, state: str) -> str:
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000     0        0 4711 1 0"


def table(*rows: str) -> str:
    return "\n".join([HEAD, *rows]) + "\n"


def dead(*remote_ports: int) -> str:
    return table(*(row("0100007F:9C40", f"0100007F:{port:04X}", CLOSE_WAIT) for port in remote_ports))


class Kernel:
    """A table that changes from one look to the next; the last one stays."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts
        self.looks = 0

    def read_text(self) -> str:
        self.looks += 1
        return next(self._texts)


ShowTables = Callable[[Iterator[str]], Kernel]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> ShowTables:
    """Has the kernel show these tables, one for each look."""

    def put(texts: Iterator[str]) -> Kernel:
        kernel = Kernel(texts)
        monkeypatch.setattr(dead_connections, "_TABLE", kernel)
        return kernel

    return put


def of_table(path: Path, text: str) -> frozenset[str]:
    path.write_text(text)
    return dead_connections._half_closed(path, f":{PORT:04X}")


def test_only_the_half_closed_connections_of_the_port_count(tmp_path: Path) -> None:
    text = table(
        row("0100007F:9C40", "00000000:0000", LISTEN),
        row("0100007F:9C40", "0100007F:C001", CLOSE_WAIT),
        row("0100007F:9C40", "0100007F:C002", ESTABLISHED),
        row("0100007F:C003", "0100007F:9C40", CLOSE_WAIT),  # the other end of such a connection
        row("0100007F:9C41", "0100007F:C004", CLOSE_WAIT),
        row("0100007F:9C40", "0100007F:C005", CLOSE_WAIT),
    )
    assert of_table(tmp_path / "tcp", text) == {"0100007F:C001", "0100007F:C005"}


@pytest.mark.parametrize("text", ["", table()], ids=["empty", "only its head"])
def test_of_a_table_without_rows_nothing_counts(tmp_path: Path, text: str) -> None:
    assert of_table(tmp_path / "tcp", text) == frozenset()


@pytest.mark.parametrize(
    ("texts", "looks"),
    [
        ([table()] * 2, 2),
        ([dead(1, 2)] * 2, 2),  # dead already, and Toxiproxy knows: nothing is being waited for
        ([dead(), dead(1), dead(1)], 3),
        ([dead(1, 2, 3), dead(2, 3), dead(3), dead(), dead()], 5),
        ([dead(1), dead(2), dead(2)], 3),  # as many, and not the same
    ],
)
def test_it_looks_until_two_looks_agree(show: ShowTables, texts: list[str], looks: int) -> None:
    kernel = show(iter(texts))
    await_dead_connections(f"127.0.0.1:{PORT}")
    assert kernel.looks == looks == len(texts)


def test_a_link_on_which_something_always_changes_is_not_looked_at_for_ever(show: ShowTables) -> None:
    kernel = show(dead(number) for number in range(1, 1000))
    await_dead_connections(f"127.0.0.1:{PORT}")
    assert kernel.looks == dead_connections._LOOKS_MAX


def test_those_of_a_listener_on_ipv6_are_in_a_table_of_their_own(
    show: ShowTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = show(iter([]))
    kernel = Kernel(iter([dead(1), dead(1)]))
    monkeypatch.setattr(dead_connections, "_TABLE_OF_IPV6", kernel)
    await_dead_connections(f"[::1]:{PORT}")
    assert (kernel.looks, other.looks) == (2, 0)


class Told:
    """A proxy that puts down what it is told, in one line with the looks."""

    def __init__(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log: list[str] = []
        self.proxy = bench.proxy
        monkeypatch.setattr("proxies.recipes.await_dead_connections", lambda listen: self.log.append(f"look {listen}"))
        monkeypatch.setattr(self.proxy, "switch", self._switch)

    def _switch(self, toxic: ToxicSpec, *, on: bool) -> None:
        self.log.append(f"{toxic.name} {'on' if on else 'off'}")


def test_a_thaw_looks_after_it_has_let_go_of_the_bytes_and_before_it_lets_go_of_the_close(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(bench, monkeypatch)
    freeze(BOTH).heal(told.proxy)
    assert told.log == [
        "hold_to_client off",
        "hold_to_server off",
        "look 127.0.0.1:1",
        "hold_close_to_client off",
        "hold_close_to_server off",
    ]


def test_what_holds_nothing_back_beforehand_needs_no_look(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(bench, monkeypatch)
    silence(Direction.TO_CLIENT).heal(told.proxy)
    assert told.log == ["drop_to_client off"]
