from __future__ import annotations

import re
from itertools import chain, combinations

import pytest

from proxies.netns import rules
from proxies.netns.namespaces import Namespace
from proxies.netns.rules import Treatment, set_up, stopped

NOWHERE = Namespace(-1)  # nobody may enter it
RULE = re.compile(r"iifgroup \{ ([\d, ]+) \} (.*?) ?update @stopped \{ iifname counter \} ([a-z ]+)")
WHAT = {
    Treatment.UNANSWERED: ("tcp flags & (syn | ack) == syn", "drop"),
    Treatment.REFUSED: ("", "reject with tcp reset"),
    Treatment.UNENDING: ("tcp flags & (fin | rst) != 0x0", "drop"),
    Treatment.LOST: ("", "drop"),
}
ALL = [
    Treatment(sum(each.value for each in chosen))
    for chosen in chain.from_iterable(combinations(Treatment, count) for count in range(len(Treatment) + 1))
]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str]]:
    """What the kernel would have been told."""
    calls: list[tuple[list[str], str]] = []

    def tell(_: Namespace, words: list[str], script: str = "") -> str:
        calls.append((words, script))
        return LISTED

    monkeypatch.setattr(rules, "tell", tell)
    return calls


LISTED = """{"nftables": [{"metainfo": {"version": "1"}}, {"set": {"name": "stopped", "elem": [
    {"elem": {"val": "eth0", "counter": {"packets": 3, "bytes": 180}}},
    {"elem": {"val": "wire7", "counter": {"packets": 1, "bytes": 60}}}]}}]}"""


@pytest.mark.parametrize("treatment", ALL, ids=[str(each.value) for each in ALL])
def test_the_rules_do_to_each_group_what_its_bits_say_and_no_more(
    told: list[tuple[list[str], str]], treatment: Treatment
) -> None:
    set_up(NOWHERE)
    ((words, script),) = told
    assert words == ["nft", "-f", "-"]
    applied = [
        (matched, verdict) for groups, matched, verdict in RULE.findall(script) if treatment.value in numbers(groups)
    ]
    assert applied == [WHAT[each] for each in WHAT if each in treatment]


def test_what_is_no_tcp_passes_before_any_rule(told: list[tuple[list[str], str]]) -> None:
    set_up(NOWHERE)
    ((_, script),) = told
    assert script.index("meta l4proto != tcp accept") < script.index("iifgroup")
    assert script.count("iifgroup") == len(WHAT)
    assert "table inet linkproof" in script


def test_a_connect_that_is_to_hang_is_dropped_before_it_is_refused(told: list[tuple[list[str], str]]) -> None:
    set_up(NOWHERE)
    ((_, script),) = told
    assert [verdict for *_, verdict in RULE.findall(script)] == ["drop", "reject with tcp reset", "drop", "drop"]


def test_what_was_stopped_is_told_for_each_interface(told: list[tuple[list[str], str]]) -> None:
    assert stopped(NOWHERE) == {"eth0": 3, "wire7": 1}
    assert told == [(["nft", "-j", "list", "set", "inet", "linkproof", "stopped"], "")]


def test_nothing_was_stopped_where_the_kernel_lists_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "tell", lambda *_: '{"nftables": [{"set": {"name": "stopped"}}]}')
    assert stopped(NOWHERE) == {}


def numbers(groups: str) -> set[int]:
    return {int(each) for each in groups.split(",")}
