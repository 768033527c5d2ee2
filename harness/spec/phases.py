"""The phases of a connection in which a fault can strike; a scenario says which of them it is about."""

from __future__ import annotations

IDLE = "idle"  # what a scenario is about that says nothing else

PHASES: tuple[str, ...] = (
    "before TCP",
    "handshake",  # of TCP, TLS or WebSocket
    "login",  # between the login and its answer
    IDLE,  # CONNECTED, nothing but heartbeats
    "traffic",  # CONNECTED, under traffic
    "grace",  # lost, and the 4 s not over
    "reconnecting",
    "way back",  # between the healing and CONNECTED
    "logout",
    "aborted",
)
