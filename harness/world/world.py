"""The vocabulary of a scenario: a world with people in it, each with a client, a link, and what they saw."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from harness.adapter.contract import CALLS, UNSUPPORTED
from harness.errors import AdapterError
from harness.oracle.expect import Node, Span, Step, callback, state, to_data
from harness.oracle.explain import at_of
from harness.oracle.matching import fits
from harness.spec.phases import IDLE
from harness.spec.profiles import RTM_1_0, Profile
from harness.spec.states import named
from harness.spec.timing import NS_PER_S, ns
from harness.trace import Observation, What
from harness.world.engine import Client, Engine, Fault, Link, Moment, OnFailure, Server

# A login has 6 s (CONNECTING-5) and must have ended by then in one way or the other; nothing that a scenario waits for
# without saying how long takes longer, and the extra second is for a loaded host.
PATIENCE_S = 7.0
# After the scenario's last word nothing more may come: twice the default heartbeat, so that a client has had every
# occasion to say something that it should not.
QUIET_S = 1.0


@dataclass(frozen=True, slots=True)
class Title:
    """What a scenario is: its name, the clauses of its profile that it sets out to prove, and the phase it is about.

    ``attempt`` is 2 where it is played again, on its own, because the first time could not tell; ``repetition`` says
    which one this is where each scenario is played several times (0: it is not).
    """

    name: str
    clauses: tuple[str, ...]
    phase: str = IDLE
    attempt: int = 1
    profile: Profile = RTM_1_0
    repetition: int = 0


class UnseenError(Exception):
    """Something that the scenario waited for did not come. It is in the trace, for the judge to say what it means."""


class LateError(Exception):
    """What came before took too long on this host: the next steps would not be where the scenario says."""


class LackingError(Exception):
    """The implementation declares that it cannot do what the scenario asks for."""


@dataclass(frozen=True, slots=True)
class Called(Moment):
    """A call that was made, when, and what was answered."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a scenario is waiting for, and until when at the latest (0: not known)."""

    what: str
    until_ns: int = 0

    def left(self, now_ns: int) -> str:
        """Say how much of the time is left."""
        left_s = (self.until_ns - now_ns) / NS_PER_S
        return f"{left_s:.0f} s" if left_s > 0 else ""


class Person:
    """Somebody with a client under test and a link of their own to the server."""

    def __init__(self, world: World, name: str, uid: str, link: Link) -> None:
        self.name = name
        self.uid = uid
        self.link = link
        self._world = world
        self._client: Client | None = None
        self._callbacks: list[Observation] = []
        self._read = 0  # up to where sees() has gone
        self._news = asyncio.Event()

    @property
    def heartbeat_s(self) -> float:
        """The longest time between two heartbeats of this client, as its adapter declares it."""
        return self._running().hello.heartbeat_s

    @property
    def retry_s(self) -> float:
        """The longest time from a usable link to the attempt that will use it, as the adapter declares it."""
        return self._running().hello.retry_s

    def must_retry_within(self, seconds: float) -> None:
        """End the scenario as UNSUPPORTED where this client may wait longer than that: it could not be told apart."""
        if self.retry_s > seconds:
            wanted = f"the scenario needs a client that tries again within {seconds:g} s"
            self._world.lack(self.name, f"{wanted}; this one declares {self.retry_s:g} s")

    # ------------------------------------------------------------------------------------------ what they do

    async def login(self, token: str | None = None, *, expires_in_s: float | None = None) -> Called:
        """Ask for a login, by default with a valid token; returns with the answer, not with the outcome."""
        chosen = self._world.token(self.uid, expires_in_s, token)
        return self._since_issue(await self.call("login", uid=self.uid, token=chosen), chosen)

    async def logout(self) -> Called:
        """Ask for the logout."""
        return await self.call("logout")

    async def renew_token(self, token: str | None = None, *, expires_in_s: float | None = None) -> Called:
        """Put a new token in the place of the old one, by default a valid one."""
        chosen = self._world.token(self.uid, expires_in_s, token)
        return self._since_issue(await self.call("renewToken", token=chosen), chosen)

    def _since_issue(self, called: Called, token: str) -> Called:
        """A token that expires lives from its issue on: a busy host may come to the call itself a moment later."""
        issued_ns = self._world.issued_ns.get(token, called.t0_ns)
        return Called(min(issued_ns, called.t0_ns), called.t1_ns, called.values)

    async def join(self, channel: str) -> Called:
        """Ask to join a channel; returns with the answer, not with the outcome."""
        return await self.call("join", channel=channel)

    async def leave(self, channel: str) -> Called:
        """Ask to leave a channel."""
        return await self.call("leave", channel=channel)

    async def send(self, text: str, *, channel: str = "", peer: str = "") -> Called:
        """Send a message to a channel or to a peer."""
        if channel:
            return await self.call("sendToChannel", channel=channel, text=text)
        return await self.call("sendToPeer", peer=peer, text=text)

    async def set_attributes(self, **attributes: str) -> Called:
        """Replace the user's attributes."""
        return await self.call("setAttributes", attributes=attributes)

    async def get_attributes(self, uid: str) -> Called:
        """Ask for a user's attributes."""
        return await self.call("getAttributes", uid=uid)

    async def get_members(self, channel: str) -> Called:
        """Ask who is in a channel."""
        return await self.call("getMembers", channel=channel)

    async def query_online(self, *uids: str) -> Called:
        """Ask which of these users are online."""
        return await self.call("queryOnline", uids=list(uids))

    async def reacts(self, callback: str, call: str, **args: Any) -> Called:
        """Have the app make this call from inside the next callback of this name."""
        return await self.call("react", callback=callback, call=call, args=args)

    async def raises_in(self, callback: str) -> Called:
        """Have the app raise an exception inside the next callback of this name."""
        return await self.call("react", callback=callback, call="", args={})

    async def call(self, name: str, /, **args: Any) -> Called:
        """Make any call of the contract; what it answered is recorded, and compared where it is more than 'ok'."""
        client = self._running()
        needs = CALLS[name][2]
        if needs is not None and needs not in client.hello.capabilities:
            self._world.lack(self.name, f"{client.hello.name} does not declare the capability {needs!r}")
        asked_ns = self._world.now_ns()
        self._world.record(Observation(asked_ns, self.name, What.CALL, name, args))
        returned = await client.call(name, args)
        if returned.error == UNSUPPORTED:
            self._world.lack(self.name, f"{client.hello.name} answered {name!r} with 'unsupported'")
        if returned.error is not None or returned.result is None:
            raise AdapterError(f"{self.name}: {name} was answered with the error {returned.error!r}")
        result = _result(self.name, name, returned.result)
        self._world.record(
            Observation(returned.at_ns, self.name, What.RETURN, name, result, arrived_ns=returned.arrived_ns)
        )
        return Called(asked_ns, max(asked_ns, returned.at_ns), result)

    # ------------------------------------------------------------------------------------------ what they see

    async def sees(self, step: Step, *, within_s: float = PATIENCE_S) -> Moment:
        """Wait until this callback comes (again, where it was waited for before); return when it was made.

        Where it does not come, the scenario ends, and the judge lays that on the implementation.
        """
        deadline_ns = self._world.now_ns() + ns(within_s)
        while True:
            for index in range(self._read, len(self._callbacks)):
                seen = self._callbacks[index]
                if fits(step, seen):
                    self._read = index + 1
                    return Moment(seen.at_ns, seen.at_ns)
            self._news.clear()
            if not await self._world.wait_for(self._news, f"waiting for {self.name} to see {at_of(step)}", deadline_ns):
                data = {"step": msgspec.to_builtins(step), "within_s": within_s}
                self._world.record(Observation(self._world.now_ns(), self.name, What.AWAITED, step.name, data))
                raise UnseenError(f"{self.name} did not see {at_of(step)} within {within_s} s")

    def saw(self, *sequence: Node) -> None:
        """Write down the whole of what this person is to have seen, from the first login() to the end of the scenario.

        Said last in a scenario. It is judged after a quiet time has passed, in which nothing else may come.
        """
        self._world.record(
            Observation(self._world.now_ns(), self.name, What.EXPECTED, "saw", {"sequence": to_data(sequence)})
        )

    # ------------------------------------------------------------------------------------------ for the world

    async def start(self, engine: Engine, on_failure: OnFailure) -> None:
        """Start the client; the world does this once."""
        client = await engine.start_client(self.name, self._on_callback, on_failure)
        self._client = client
        declared = msgspec.to_builtins(client.hello) | {"clock_error_ns": client.clock_error_ns}
        self._world.record(Observation(self._world.now_ns(), self.name, What.DECLARED, client.hello.name, declared))

    def _running(self) -> Client:
        if self._client is None:
            raise RuntimeError(f"{self.name} has no client yet")
        return self._client

    def _on_callback(self, name: str, args: Mapping[str, Any], at_ns: int, arrived_ns: int) -> None:
        seen = Observation(at_ns, self.name, What.CALLBACK, name, named(name, args), arrived_ns=arrived_ns)
        self._callbacks.append(seen)
        self._world.record(seen)
        self._news.set()


class World:
    """One scenario's own: a tenant of the server, people, links, and the trace of all that happens to them."""

    def __init__(self, engine: Engine, title: Title, on_failure: OnFailure) -> None:
        self._engine = engine
        self._on_failure = on_failure
        self._profile = title.profile
        self._people: dict[str, Person] = {}
        self.issued_ns: dict[str, int] = {}  # when each token was issued that expires
        self.waiting = Waiting("starting its people")
        self.trace: list[Observation] = []
        details = {"clauses": list(title.clauses), "phase": title.phase, "attempt": title.attempt}
        details |= {"profile": title.profile.name, "repetition": title.repetition}
        self.record(Observation(self.now_ns(), "scenario", What.SCENARIO, title.name, details))

    # ------------------------------------------------------------------------------------------ people

    async def person(self, name: str, *, uid: str = "", resettable: bool = False) -> Person:
        """Somebody whose client runs, and has not called login() yet; ``uid`` where it is not their name.

        Only a link that is made ``resettable`` can be reset.
        """
        link = await self._engine.open_link(name, self.record, resettable=resettable)
        person = Person(self, name, uid or name, link)
        await person.start(self._engine, self._on_failure)
        self._people[name] = person
        return person

    async def online(
        self,
        name: str,
        *,
        uid: str = "",
        channels: Collection[str] = (),
        expires_in_s: float | None = None,
        resettable: bool = False,
    ) -> Person:
        """Somebody who has logged in and joined these channels."""
        person = await self.person(name, uid=uid, resettable=resettable)
        await person.login(expires_in_s=expires_in_s)
        await person.sees(state("CONNECTED", "LOGIN_SUCCESS", self._profile.logged_in))
        for channel in channels:
            await person.join(channel)
            await person.sees(callback("onJoinSuccess", channel=channel))
        return person

    def token(self, uid: str, expires_in_s: float | None = None, given: str | None = None) -> str:
        """A valid token for a user; or the one that was given, whatever it is."""
        if given is not None:
            return given
        began_ns = self.now_ns()
        token = self._engine.token(uid, expires_in_s)
        if expires_in_s is not None:
            self.issued_ns[token] = began_ns
        return token

    # ------------------------------------------------------------------------------------------ time

    def now_ns(self) -> int:
        """The monotonic time of this world."""
        return self._engine.now_ns()

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await self._wait_until(f"waiting for {seconds:g} s to pass", self.now_ns() + ns(seconds))

    async def until(self, due_s: float, *, after: Span | None) -> None:
        """Let time pass until so many seconds after something; the scenario's own delays do not add up."""
        if after is None:
            raise ValueError("waiting for a time after something that has not happened: a fault that was never healed?")
        due_ns = after.t1_ns + ns(due_s)
        late_ns = self.now_ns() - due_ns
        if late_ns > 0:
            text = f"the harness came {late_ns / NS_PER_S:.3f} s too late to the moment {due_s:g} s after something"
            self.record(Observation(self.now_ns(), "scenario", What.LATE, "until", {"text": text}))
            raise LateError(text)
        await self._wait_until(f"waiting until {due_s:g} s after its anchor", due_ns)

    async def wait_for(self, news: asyncio.Event, what: str, deadline_ns: int) -> bool:
        """Wait for an event, no longer than until then; whether it came."""
        self.waiting = Waiting(what, deadline_ns)
        sleeping = asyncio.ensure_future(self._engine.sleep_until(deadline_ns))
        coming = asyncio.ensure_future(news.wait())
        try:
            await asyncio.wait({sleeping, coming}, return_when=asyncio.FIRST_COMPLETED)
            return news.is_set()
        finally:
            sleeping.cancel()
            coming.cancel()

    # ------------------------------------------------------------------------------------------ the system

    def partition(self, *groups: Collection[Person]) -> Fault:
        """Cut groups of people off: only the first group keeps its way to the server."""
        return self._engine.partition([[person.name for person in group] for group in groups])

    async def own_server(self) -> Server:
        """A server of this scenario's own, that may be killed; to be asked for before there are people."""
        return await self._engine.own_server(self.record, self._on_failure)

    async def crash(self, person: Person) -> Moment:
        """Kill a person's client: its connections end without a logout."""
        began_ns = self.now_ns()
        await self._engine.crash_client(person.name)
        done = Moment(began_ns, self.now_ns())
        details = {"visible": True, "proof": "the process was reaped"}
        self.record(Observation(began_ns, person.name, What.FAULT, "crash", details, until_ns=done.t1_ns))
        return done

    async def ban(self, uid: str) -> Called:
        """Have the system end a user's session for good."""
        asked_ns = self.now_ns()
        if await self._engine.ask_server("ban", {"uid": uid}) is None:
            self.lack("server", "the server answered 'ban' with 'unsupported'")
        done = Called(asked_ns, self.now_ns(), {})
        self.record(Observation(asked_ns, "server", What.SERVER, "ban", {"uid": uid}, until_ns=done.t1_ns))
        return done

    # ------------------------------------------------------------------------------------------ the record

    def rules_alone(self) -> None:
        """Say that this scenario expects nothing of anybody in particular: what holds in every trace judges it."""
        self.record(Observation(self.now_ns(), "scenario", What.RULES_ALONE, "rules_alone"))

    def record(self, observation: Observation) -> None:
        """Put down something that was done or seen."""
        self.trace.append(observation)

    def lack(self, person: str, text: str) -> None:
        """End the scenario as UNSUPPORTED."""
        self.record(Observation(self.now_ns(), person, What.LACKING, "capability", {"text": text}))
        raise LackingError(text)

    async def settle(self) -> None:
        """Let the quiet time pass, in which nothing else may come."""
        await self._wait_until("watching that nothing else comes", self.now_ns() + ns(QUIET_S))
        for person in self._people.values():
            counted = await self._engine.count(person.name, person.uid)
            self.record(Observation(self.now_ns(), person.name, What.COUNTED, "counted", dict(counted)))

    async def _wait_until(self, what: str, due_ns: int) -> None:
        self.waiting = Waiting(what, due_ns)
        await self._engine.sleep_until(due_ns)


def _result(person: str, call: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a call answered: its values where it has some and succeeded, its code otherwise.

    What the contract does not know is left out, here as in every message.

    Raises:
        AdapterError: the result lacks its code.
    """
    if "code" not in result:
        raise AdapterError(
            f"{person}: {call} was answered with {dict(result)!r}",
            why="the result of a call carries its code: the published number, 0 for 'ok' where the call has none",
        )
    shown = named(call, result)
    if type(result["code"]) is not int or result["code"] != 0:
        return {"code": shown["code"]}
    values = {name: shown[name] for name in CALLS[call][1] if name in shown}
    return values or {"code": "OK"}
