"""Joins the parts of a run that was played in shards into one run, or says why they are no whole.

The evidence of the whole is that of its parts, byte by byte: each trace as it is, logs in a folder for each part. What
``run.json`` says of one part alone, its machine and its times, is kept for each of them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec
from msgspec import structs

from harness.errors import UsageError
from harness.report.run_folder import KNOWN_FAILURES, Part, Played, RunFolder, RunInfo
from harness.report.seal import SEAL

# What may differ from part to part. Everything else says what was played, with what and how: that has to be the same.
_OF_ONE_PART = (
    *("started", "selected", "host", "setup_s", "wall_s", "longest_s", "longest", "simulated_s", "shard", "whole"),
    "server.url",  # a port that was free
)
_SHOWN = 3  # of many names, so many are shown


@dataclass(frozen=True, slots=True)
class _Shard:
    """One part, as its folder has it."""

    folder: RunFolder
    info: RunInfo
    played: list[Played]

    @property
    def number(self) -> int:
        return int(self.info.shard.partition("/")[0])

    @property
    def of(self) -> int:
        return int(self.info.shard.partition("/")[2])

    @property
    def named(self) -> str:
        return f"{self.folder.path} (part {self.info.shard})"


def merge(folders: Sequence[RunFolder], into: RunFolder) -> list[Played]:
    """Join the parts of one run into a folder of its own, and return all that was played.

    Raises:
        UsageError: they are not all parts of one run, each of them once, whole and unaltered; or the folder is taken.
    """
    parts = sorted(map(_read, folders), key=lambda part: part.number)
    for found in (_no_whole(parts), _mixed(parts), _excusing_otherwise(parts), _not_shared_out_once(parts)):
        for error in found:
            raise error
    _make(into)
    for part in parts:
        for each in part.played:
            into.write_trace(each.judgement.scenario, each.trace)
        if part.folder.logs.is_dir():  # an empty folder is lost on the way through many a store of artifacts
            shutil.copytree(part.folder.logs, into.logs / f"part-{part.number}")
    played = [each for part in parts for each in part.played]
    into.write_known(parts[0].folder.known())
    into.write_info(_whole(parts))
    into.write_verdicts([each.judgement for each in played])
    into.seal()
    return played


def _read(folder: RunFolder) -> _Shard:
    info = folder.read_info()
    if info.parts:
        raise UsageError(
            f"{folder.path} was joined already, from {len(info.parts)} parts", mend="name the folders of the parts"
        )
    if not info.shard:
        raise UsageError(
            f"{folder.path} is no part of a run: it was played without --shard",
            why="runs that were not shared out are several answers to one question, and not the parts of one",
            mend="compare whole runs with 'linkproof compare', or play parts: linkproof certify --shard 1/2",
        )
    in_order = sorted(folder.played(), key=lambda each: (each.judgement.scenario, each.judgement.attempt))
    return _Shard(folder, info, in_order)


def _no_whole(parts: Sequence[_Shard]) -> Iterator[UsageError]:
    """Find what is there twice, missing, or was broken off."""
    for one, other in pairwise(parts):
        if one.of != other.of:
            why = f"{one.named}, {other.named}"
            yield UsageError("the runs are parts of different wholes", why=why, mend="name the parts of one run alone")
        if one.number == other.number:
            found = f"part {one.info.shard} is there twice: {one.folder.path} and {other.folder.path}"
            yield UsageError(found, why="which of the two is to count cannot be told", mend="name one of them")
    missing = sorted({*range(1, parts[0].of + 1)} - {part.number for part in parts})
    if missing:
        named = ", ".join(f"{number}/{parts[0].of}" for number in missing)
        yield UsageError(
            f"not all parts are there: {named} is missing, of {', '.join(part.named for part in parts)}",
            why="what was not played cannot be judged",
            mend=f"play it as the others were, with --shard {missing[0]}/{parts[0].of}, and name its folder too",
        )
    for part in parts:
        ended = {each.judgement.scenario for each in part.played}
        if broken_off := [name for name in part.info.selected if name not in ended]:
            found = f"{part.named} was broken off: {_some(broken_off)} did not come to an end"
            yield UsageError(found, why="what was not played cannot be judged", mend="play this part again")


def _mixed(parts: Sequence[_Shard]) -> Iterator[UsageError]:
    """Find what parts were not played alike."""
    first = next((part for part in parts if part.info.selected), parts[0])
    expected = _made_with(first.info)
    for part in parts:
        own = _made_with(part.info)
        # A part without scenarios met no client and no Toxiproxy: of it only what it says is compared.
        names = {*own} if not part.info.selected else {*own, *expected}
        for name in sorted(names):
            if own.get(name) != expected.get(name):
                is_own, is_first = (repr(each.get(name, "nothing")) for each in (own, expected))
                yield UsageError(
                    f"the parts were not played alike: {name} is {is_first} in {first.named}, {is_own} in {part.named}",
                    why="one verdict is of one implementation, by the same rules, played in the same way",
                    mend="play the one that is wrong again, as the others were",
                )


def _excusing_otherwise(parts: Sequence[_Shard]) -> Iterator[UsageError]:
    """Find what parts were not played with the same known failures."""
    first = parts[0]
    for part in parts:
        if part.folder.known().text != first.folder.known().text:
            yield UsageError(
                f"{KNOWN_FAILURES} is not the same in {first.named} and in {part.named}",
                why="what is excused in one part alone is not excused in the whole",
                mend="play all parts with the same --known-failures",
            )


def _made_with(info: RunInfo) -> dict[str, object]:
    made_with = dict(_flat(msgspec.to_builtins(info)))
    if "toxiproxy" in made_with:
        # How it was found, and where, is the machine's affair.
        made_with["toxiproxy"] = str(made_with["toxiproxy"]).partition(",")[0]
    return made_with


def _flat(fields: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in fields.items():
        if f"{prefix}{name}" in _OF_ONE_PART:
            continue
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _not_shared_out_once(parts: Sequence[_Shard]) -> Iterator[UsageError]:
    """Find scenarios that are in no part, or in two."""
    mend = "play all parts with the same selection (-k, ...) and the same --shard-times"
    first = parts[0]
    for part in parts:
        if differing := sorted({*first.info.whole} ^ {*part.info.whole}):
            found = f"{first.named} and {part.named} do not share the same scenarios out: {_some(differing)}"
            yield UsageError(found, why="they are not in both", mend=mend)
    played = Counter(name for part in parts for name in part.info.selected)
    for name, count in sorted(played.items()):
        if count > 1:
            where = " and ".join(part.named for part in parts if name in part.info.selected)
            yield UsageError(f"{name} was played in two parts: {where}", why="they were shared out apart", mend=mend)
    if missed := sorted({*first.info.whole} - {*played}):
        why = f"they are in none of {', '.join(part.named for part in parts)}"
        yield UsageError(f"scenarios were played in no part: {_some(missed)}", why=why, mend=mend)


def _some(names: Sequence[str]) -> str:
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _make(into: RunFolder) -> None:
    try:
        into.create()
    except OSError as error:
        why = "there is a run in it already" if isinstance(error, FileExistsError) else str(error)
        raise UsageError(f"the whole cannot be kept in {into.path}", why=why, mend="name another --run-dir") from error


def _whole(parts: Sequence[_Shard]) -> RunInfo:
    """Return what the whole was made with; its times are those of parts that are played at the same time."""
    first = next((part.info for part in parts if part.info.selected), parts[0].info)
    infos = [part.info for part in parts]
    slowest = max(infos, key=lambda info: info.wall_s)
    longest = max(infos, key=lambda info: info.longest_s)
    return structs.replace(
        first,
        started=min(info.started for info in infos),
        selected=first.whole,
        host=_hosts(infos),
        setup_s=slowest.setup_s,
        wall_s=slowest.wall_s,
        longest_s=longest.longest_s,
        longest=longest.longest,
        simulated_s=sum(info.simulated_s for info in infos),
        shard="",
        whole=[],
        parts=[_part(part) for part in parts],
    )


def _hosts(infos: Sequence[RunInfo]) -> dict[str, object]:
    """Return what all machines have in common, and elsewhere what each of them has."""
    found: dict[str, list[object]] = {}
    for info in infos:
        for name, value in info.host.items():
            values = found.setdefault(name, [])
            if value not in values:
                values.append(value)
    return {name: values[0] if len(values) == 1 else " | ".join(map(str, values)) for name, values in found.items()}


def _part(part: _Shard) -> Part:
    info = part.info
    return Part(
        shard=info.shard,
        started=info.started,
        scenarios=len(info.selected),
        host=info.host,
        setup_s=info.setup_s,
        wall_s=info.wall_s,
        longest_s=info.longest_s,
        longest=info.longest,
        seal=hashlib.sha256((part.folder.path / SEAL).read_bytes()).hexdigest(),
    )
