"""The tables of the rules of style: who may import whom, for imports go downwards only, and what is pure."""

from __future__ import annotations

# A module is ruled by the longest row that it begins with; it may import what its row
# lists, and whatever the same row rules. Modules of nobody's project are not looked at, except in scenarios.
BASE = ("harness.errors", "harness.guard", "harness.addresses", "harness.processes", "harness.room", "harness.orphans")
TIMED = (*BASE, "harness.clock", "harness.delays")
FACTS = (*BASE, "harness.spec", "harness.trace")
PARTS = (*FACTS, *TIMED, "harness.adapter", "harness.containers", "proxies", "harness.oracle", "harness.reference")
WHOLE = (*PARTS, "harness.world", "harness.report")
OF_PYTEST = ("harness.needs", "harness.shards", "harness.known_failures", "harness.repetition", "harness.shown")
PLAYING = (*OF_PYTEST, "harness.run", "harness.virtual_run", "harness.scheduler", "harness.board", "harness.collection")
LAYERS: dict[str, tuple[str, ...]] = {
    "harness.cli": (*WHOLE, *PLAYING, "harness.plugin", "harness.sides", "harness.explore", "harness.skeletons"),
    "harness.entry": ("harness.cli",),
    "harness.skeletons": ("harness.errors",),
    "harness.plugin": (*WHOLE, *PLAYING, "harness.sides"),
    "harness.board": (*WHOLE, "harness.run"),
    "harness.collection": (*WHOLE, "harness.run", "harness.repetition"),
    "harness.repetition": (),
    "harness.shown": (),
    "harness.known_failures": (*WHOLE, "harness.collection"),
    "harness.explore": (*WHOLE, "harness.run"),
    "harness.run": WHOLE,
    "harness.sides": WHOLE,
    "harness.virtual_run": (*WHOLE, "harness.run"),
    "harness.scheduler": TIMED,
    "harness.needs": (*WHOLE, "harness.collection"),
    "harness.shards": (*WHOLE, "harness.run", "harness.collection"),
    "harness.world": PARTS,
    "harness.report": (*FACTS, "harness.oracle"),
    # A foreign SDK is run and judged exactly as the reference is, so neither judge nor adapter may know it.
    "harness.oracle": ("harness.errors", "harness.spec", "harness.trace"),
    "harness.adapter": (*FACTS, *TIMED),
    "harness.containers": (*FACTS, *TIMED, "harness.adapter"),
    "harness.pages": ("harness.errors", "harness.spec", "harness.adapter", "harness.reference", "harness.report"),
    "harness.reference": ("harness.errors", "harness.addresses", "harness.spec"),
    "harness.reference.agent": (*TIMED, "harness.spec", "harness.reference", "harness.adapter.contract"),
    "harness.reference.server_control": (
        "harness.errors",
        "harness.spec",
        "harness.reference",
        "harness.adapter.contract",
        "harness.delays",
    ),
    "harness.trace": ("harness.errors", "harness.spec"),
    "proxies": BASE,
    "harness.spec": (),
    # Listed by name where it may be read: not by the judge, and not by the cores.
    "harness.clock": (),
    "harness.delays": ("harness.clock", "harness.spec"),
    "harness.guard": ("harness.errors",),
    "harness.errors": (),
    "harness.processes": (),
    "harness.orphans": ("harness.errors", "harness.processes"),
    "harness.room": ("harness.errors",),
    "harness.addresses": (),
    "harness.__init__": (),
    # Scenarios write their expectations out: derived from harness.spec, a wrong row would be right twice.
    "tests.conformance": ("harness.oracle", "harness.world"),
    "profiles": ("harness.oracle", "harness.world"),
}
# These import nothing else from anywhere.
NARROW = {"tests.conformance": ("__future__", "pytest"), "profiles": ("__future__", "pytest")}

# Pure: time and chance come in as arguments, timers go out as data, bytes are handed over by the caller.
PURE = (
    "harness/spec/**/*.py",
    "harness/trace.py",
    "harness/oracle/**/*.py",
    "harness/reference/wire.py",
    "harness/reference/client_core.py",
    "harness/reference/server_core.py",
    "harness/reference/*_core.py",
    "harness/reference/server_effects.py",
)
