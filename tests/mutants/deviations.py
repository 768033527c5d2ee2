"""How wrong clients are made: a method that deviates, a callback that is changed on its way, a shell that is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from harness.reference.agent import Agent, AskedForError
from harness.reference.client import RtmClient
from harness.reference.client_effects_core import Callback, Effect
from harness.reference.client_lifecycle_core import Lifecycle
from harness.spec.states import Reason, State
from harness.spec.timing import ns
from harness.world.virtual_client import VirtualClient
from tests.mutants.mutant import Patcher

# The core or the shell that deviates is 'Any' in all of these: a mutant may note things in it that it has no field for.
Method = Callable[..., Any]
Wanted = Callable[[Callback], bool]


def wrap(patch: Patcher, owner: type, name: str, deviation: Method) -> None:
    """Put ``deviation(original, self, ...)`` in the place of a method."""

    def make(original: Method) -> Method:
        def method(self: object, *args: Any, **named: Any) -> Any:
            return deviation(original, self, *args, **named)

        return method

    patch(owner, name, make)


# ------------------------------------------------------------------------------------------ callbacks


def switch(state: State, reason: Reason) -> Callback:
    """The callback of a switch."""
    return Callback("onConnectionStateChanged", {"state": state, "reason": reason})


def is_switch(state: State, *reasons: Reason) -> Wanted:
    """Whether a callback is that of a switch to this state, for one of these reasons or for any."""

    def wanted(callback: Callback) -> bool:
        is_to_it = callback.name == "onConnectionStateChanged" and callback.args["state"] is state
        return is_to_it and (not reasons or callback.args["reason"] in reasons)

    return wanted


def is_named(name: str) -> Wanted:
    """Whether a callback has this name."""
    return lambda callback: callback.name == name


def tell(patch: Patcher, told: Callable[[Any, Callback], Iterable[Callback]]) -> None:
    """Have the app told what ``told(core, callback)`` returns, in the place of each callback.

    ``core.was`` is then the state that the app was told of last.
    """

    def emit(original: Method, core: Any, effect: Effect) -> None:
        if not isinstance(effect, Callback):
            original(core, effect)
            return
        core.was = getattr(core, "was", State.DISCONNECTED)
        for callback in told(core, effect):
            original(core, callback)
            core.was = callback.args.get("state", core.was)

    wrap(patch, Lifecycle, "_emit", emit)


def never(patch: Patcher, wanted: Wanted) -> None:
    """Have the app never told this."""
    tell(patch, lambda _core, callback: () if wanted(callback) else (callback,))


def twice(patch: Patcher, wanted: Wanted) -> None:
    """Have the app told this twice."""
    tell(patch, lambda _core, callback: (callback, callback) if wanted(callback) else (callback,))


def otherwise(patch: Patcher, wanted: Wanted, **args: object) -> None:
    """Have the app told this with other arguments."""
    tell(patch, lambda _core, told: (Callback(told.name, told.args | args) if wanted(told) else told,))


def late(patch: Patcher, wanted: Wanted, by_s: float) -> None:
    """Have the app told this so much later; what is to be told after it does not wait for it."""

    def emit(original: Method, core: Any, effect: Effect) -> None:
        if isinstance(effect, Callback) and wanted(effect):
            core.held = [*getattr(core, "held", []), (core.now + ns(by_s), effect)]
        else:
            original(core, effect)

    def next_deadline(original: Method, core: Any) -> int | None:
        times = [original(core), *(at_ns for at_ns, _ in getattr(core, "held", []))]
        return min((time for time in times if time is not None), default=None)

    def tick(original: Method, core: Any, now: int) -> None:
        core.now, held = now, getattr(core, "held", [])
        core.held = [(at_ns, effect) for at_ns, effect in held if at_ns > now]
        core._effects += [effect for at_ns, effect in held if at_ns <= now]
        original(core, now)

    wrap(patch, Lifecycle, "_emit", emit)
    wrap(patch, Lifecycle, "next_deadline", next_deadline)
    wrap(patch, Lifecycle, "tick", tick)


# ------------------------------------------------------------------------------------------ shells, in both worlds


def around_callbacks(patch: Patcher, deviation: Callable[[Callable[[], None], Any, str], None]) -> None:
    """Put ``deviation(call_back, core, name)`` in the place of each callback of the app."""

    def call_back(original: Method, shell: RtmClient, callback: Callback) -> None:
        deviation(lambda: original(shell, callback), shell._core, callback.name)

    def call_back_virtually(original: Method, shell: VirtualClient, name: str, args: object) -> None:
        deviation(lambda: original(shell, name, args), shell._core, name)

    wrap(patch, RtmClient, "_call_back", call_back)
    wrap(patch, VirtualClient, "_call_back", call_back_virtually)


def after_an_exception(patch: Patcher, then: Callable[[Any], None]) -> None:
    """Do this with the shell when the app has raised in a callback."""

    def called_back(original: Method, agent: Any, name: str, *values: object) -> None:
        try:
            original(agent, name, *values)
        except AskedForError:
            then(agent._client)
            raise

    def call_back(original: Method, shell: Any, name: str, args: object) -> None:
        reaction = shell._reactions.get(name)
        original(shell, name, args)
        if reaction is not None and not reaction.call:
            then(shell)

    wrap(patch, Agent, "_called_back", called_back)
    wrap(patch, VirtualClient, "_call_back", call_back)
