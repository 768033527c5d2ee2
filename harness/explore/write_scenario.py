"""Writes what was found down as a scenario: a file like those that people write, to be played, read and kept."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import assert_never

from harness import trace
from harness.explore.finding import Finding
from harness.explore.player import LOGIN_S, lasts_s
from harness.explore.schedule import (
    BAD_TOKEN,
    FAULTS,
    SHORT_TOKEN_S,
    Ban,
    Call,
    Crash,
    FaultKind,
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
    Someone,
    Step,
    TokenKind,
    Wait,
)
from harness.explore.situation import closing
from harness.oracle.verdict import Check
from proxies.toxics import Direction

_WIDTH = 110


def write_scenario(finding: Finding, folder: Path, *, how: str) -> Path:
    """Write a finding into a folder, its trace beside it; ``how`` says how it was found. Return the scenario's file."""
    folder.mkdir(parents=True, exist_ok=True)
    name = _name(finding.check.clause)
    names = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
    path = next(path for path in (folder / f"{each}.py" for each in names) if not path.exists())
    path.write_text(scenario_text(finding.schedule, finding.check, how=how), encoding="utf-8")
    path.with_suffix(".jsonl").write_bytes(trace.dump(finding.trace))
    return path


def scenario_text(schedule: Schedule, check: Check, *, how: str) -> str:
    """Return a schedule as a scenario that sets out to prove the clause of the check that failed."""
    what = _quotable(f"{check.clause}: {check.person}: {check.what}")
    head = ['"""Found by exploring: ' + _quotable(how) + ".", "", *textwrap.wrap(what, _WIDTH), '"""']
    body = [f"    {line}" for line in _lines(schedule)]
    imports = ["import pytest", ""]
    text = "\n".join(body)
    used = [direction for direction in ("TO_CLIENT", "TO_SERVER") if direction in text]
    imports += [f"from harness.world.engine import {', '.join(used)}"] if used else []
    imports += ["from harness.world.world import World"]
    seconds = math.ceil(lasts_s(schedule))
    mark = [f'@pytest.mark.scenario("{check.clause}", lasts_s={seconds})']
    mark += [f"async def {_name(check.clause)}(world: World) -> None:"]
    mark += [f'    """{check.clause} was broken here: the top of this file says how."""']
    return "\n".join([*head, "", "from __future__ import annotations", "", *imports, "", "", *mark, text, ""])


def _name(clause: str) -> str:
    return f"test_found_{clause.lower().replace('-', '_')}"


def _quotable(text: str) -> str:
    # Neither has a place in a docstring; what was really said is in the trace.
    return text.replace("\\", "/").replace('"', "'")


def _lines(schedule: Schedule) -> Iterator[str]:
    yield "world.rules_alone()"
    if schedule.owns_server:
        yield "server = await world.own_server()"
    for each in schedule.people:
        yield _person(each, resettable=schedule.needs_resettable(each.name))
    passed_s = 0.0
    for step in schedule.steps:
        passed_s += step.seconds if isinstance(step, Wait) else 0.0
        yield _line(step, schedule) + (f"  # {passed_s:.1f} s" if isinstance(step, Wait) else "")
    yield "# All is put right again, and each client has the time that it may need to be back."
    for step in closing(schedule):
        yield _line(step, schedule)
    crashed = {step.who for step in schedule.steps if isinstance(step, Crash)}
    there = [each.name for each in schedule.people if each.name not in crashed]
    yield f"await world.sleep({_longest_retry(there)}{LOGIN_S})"
    for name in there:
        for channel in schedule.channels:
            yield f'await {name}.get_members("{channel}")'


def _person(each: Someone, *, resettable: bool) -> str:
    uid = f', uid="{each.uid}"' if each.uid != each.name else ""
    return f'{each.name} = await world.person("{each.name}"{uid}{", resettable=True" if resettable else ""})'


def _longest_retry(names: list[str]) -> str:
    retries = ", ".join(f"{name}.retry_s" for name in names)
    if not names:
        return ""
    return f"{retries} + " if len(names) == 1 else f"max({retries}) + "


def _line(step: Step, schedule: Schedule) -> str:
    match step:
        case Wait(seconds):
            return f"await world.sleep({seconds})"
        case Lose(who, fault):
            return f"{who}_{fault} = await {who}.link.{_made(FAULTS[fault])}"
        case Heal(who, fault):
            return f"await {who}_{fault}.heal()"
        case Part(cut_off):
            others = [each.name for each in schedule.people if each.name not in cut_off]
            return f"partition = await world.partition([{', '.join(others)}], [{', '.join(cut_off)}])"
        case Mend():
            return "await partition.heal()"
        case Crash(who):
            return f"await world.crash({who})"
        case Ban(uid):
            return f'await world.ban("{uid}")'
        case Serve(deed):
            return f"await server.{deed}()"
        case _:
            return f"await {step.who}.{_call(step)}"


def _made(kind: FaultKind) -> str:
    shown = {name: value.name if isinstance(value, Direction) else repr(value) for name, value in kind.args.items()}
    values = ", ".join(f"{name}={value}" for name, value in shown.items())
    return f"{kind.word}({values})"


def _call(call: Call) -> str:
    match call:
        case Login(_, token):
            return f"login({_token(token)})"
        case RenewToken(_, token):
            return f"renew_token({_token(token)})"
        case Logout():
            return "logout()"
        case Join(_, channel):
            return f'join("{channel}")'
        case Leave(_, channel):
            return f'leave("{channel}")'
        case Send(_, channel):
            return f'send("hello", channel="{channel}")'
        case SetAttributes(_, mood):
            return f'set_attributes(mood="{mood}")'
        case _:
            assert_never(call)


def _token(kind: TokenKind) -> str:
    return {"valid": "", "short": f"expires_in_s={SHORT_TOKEN_S}", "bad": f'"{BAD_TOKEN}"'}[kind]
