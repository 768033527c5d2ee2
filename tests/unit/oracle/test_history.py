"""A trace as spans of time: in which state a client was, and what stood between it and its server."""

from __future__ import annotations

from harness.oracle.troubles import FOR_EVER_NS
from harness.trace import Observation, What
from tests.unit.oracle.story import Story, at_ns
from tests.unit.oracle.timed_rig import END_S, deed, history_of, lost, online


def test_a_client_is_disconnected_until_it_says_otherwise_and_is_in_its_last_state_to_the_end() -> None:
    spells = history_of(online()).spells("alice")
    assert [(each.state, each.from_ns, each.to_ns) for each in spells] == [
        ("DISCONNECTED", at_ns(0), at_ns(1.0)),
        ("CONNECTING", at_ns(1.0), at_ns(1.1)),
        ("CONNECTED", at_ns(1.1), at_ns(END_S)),
    ]
    assert (spells[0].entered, spells[-1].following) == (None, None)


def test_the_states_of_a_client_end_with_its_crash() -> None:
    story = online()
    story.put(5, "alice", What.FAULT, "crash")
    history = history_of(story)
    assert history.spells("alice", "CONNECTED")[0].to_ns == history.lived_until_ns("alice") == at_ns(5)
    assert [(each.name, each.to_ns) for each in history.troubles("alice")] == [("crash", FOR_EVER_NS)]


def test_a_fault_is_in_the_way_from_when_it_can_have_come_to_when_it_must_be_healed() -> None:
    story = online()
    story.trace.append(Observation(at_ns(2), "alice", What.FAULT, "cut", until_ns=at_ns(2.1)))
    story.trace.append(Observation(at_ns(3), "alice", What.FAULT, "healing of cut", until_ns=at_ns(3.2)))
    (trouble,) = history_of(story).troubles("alice")
    assert (trouble.from_ns, trouble.to_ns) == (at_ns(2), at_ns(3.2))


def test_what_was_delayed_is_still_under_way_when_the_delay_is_healed() -> None:
    story = online()
    story.put(2, "alice", What.FAULT, "delay", parameters={"delay_s": 0.8})
    story.put(3, "alice", What.FAULT, "healing of delay")
    assert [each.to_ns for each in history_of(story).troubles("alice")] == [at_ns(3.8)]


def test_each_healing_belongs_to_the_last_fault_of_its_name() -> None:
    story = online()
    lost(story, 2, 3)
    lost(story, 2.5, 6, kind="freeze")
    lost(story, 4)
    spans = [(each.name, each.to_ns) for each in history_of(story).troubles("alice")]
    assert spans == [("cut", at_ns(3)), ("freeze", at_ns(6)), ("cut", FOR_EVER_NS)]


def test_a_server_that_is_away_is_in_everybodys_way() -> None:
    story = online().logged_in("bob", at_s=1.2)
    for at_s, name in ((2, "server kill"), (3, "server start"), (4, "server suspend"), (5, "server resume")):
        deed(story, at_s, name)
    deed(story, 6, "server stop")
    history = history_of(story)
    spans = [(each.name, each.to_ns) for each in history.troubles("bob")]
    assert spans == [("server kill", at_ns(3)), ("server suspend", at_ns(5)), ("server stop", FOR_EVER_NS)]
    assert history.troubles("alice") == history.troubles("bob")


def test_who_has_a_uid_is_known_by_their_logins_those_from_inside_callbacks_too() -> None:
    story = Story("CONNECTED-1")
    story.declared("first")
    story.declared("second")
    story.called(1, "login", person="first", uid="alice", token="t")
    story.called(1, "react", person="second", callback="onLogout", call="login", args={"uid": "alice", "token": "t"})
    story.called(1, "react", person="second", callback="onLogout", call="logout")
    history = history_of(story)
    assert history.with_uid("alice") == ["first", "second"]
    assert history.with_uid("bob") == []


def test_what_was_done_to_the_server_stands_among_what_the_client_said_from_its_start_on() -> None:
    story = Story("CONNECTED-1")
    deed(story, 0.05, "server start")
    story.logged_in(at_s=1.0)
    deed(story, 1.05, "server kill")
    names = [each.name for each in history_of(story).beside_server("alice")]
    assert names.count("server kill") == 1
    assert "server start" not in names
    assert names[-3:] == ["server kill", "onLoginSuccess", "onConnectionStateChanged"]
