"""The clauses of the profile mqtt-5: rules of MQTT Version 5.0 (OASIS Standard, 7 March 2019), and what it leaves open.

The ids are those of the normative statements in its appendix B. Those with OPEN are this profile's own, where the
specification says nothing, or nothing in numbers.

The numbers that the scenarios are written with are what the client asks for when it connects: a keep alive of 2 s, a
will delay of 5 s, a session expiry of 10 s; between its attempts 1, 2, 4, 4, ... s.
"""

from __future__ import annotations

from harness.spec.clauses import Clause, Grade


def _must(clause_id: str, source: str, text: str) -> Clause:
    return Clause(clause_id, text, Grade.MUST, source)


def _should(clause_id: str, source: str, text: str) -> Clause:
    return Clause(clause_id, text, Grade.SHOULD, source)


_CONNECTING = (
    _must("MQTT-3.1.4-5", "3.1.4 CONNECT Actions", "A CONNECT that is in order is acknowledged with 0x00 (Success)."),
    _must(
        "MQTT-3.1.4-2",
        "3.1.4 CONNECT Actions",
        "A CONNECT that fails authentication or authorization is not let in: the server closes its connection.",
    ),
    _must(
        "MQTT-3.1.4-3",
        "3.1.4 CONNECT Actions",
        "A client that connects with the ClientID of one that is connected takes its session over: the old one gets "
        "DISCONNECT with 0x8E (Session taken over), and its connection is closed.",
    ),
    _should(
        "MQTT-3.2",
        "3.2 CONNACK",
        "A client that does not get its CONNACK within a reasonable time closes the connection.",
    ),
)

_KEEP_ALIVE = (
    _must(
        "MQTT-3.1.2-20",
        "3.1.2.10 Keep Alive",
        "With a keep alive, and nothing else to send, the client sends PINGREQ.",
    ),
    _must(
        "MQTT-3.1.2-22",
        "3.1.2.10 Keep Alive",
        "A client that was not heard for one and a half times its keep alive has its connection closed by the server, "
        "as if the network had failed.",
    ),
    _should(
        "MQTT-3.1.2.10",
        "3.1.2.10 Keep Alive",
        "A client that does not get its PINGRESP within a reasonable time closes the connection.",
    ),
    _must("MQTT-3.12.4-1", "3.12.4 PINGREQ Actions", "The server answers PINGREQ with PINGRESP."),
)

_SESSIONS = (
    _must(
        "MQTT-3.1.2-5",
        "3.1.2.4 Clean Start",
        "A client that comes back with Clean Start 0 goes on with its session, where there is one.",
    ),
    _must(
        "MQTT-3.1.2-6",
        "3.1.2.4 Clean Start",
        "A client that comes with Clean Start 0 begins a session, where there is none.",
    ),
    _must(
        "MQTT-3.1.2-23",
        "3.1.2.11.2 Session Expiry Interval",
        "A session with an expiry above 0 is kept when its connection is closed.",
    ),
    _must(
        "MQTT-3.2.2-3",
        "3.2.2.1.1 Session Present",
        "Session Present in the CONNACK is 1 where the server has the session, and 0 where it has not.",
    ),
    _must(
        "MQTT-4.1.0-2",
        "4.1.1 Storing Session State",
        "A session is discarded when its connection is closed and its expiry has passed.",
    ),
    _must(
        "MQTT-4.5.0-1",
        "4.5 Message receipt",
        "A message that the server has taken is added to the session of each client that subscribed to it.",
    ),
    _must(
        "MQTT-4.6.0-6",
        "4.6 Message ordering",
        "Messages of one topic and publisher arrive in the order in which they were sent.",
    ),
)

_WILLS = (
    _must(
        "MQTT-3.1.2-8",
        "3.1.2.5 Will Flag",
        "The will is published when the connection is closed and the will delay has passed, or the session ends.",
    ),
    _must(
        "MQTT-3.1.2-10",
        "3.1.2.5 Will Flag",
        "A will that was published is removed: it is published once.",
    ),
    _must(
        "MQTT-3.1.3-9",
        "3.1.3.2.2 Will Delay Interval",
        "A client that is back before the will delay has passed has no will published.",
    ),
    _must(
        "MQTT-3.14.4-3",
        "3.14.4 DISCONNECT Actions",
        "On DISCONNECT with 0x00 the will is discarded.",
    ),
)

_OPEN = (
    _must(
        "MQTT-OPEN-1",
        "left open",
        "The specification does not say that a client comes back by itself. One that is made to do so tries again, "
        "until it succeeds or is told to stop, and is back within its declared retry_s of a link that works.",
    ),
    _must(
        "MQTT-OPEN-2",
        "left open",
        "A client whose session was taken over does not take it back by itself: two that did would push each other "
        "out for ever.",
    ),
    _should(
        "MQTT-OPEN-3",
        "left open",
        "A client that is refused because of its credentials need not try again: they will not have changed.",
    ),
    _must(
        "MQTT-OPEN-4",
        "left open",
        "Attempts that fail grow apart: after some of them a client no longer tries every second.",
    ),
    _must(
        "MQTT-OPEN-5",
        "left open",
        "The specification counts whole seconds, and says nothing of how exactly: where an interval of the server's "
        "is due it may take up to 1 s more, and then happens at once.",
    ),
    _must(
        "MQTT-OPEN-6",
        "left open",
        "A connection that is interrupted for less than the keep alive, and was never closed, is noticed by nobody.",
    ),
)

CLAUSES: tuple[Clause, ...] = (*_CONNECTING, *_KEEP_ALIVE, *_SESSIONS, *_WILLS, *_OPEN)
