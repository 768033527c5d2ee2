"""What a real engine counts of a person: connections in the kernel, logins at the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pytest

from harness.errors import LinkproofError
from harness.oracle.expect import state
from harness.trace import What
from harness.world import sockets
from harness.world.lab import Lab
from harness.world.real import RealEngine
from harness.world.world import Person, Title, World

if TYPE_CHECKING:
    from tests.integration.world.conftest import RunInLab


def ignored(error: LinkproofError) -> None:
    raise AssertionError(f"nothing fails here: {error}")


class Stage:
    """An engine and its world."""

    def __init__(self, lab: Lab) -> None:
        self.engine = RealEngine(lab, "test_count", 0)
        self.world = World(self.engine, Title("test_count", ("OPEN-2",)), ignored)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.engine.close()

    async def counts(self, person: Person) -> dict[str, int]:
        sockets._tables = sockets._Tables()  # what there is now, and not what there was a moment ago
        return dict(await self.engine.count(person.name, person.uid))


def test_one_connection_while_connected_and_none_before_and_after(run_in_lab: RunInLab) -> None:
    async def test(lab: Lab) -> None:
        async with Stage(lab) as stage:
            alice = await stage.world.person("alice")
            assert await stage.counts(alice) == {"connections": 0, "logins": 0}
            await alice.login()
            await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
            assert await stage.counts(alice) == {"connections": 1, "logins": 1}
            bob = await stage.world.online("bob")
            assert await stage.counts(alice) == await stage.counts(bob) == {"connections": 1, "logins": 1}
            await alice.logout()
            await alice.sees(state("DISCONNECTED", "LOGOUT"))
            await stage.world.settle()
            counted = {each.source: each.args for each in stage.world.trace if each.what is What.COUNTED}
            assert counted == {"alice": {"connections": 0, "logins": 1}, "bob": {"connections": 1, "logins": 1}}

    run_in_lab(test)


def test_of_a_client_that_crashed_only_its_logins_are_known(run_in_lab: RunInLab) -> None:
    async def test(lab: Lab) -> None:
        async with Stage(lab) as stage:
            alice = await stage.world.online("alice")
            await stage.world.crash(alice)
            assert await stage.counts(alice) == {"logins": 1}

    run_in_lab(test)


@pytest.mark.parametrize("deed", ["kill", "stop", "suspend"])
def test_under_a_server_that_does_not_answer_only_the_connections_are_known(run_in_lab: RunInLab, deed: str) -> None:
    async def test(lab: Lab) -> None:
        async with Stage(lab) as stage:
            server = await stage.world.own_server()
            alice = await stage.world.online("alice")
            assert (await stage.counts(alice)).keys() == {"connections", "logins"}
            await getattr(server, deed)()
            assert (await stage.counts(alice)).keys() == {"connections"}

    run_in_lab(test)


def test_a_server_in_its_second_life_counts_from_the_beginning(run_in_lab: RunInLab) -> None:
    async def test(lab: Lab) -> None:
        async with Stage(lab) as stage:
            server = await stage.world.own_server()
            alice = await stage.world.online("alice")
            await alice.logout()
            await alice.sees(state("DISCONNECTED", "LOGOUT"))
            await server.kill()
            await server.start()
            assert (await stage.counts(alice))["logins"] == 0

    run_in_lab(test)
