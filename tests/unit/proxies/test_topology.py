from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from harness.errors import ToxiproxyError, UsageError
from proxies.api import RefusedError
from proxies.topology import Topology

if TYPE_CHECKING:
    from tests.unit.proxies.conftest import Bench

CLIENTS = ("alice", "bob", "carol")


@pytest.fixture
def benches(new_bench: type[Bench]) -> dict[str, Bench]:
    made = {name: new_bench() for name in CLIENTS}
    for name, bench in made.items():
        bench.link.name = name
    return made


@pytest.fixture
def topology(benches: dict[str, Bench]) -> Topology:
    made = Topology()
    for name, bench in benches.items():
        made.add(bench.link, client=name, server="server")
    return made


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([{"alice", "server", "carol"}, {"bab"}], "there is no end 'bab'"),
        ([{"alice", "server", "carol"}, {"alice", "bob"}], "'alice' is in two groups"),
        ([{"alice", "server"}, {"bob"}], "'carol' is in no group"),
        ([{"alice", "bob", "carol", "server"}], "no link crosses"),
        (["bob", {"alice", "carol", "server"}], "is a string"),
    ],
)
def test_wrong_groups_are_named(topology: Topology, groups: list[set[str]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        topology.partition(groups)


def test_an_effect_that_parts_nothing_is_refused(topology: Topology) -> None:
    with pytest.raises(UsageError, match="'delay' does not part groups"):
        topology.partition([{"alice"}, {"bob", "carol", "server"}], effect="delay")


def test_links_have_names_of_their_own_and_two_ends(topology: Topology, bench: Bench) -> None:
    with pytest.raises(UsageError, match="two links 'alice'"):
        topology.add(bench.link, client="dora", server="server")
    bench.link.name = "loop"
    with pytest.raises(UsageError, match="with itself"):
        topology.add(bench.link, client="server", server="server")
    with pytest.raises(UsageError, match="no link 'dora'"):
        topology.link("dora")


def test_a_partition_holds_the_links_that_cross_and_no_others(topology: Topology, benches: dict[str, Bench]) -> None:
    async def scenario() -> None:
        async with topology.partition([{"alice", "server"}, {"bob", "carol"}], effect="cut") as parted:
            assert {name: bench.api.enabled for name, bench in benches.items()} == {
                "alice": True,
                "bob": False,
                "carol": False,
            }
            times = [fault.injected for fault in parted.faults]
            assert parted.injected.t0_ns == min(one.t0_ns for one in times)
            assert parted.injected.t1_ns == max(one.t1_ns for one in times)
            before = parted.healed
        assert before is None
        assert all(bench.api.enabled for bench in benches.values())
        assert parted.healed is not None
        with pytest.raises(UsageError, match="healed before"):
            await parted.heal()

    asyncio.run(scenario())


def test_a_partition_that_fails_on_one_link_is_taken_back_on_the_others(
    topology: Topology, benches: dict[str, Bench]
) -> None:
    async def scenario() -> None:
        benches["bob"].api.fail_next = RefusedError("PATCH /proxies/bob", 500, "broken")
        with pytest.raises(ToxiproxyError, match="broken"):
            await topology.partition([{"server"}, set(CLIENTS)], effect="cut")
        assert benches["alice"].api.enabled
        assert benches["carol"].api.enabled

    asyncio.run(scenario())
