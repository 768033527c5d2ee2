"""Plays a schedule in a world, step by step over the words that any scenario has."""

from __future__ import annotations

from harness.explore.schedule import (
    BAD_TOKEN,
    FAULTS,
    SHORT_TOKEN_S,
    Ban,
    Call,
    Crash,
    Heal,
    Join,
    Leave,
    Login,
    Logout,
    Lose,
    Mend,
    Part,
    RenewToken,
    Schedule,
    Send,
    Serve,
    SetAttributes,
    Step,
    TokenKind,
    Wait,
)
from harness.explore.situation import closing
from harness.spec.timing import Timing
from harness.world.engine import Fault, Server
from harness.world.world import Person, World

# A client that is away when all is healed has its retry_s to try again, and then a login's time to be back.
LOGIN_S = Timing().login_s


def lasts_s(schedule: Schedule, *, retry_s: float = 1.0) -> float:
    """Return about how long a schedule takes with clients that try again within ``retry_s``: its waits, and the end."""
    return schedule.waits_s + retry_s + LOGIN_S + 2.0


async def play(world: World, schedule: Schedule) -> None:
    """Perform a schedule, put everything right again, and give every client the time that it may need to be back."""
    await _Playing(world, schedule).run()


class _Playing:
    """One schedule while it is played."""

    def __init__(self, world: World, schedule: Schedule) -> None:
        self._world = world
        self._schedule = schedule
        self._server: Server | None = None
        self._people: dict[str, Person] = {}
        self._faults: dict[tuple[str, str], Fault] = {}
        self._partition: Fault | None = None
        self._crashed: set[str] = set()

    async def run(self) -> None:
        world, schedule = self._world, self._schedule
        world.rules_alone()
        if schedule.owns_server:
            self._server = await world.own_server()
        for each in schedule.people:
            resettable = schedule.needs_resettable(each.name)
            self._people[each.name] = await world.person(each.name, uid=each.uid, resettable=resettable)
        for step in (*schedule.steps, *closing(schedule)):
            await self._do(step)
        there = [person for name, person in self._people.items() if name not in self._crashed]
        await world.sleep(max((person.retry_s for person in there), default=0.0) + LOGIN_S)
        for person in there:
            for channel in schedule.channels:
                await person.get_members(channel)

    async def _do(self, step: Step) -> None:
        match step:
            case Wait(seconds):
                await self._world.sleep(seconds)
            case Lose(who, fault):
                kind = FAULTS[fault]
                self._faults[who, fault] = await getattr(self._people[who].link, kind.word)(**kind.args)
            case Heal(who, fault):
                await self._faults.pop((who, fault)).heal()
            case Part(cut_off):
                theirs = [person for name, person in self._people.items() if name in cut_off]
                others = [person for name, person in self._people.items() if name not in cut_off]
                self._partition = await self._world.partition(others, theirs)
            case Mend():
                assert self._partition is not None
                await self._partition.heal()
            case Crash(who):
                self._crashed.add(who)
                await self._world.crash(self._people[who])
            case Ban(uid):
                await self._world.ban(uid)
            case Serve(deed):
                await getattr(self._server, deed)()
            case _:
                await _call(self._people[step.who], step)


async def _call(person: Person, call: Call) -> None:
    match call:
        case Login(_, token):
            await person.login(_given(token), expires_in_s=_lives_s(token))
        case RenewToken(_, token):
            await person.renew_token(_given(token), expires_in_s=_lives_s(token))
        case Logout():
            await person.logout()
        case Join(_, channel):
            await person.join(channel)
        case Leave(_, channel):
            await person.leave(channel)
        case Send(_, channel):
            await person.send("hello", channel=channel)
        case SetAttributes(_, mood):
            await person.set_attributes(mood=mood)


def _given(token: TokenKind) -> str | None:
    return BAD_TOKEN if token == "bad" else None


def _lives_s(token: TokenKind) -> float | None:
    return SHORT_TOKEN_S if token == "short" else None
