"""A target that finds nothing is worth nothing: of each fault planted here some kept input knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.reference.client_effects_core import Callback
from harness.reference.client_lifecycle_core import Lifecycle
from harness.reference.client_requests_core import Requests as ClientRequests
from harness.reference.requests_core import Requests
from harness.reference.server_core import ServerCore
from harness.reference.sessions_core import Tenant
from harness.reference.wire import Done, Logout
from tests.fuzz import contract, trace, wire
from tests.fuzz.targets import TARGETS, Target


def told_twice(log_out: Callable[[Lifecycle, int], None]) -> Callable[[Lifecycle, int], None]:
    def log_out_twice(client: Lifecycle, now: int) -> None:
        log_out(client, now)
        client._emit(Callback("onLogout", {"code": 0}))

    return log_out_twice


def nothing(*_args: object, **_more: object) -> None:
    """What was to be done is forgotten."""


def unreadable(_line: bytes) -> None:
    raise RecursionError


# What is planted: for which target, whose attribute is replaced by what, and how that shows.
FAULTS: dict[str, tuple[str, object, str, Any, type[Exception]]] = {
    "a frame is written as another one": ("wire", wire, "encode", lambda _: b'{"type":"logout"}', Exception),
    "a frame is read by an error of another type": ("wire", wire, "decode_from_client", unreadable, RecursionError),
    "an observation is lost": ("trace", trace, "dump", lambda _: b"", AssertionError),
    "a trace is read by an error of another type": ("trace", trace, "load", lambda *_: unreadable(b""), RecursionError),
    "an answer is written as another one": ("contract", contract, "encode", lambda _: b'{"id":1,"call":""}', Exception),
    "the judge falls over": ("contract", contract, "judge", unreadable, RecursionError),
    "a call has no reply": ("client_core", ClientRequests, "end", nothing, AssertionError),
    "attempts are not given up": ("client_core", Lifecycle, "_close_all", nothing, AssertionError),
    "onLogout comes twice": ("both_cores", Lifecycle, "_log_out", told_twice(Lifecycle._log_out), AssertionError),
    "a server never ends a session": ("both_cores", ServerCore, "_release", nothing, AssertionError),
    "an answer has no id of a request": (
        "server_core",
        Requests,
        "answer",
        lambda _self, _now, _session, request: Done(request.id + 1),
        AssertionError,
    ),
    "a logout leaves the user online": ("server_core", Tenant, "remove", nothing, Exception),
}


def run_all(run: Callable[[bytes], str], target: Target) -> None:
    for path in target.kept():
        run(path.read_bytes())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_an_input_that_is_kept(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, owner, attribute, planted, kind = FAULTS[fault]
    target = TARGETS[name]
    run = target.load()
    monkeypatch.setattr(owner, attribute, planted)
    with pytest.raises(kind):
        run_all(run, target)


def test_without_a_fault_a_frame_is_read_and_written() -> None:
    assert wire.run(b'{"type":"logout"}').startswith(Logout.__name__)
