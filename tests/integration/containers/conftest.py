"""The container engine of this machine, and images made there from this machine's own Python and this checkout."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import docker
import pytest

from harness.containers.engine import ContainerEngine, Limits, connect, open_engine
from harness.errors import HostError
from tests.images.base import write_base

ROOT = Path(__file__).resolve().parents[3]
BASE = f"linkproof-test-base-{os.getpid()}"
REQUIRED = "LINKPROOF_TEST_ENGINE"  # set to 'required' where a missing engine is to be a failure, as in CI

Test = Callable[[ContainerEngine], Awaitable[None]]
RunInEngine = Callable[..., None]


@pytest.fixture(scope="session")
def api() -> Iterator[docker.APIClient]:
    try:
        client = connect()
    except HostError as error:
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(f"LEFT OUT, NO CONTAINER ENGINE: nothing about images was tested. {error.found}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def base(api: docker.APIClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with a Python and a shell, which starts nothing by itself."""
    tar = tmp_path_factory.mktemp("base") / "base.tar"
    write_base(tar)
    api.import_image_from_file(str(tar), repository=BASE)
    tar.unlink()
    yield BASE
    api.remove_image(BASE, force=True)


@pytest.fixture(scope="session")
def reference_images(api: docker.APIClient, base: str) -> Iterator[tuple[str, str]]:
    """The reference client and server as 'docker compose build' would make them of this checkout."""
    names = ("linkproof-client", "linkproof-server")
    before = {name: _id_of(api, name) for name in names}
    for name in names:
        target = name.removeprefix("linkproof-")
        said = list(api.build(str(ROOT), tag=name, buildargs={"BASE_IMAGE": base}, target=target, rm=True, decode=True))
        assert "error" not in said[-1], "".join(str(line.get("stream", line)) for line in said)
    yield names
    for name in names:
        api.remove_image(name, force=True)
        if before[name] is not None:  # somebody's own: it had lost its name
            api.tag(before[name], name)


def _id_of(api: docker.APIClient, name: str) -> str | None:
    return next((str(each["Id"]) for each in api.images(name)), None)


@pytest.fixture
def run_in_engine(api: docker.APIClient) -> RunInEngine:
    """Runs an async test with the engine; afterwards nothing of it may be left there."""

    def run(test: Test, limits: Limits | None = None) -> None:
        async def play() -> None:
            async with open_engine(limits or Limits(), say=lambda _: None) as engine:
                await test(engine)
            assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(play())
        assert leftovers(api) == []

    return run


def leftovers(api: docker.APIClient) -> list[str]:
    """Return whatever of any run is there."""
    filters = {"label": "linkproof.owner"}
    found = [name for each in api.containers(all=True, filters=filters) for name in each["Names"]]
    found += [each["Name"] for each in api.networks(filters=filters)]
    return found + [name for each in api.images(filters=filters) for name in each["RepoTags"]]
