"""The metrics, read by the parser of Prometheus's own client library."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness.reference.notes_core import Note, What
from harness.reference.server_core import ServerStats
from harness.reference.server_metrics import Metrics

STATS = ServerStats(connections=3, sessions=2, tenants=1)


def read(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    families = text_string_to_metric_families(metrics.exposition(STATS, waiting_bytes=17))
    return {
        (sample.name, tuple(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


def test_what_there_is_now() -> None:
    values = read(Metrics())
    assert values["linkproof_connections", ()] == 3
    assert values["linkproof_sessions", ()] == 2
    assert values["linkproof_tenants", ()] == 1
    assert values["linkproof_waiting_bytes", ()] == 17
    assert values["process_cpu_seconds_total", ()] > 0
    assert values["process_resident_memory_bytes", ()] > 1_000_000


def test_what_was_counted_so_far_by_why() -> None:
    metrics = Metrics()
    metrics.frames_in, metrics.frames_out = 5, 4
    for note in (
        Note(What.LOGIN, "new", 1, "app", "alice"),
        Note(What.LOGIN, "new", 2, "app", "bob"),
        Note(What.LOGIN, "resume", 3, "app", "bob"),
        Note(What.REFUSED, "banned"),
        Note(What.FAILED, "too_often"),
        Note(What.ENDED, "expired"),
        Note(What.CLOSED, "1008", detail="nothing heard"),
        Note(What.LOST),
        Note(What.DROPPED),
    ):
        metrics.count(note)
    values = read(metrics)
    assert values["linkproof_frames_received_total", ()] == 5
    assert values["linkproof_frames_sent_total", ()] == 4
    assert values["linkproof_logins_total", ("new",)] == 2
    assert values["linkproof_logins_total", ("resume",)] == 1
    assert values["linkproof_logins_refused_total", ("banned",)] == 1
    assert values["linkproof_requests_failed_total", ("too_often",)] == 1
    assert values["linkproof_sessions_ended_total", ("expired",)] == 1
    assert values["linkproof_connections_closed_total", ("1008",)] == 1
    assert values["linkproof_connections_lost_total", ()] == 1
    assert values["linkproof_connections_dropped_total", ()] == 1


def test_nobody_is_named() -> None:
    metrics = Metrics()
    metrics.count(Note(What.LOGIN, "new", 1, "secret-tenant", "secret-user", "secret detail"))
    assert "secret" not in metrics.exposition(STATS, waiting_bytes=0)


@pytest.mark.parametrize("what", list(What))
def test_each_kind_of_note_is_counted_somewhere(what: What) -> None:
    metrics = Metrics()
    before = read(metrics)
    metrics.count(Note(what, "why"))
    counted = {key for key, value in read(metrics).items() if value - before.get(key, 0) == 1}
    assert len(counted) == 1
