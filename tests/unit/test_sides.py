from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.sides import IMAGE_OPTIONS, check_images, sides_of
from harness.spec.profiles import MQTT_5, RTM_1_0, Profile
from harness.world.lab import REFERENCE_CLIENT, REFERENCE_SERVER
from harness.world.places import COMMANDS, REFERENCE_CLIENT_IMAGE, REFERENCE_SERVER_IMAGE

KNOWN = ("--client", "--server", "--faults", "--tls", "--ipv6", *(option for option, *_ in IMAGE_OPTIONS))


def config(**given: Any) -> pytest.Config:
    options: dict[str, Any] = dict.fromkeys(KNOWN)
    options |= {f"--{name.replace('_', '-')}": value for name, value in given.items()}
    return cast(pytest.Config, SimpleNamespace(getoption=options.__getitem__))


def test_nothing_given_is_the_reference_as_processes() -> None:
    sides = sides_of(config(), RTM_1_0)
    assert (sides.client_command, sides.server_command) == (REFERENCE_CLIENT, REFERENCE_SERVER)
    assert sides.images == COMMANDS
    assert not sides.images


def test_an_image_has_the_words_after_it() -> None:
    sides = sides_of(config(client_image="my-sdk:2.1 --at {url}"), RTM_1_0)
    assert (sides.images.client, sides.client_command) == ("my-sdk:2.1", ("--at", "{url}"))
    assert (sides.images.server, sides.server_command) == ("", REFERENCE_SERVER)


def test_with_the_engine_the_reference_is_an_image_too() -> None:
    sides = sides_of(config(engine="docker"), RTM_1_0)
    assert (sides.images.client, sides.images.server) == (REFERENCE_CLIENT_IMAGE, REFERENCE_SERVER_IMAGE)
    assert (sides.client_command, sides.server_command) == ((), ())
    sides = sides_of(config(engine="docker", client_image="mine"), RTM_1_0)
    assert (sides.images.client, sides.images.server) == ("mine", REFERENCE_SERVER_IMAGE)
    sides = sides_of(config(engine="docker", client="my-app"), RTM_1_0)
    assert (sides.images.client, sides.client_command) == ("", ("my-app",))


def test_limits_are_those_that_were_given() -> None:
    limits = sides_of(config(client_image="mine", container_memory="1g", container_cpus="0.5"), RTM_1_0).images.limits
    assert (limits.memory, limits.cpus) == ("1g", 0.5)


@pytest.mark.parametrize(
    ("given", "profile", "found"),
    [
        ({"client": "a", "client_image": "b"}, RTM_1_0, "it is one or the other"),
        ({"server": "a", "server_image": "b"}, MQTT_5, "it is one or the other"),
        ({"client_image": "a", "server_image": "b"}, RTM_1_0, "one side is under test"),
        ({"client": "a", "server": "b"}, RTM_1_0, "one side is under test"),
        ({"client_image": ""}, RTM_1_0, "--client-image names no image; leave it out to take the reference client"),
        ({"server": " "}, RTM_1_0, "--server names no command; leave it out to take the reference server"),
        ({"engine": "podman"}, RTM_1_0, "only docker is known"),
        ({"client_image": "a", "container_cpus": "some"}, RTM_1_0, "is no number"),
        ({"client_image": "a", "container_cpus": "0"}, RTM_1_0, "some of a processor is needed"),
        ({"client_image": "a", "tls": True}, RTM_1_0, "--tls cannot be had with images"),
        ({"engine": "docker", "ipv6": True}, RTM_1_0, "--ipv6 cannot be had with images"),
        ({"engine": "docker", "faults": "netns"}, RTM_1_0, "--faults netns cannot be had with images"),
        ({"server_image": "a", "faults": "netns"}, RTM_1_0, "--faults netns cannot be had with images"),
        ({"container_memory": "1g"}, RTM_1_0, "--container-memory has no effect"),
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, Any], profile: Profile, found: str) -> None:
    with pytest.raises(pytest.UsageError, match=found):
        check_images(config(**given), profile)
