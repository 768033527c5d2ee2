"""What the user chose for the two sides of a run, client and server: commands of this machine, or images."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from harness.adapter.command import words_of
from harness.containers.engine import Limits
from harness.errors import UsageError
from harness.spec.profiles import Profile
from harness.world.lab import REFERENCE_CLIENT, REFERENCE_SERVER
from harness.world.means import NETNS
from harness.world.places import REFERENCE_CLIENT_IMAGE, REFERENCE_SERVER_IMAGE, Images

# Option, placeholder, help: for pytest and for 'linkproof certify'.
IMAGE_OPTIONS = (
    ("--client-image", "IMAGE", "Image of the client under test: speaks the contract, as a command would."),
    ("--server-image", "IMAGE", "Image of the server under test."),
    ("--engine", "docker", "Run both sides in containers; the reference's image where none is named."),
    ("--container-memory", "SIZE", "How much memory each container may take (default: 512m)."),
    ("--container-cpus", "NUMBER", "How many processors each container may take (default: 1)."),
)


@dataclass(frozen=True, slots=True)
class Sides:
    """The commands of both sides, which are added to an image where the side is one, and the images."""

    client_command: tuple[str, ...]
    server_command: tuple[str, ...]
    images: Images


def add_options(group: pytest.OptionGroup) -> None:
    """Add the options about images."""
    for option, value, text in IMAGE_OPTIONS:
        group.addoption(option, metavar=value, help=text)


def given(config: pytest.Config, *options: str) -> list[str]:
    """Return which of these options were given."""
    return [option for option in options if config.getoption(option) is not None]


def sides_of(config: pytest.Config, profile: Profile) -> Sides:
    """Return what was chosen.

    Raises:
        UsageError: it does not go together.
    """
    for side in ("client", "server"):
        if len(ways := given(config, f"--{side}", f"--{side}-image")) == 2:
            raise pytest.UsageError(f"{ways[0]} and {ways[1]}: it is one or the other")
    under_test = given(config, "--client", "--server", "--client-image", "--server-image")
    if profile.has_reference and len(under_test) > 1:
        both = " and ".join(under_test)
        raise pytest.UsageError(f"{both}: one side is under test, and the other one is the reference")
    engine = config.getoption("--engine")
    if engine not in (None, "docker"):
        raise pytest.UsageError(f"--engine {engine}: only docker is known")
    client_image, client_words = _image(config, "client", REFERENCE_CLIENT_IMAGE if engine else "")
    server_image, server_words = _image(config, "server", REFERENCE_SERVER_IMAGE if engine else "")
    return Sides(
        client_words if client_image else words(config, "--client") or REFERENCE_CLIENT,
        server_words if server_image else words(config, "--server") or REFERENCE_SERVER,
        Images(client_image, server_image, _limits(config)),
    )


def check_images(config: pytest.Config, profile: Profile) -> None:
    """Refuse what cannot be, before anything is set up."""
    without = ("--tls", "--ipv6")
    if sides_of(config, profile).images:
        if beside := given(config, *without):
            raise pytest.UsageError(f"{beside[0]} cannot be had with images: their networks are IPv4, without TLS")
        if config.getoption("--faults") == NETNS:
            raise pytest.UsageError("--faults netns cannot be had with images: their networks are the engine's")
    elif limits := given(config, "--container-memory", "--container-cpus"):
        raise pytest.UsageError(f"{limits[0]} has no effect: nothing of this run is an image")


def words(config: pytest.Config, option: str) -> tuple[str, ...]:
    """Return the words of a command that was given; none where it was not."""
    text = config.getoption(option)
    if text is None:
        return ()
    side = option[2:].removesuffix("-image")
    kind = "image" if option.endswith("-image") else "command"
    try:
        return words_of(text, given_by=option, kind=kind, or_else=f"leave it out to take the reference {side}")
    except UsageError as error:
        raise pytest.UsageError("; ".join(filter(None, [error.found, error.mend]))) from error


def _image(config: pytest.Config, side: str, reference: str) -> tuple[str, tuple[str, ...]]:
    """Return the image of a side, and the words after it; nothing where a command is under test."""
    named = words(config, f"--{side}-image")
    if named:
        return named[0], named[1:]
    return ("" if given(config, f"--{side}") else reference), ()


def _limits(config: pytest.Config) -> Limits:
    memory, cpus = config.getoption("--container-memory"), config.getoption("--container-cpus")
    default = Limits()
    try:
        limits = Limits(memory or default.memory, float(cpus) if cpus is not None else default.cpus)
    except ValueError as error:
        raise pytest.UsageError(f"--container-cpus {cpus!r} is no number") from error
    if limits.cpus <= 0:
        raise pytest.UsageError(f"--container-cpus {cpus!r}: some of a processor is needed")
    return limits
