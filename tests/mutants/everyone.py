"""All mutants: importing this registers each of them."""

from __future__ import annotations

from tests.mutants import (
    clients_attributes,
    clients_callbacks,
    clients_calls,
    clients_channels,
    clients_connections,
    clients_heartbeat,
    clients_inside,
    clients_reasons,
    clients_retries,
    clients_takeover,
    clients_timers,
    clients_token,
    servers_messages,
    servers_presence,
    servers_sessions,
)
from tests.mutants.mutant import MUTANTS

__all__ = [
    "MUTANTS",
    "clients_attributes",
    "clients_callbacks",
    "clients_calls",
    "clients_channels",
    "clients_connections",
    "clients_heartbeat",
    "clients_inside",
    "clients_reasons",
    "clients_retries",
    "clients_takeover",
    "clients_timers",
    "clients_token",
    "servers_messages",
    "servers_presence",
    "servers_sessions",
]
