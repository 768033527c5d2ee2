"""Again and again: second and third outages, and links that flap."""

from __future__ import annotations

import pytest

from harness.oracle.expect import callback, nothing, one_of, state
from harness.world.engine import TO_SERVER
from harness.world.losses import back, interrupted, lose
from harness.world.phrases import LOGGED_IN, logged_out
from harness.world.world import World

# The answers to the upgrade and to the login are 325 bytes together, and that to the first heartbeat is 23.
ENOUGH_FOR_A_LOGIN = 337


@pytest.mark.scenario("OPEN-3", "RECONNECTING-1", phase="way back", lasts_s=22)
@pytest.mark.parametrize("kind", ["cut", "blackhole"])
async def test_the_third_outage_is_like_the_first(world: World, kind: str) -> None:
    """Three outages of 5 s: each has its own 4 s, and each ends as quickly as the first."""
    alice = await world.online("alice")
    losses = []
    for _ in range(3):
        loss = await lose(alice, kind)
        await world.until(5.0, after=loss.injected)  # 4.0 s: interrupted
        await loss.heal()
        await alice.sees(state("RECONNECTING", "INTERRUPTED", "OPEN-3"))
        await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-1"))
        await world.sleep(1.0)
        losses.append(loss)
    first, second, third = losses
    alice.saw(
        *LOGGED_IN,
        interrupted(kind, first, "OPEN-3"),
        back(first, "RECONNECTING-1"),
        interrupted(kind, second, "OPEN-3"),
        back(second, "RECONNECTING-1"),
        interrupted(kind, third, "OPEN-3"),
        back(third, "RECONNECTING-1"),
        nothing("OPEN-3"),
    )


@pytest.mark.scenario("OPEN-3", "RECONNECTING-2", "RECONNECTING-4", phase="way back", lasts_s=45)
async def test_a_second_outage_gets_a_fresh_30_s(world: World) -> None:
    """Gone for 20 s, back, gone for another 20 s: nobody sees it leave, for neither was 30 s long."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    first = await alice.link.cut()
    await world.until(20.0, after=first.injected)
    await first.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-3"))
    second = await alice.link.cut()
    await world.until(20.0, after=second.injected)
    await second.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-3"))
    alice.saw(
        *LOGGED_IN,
        callback("onJoinSuccess", channel="lobby"),
        interrupted("cut", first, "OPEN-3"),
        back(first),
        interrupted("cut", second, "OPEN-3"),
        back(second),
    )
    bob.saw(
        *LOGGED_IN,
        callback("onJoinSuccess", channel="lobby"),
        callback("onMemberJoined", channel="lobby", member="alice"),
        nothing("OPEN-3", "RECONNECTING-2", "RECONNECTING-4"),
    )


@pytest.mark.scenario("OPEN-3", "CONNECTED-4", phase="grace", lasts_s=51)
async def test_twenty_flaps_switch_nothing(world: World) -> None:
    """Down for 1.2 s, up for 1.2 s, twenty times: no outage is 4 s long, and no two add up."""
    alice = await world.online("alice")
    alice.must_retry_within(1.0)  # each time up is to be long enough for the attempt that uses it
    flap = await alice.link.flap(period_s=2.4, count=20)
    await flap.finished()
    alice.saw(*LOGGED_IN, nothing("OPEN-3", "CONNECTED-4"))


@pytest.mark.scenario("OPEN-3", "CONNECTED-4", phase="grace", lasts_s=24)
async def test_long_flaps_under_4_s_switch_nothing(world: World) -> None:
    """Two seconds down, two seconds up, five times."""
    alice = await world.online("alice")
    flap = await alice.link.flap(period_s=4.0, count=5)
    await flap.finished()
    alice.saw(*LOGGED_IN, nothing("OPEN-3", "CONNECTED-4"))


@pytest.mark.scenario("GENERAL-3", "CONNECTED-6", "DISCONNECTED-2", phase="logout", lasts_s=12)
async def test_five_lives_one_after_the_other(world: World) -> None:
    """Login and logout, five times: each login has its one result, each logout too."""
    alice = await world.person("alice")
    for _ in range(5):
        await alice.login()
        await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "GENERAL-3"))
        await alice.logout()
        await alice.sees(state("DISCONNECTED", "LOGOUT", "CONNECTED-6"))
        await world.sleep(0.6)  # no more than two logins in a second
    life = (*LOGGED_IN, logged_out("CONNECTED-6"))
    alice.saw(*life, *life, *life, *life, *life, nothing("GENERAL-3"))


@pytest.mark.scenario("OPEN-28", "RECONNECTING-1", phase="way back", lasts_s=17)
async def test_a_link_that_closes_after_each_login_makes_no_storm(world: World) -> None:
    """Every connection is closed as soon as it is logged in: tried again and again, but not at once."""
    alice = await world.online("alice")
    broken = await alice.link.truncate(after_bytes=ENOUGH_FOR_A_LOGIN)
    cut = await alice.link.cut()
    await cut.heal()  # from now on each login is answered, and the next frame breaks the connection
    await world.until(10.0, after=broken.injected)
    await broken.heal()
    await world.until(4.0, after=broken.healed)
    alice.saw(
        *LOGGED_IN,
        one_of(
            "OPEN-28",
            never_away_for_4_s=(),
            away_in_between=(state("RECONNECTING", "INTERRUPTED"), state("CONNECTED", "LOGIN_SUCCESS")),
        ),
        nothing("RECONNECTING-1"),
    )


@pytest.mark.scenario("RECONNECTING-1", "RECONNECTING-10", phase="way back", lasts_s=13)
@pytest.mark.parametrize("kind", ["cut", "silence_to_client", "freeze_to_client", "truncate"])
async def test_a_second_loss_on_the_way_back(world: World, kind: str) -> None:
    """The link comes back slow, and is lost again before the client is back: RECONNECTING until it is at last."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    slow = await alice.link.delay(0.8, TO_SERVER)
    await world.until(5.0, after=cut.injected)  # 4.0 s: interrupted
    await cut.heal()
    await world.until(0.5, after=cut.healed)  # an attempt may be on its way, but no answer to it
    again = await lose(alice, kind)
    await world.until(2.0, after=again.injected)
    await slow.heal()
    await again.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-1"))
    alice.saw(
        *LOGGED_IN,
        interrupted("cut", cut, "RECONNECTING-10"),
        back(again, "RECONNECTING-1"),
        nothing("RECONNECTING-10"),
    )
