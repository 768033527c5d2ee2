"""docker-compose.yml: what it says, as compose itself reads it, and its containers made by plain docker commands."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import docker
import pytest
import requests
from ruamel.yaml import YAML

from proxies.binary import find
from tests.integration.containers.conftest import ROOT
from tests.integration.containers.test_certify import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

CALL_S = 60.0
MARK = f"linkproof-test-compose-{os.getpid()}"
PROBE = """
import socket, sys
for at in sys.argv[1:]:
    host, _, port = at.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 2).close()
        print("reached")
    except OSError as error:
        print(type(error).__name__)
"""

Services = dict[str, Any]


def docker_run(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False, timeout=CALL_S)
    assert done.returncode == 0, done.stderr
    return (done.stdout + done.stderr).strip()  # 'docker logs' keeps the two apart


def composes() -> Iterator[list[str]]:
    """Yield the command of each compose that is there."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(words[0])
            and not subprocess.run([*words, "version"], capture_output=True, check=False).returncode
        ):
            yield words


def written() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
    return loaded


def test_only_toxiproxy_is_on_both_networks() -> None:
    """As compose itself reads the file, where there is one; else as it is written."""
    read = [written()]
    for words in composes():
        told = subprocess.run([*words, "config"], cwd=ROOT, capture_output=True, text=True, check=True)
        read.append(YAML(typ="safe").load(told.stdout))
    for each in read:
        on = {name: sorted(service["networks"]) for name, service in each["services"].items()}
        assert on == {"toxiproxy": ["behind", "clients"], "server": ["behind"], "client": ["clients"]}
        assert each["networks"]["behind"]["internal"] is True
        published = [str(port) for port in each["services"]["toxiproxy"]["ports"]]
        assert all("127.0.0.1" in port for port in published)
        assert len(published) == 2


@pytest.fixture
def toxiproxy_image(api: docker.APIClient) -> Iterator[str]:
    """An image as Toxiproxy's own: its binary is the entrypoint."""
    binary = find().path
    assert binary is not None
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(binary, "toxiproxy")
    entry = 'ENTRYPOINT ["/toxiproxy"]'
    api.import_image_from_data(packed.getvalue(), repository=MARK, tag="latest", changes=[entry])
    yield MARK
    api.remove_image(MARK, force=True)


@pytest.fixture
def services(reference_images: Sequence[str], toxiproxy_image: str) -> Iterator[Services]:
    """The server and the Toxiproxy of the file, with its networks; the client is each test's to run."""
    if shutil.which("docker") is None:
        pytest.skip("LEFT OUT, NO DOCKER COMMAND: the containers of docker-compose.yml were not tried")
    made = written()
    services: Services = made["services"]
    services["toxiproxy"]["image"] = toxiproxy_image
    assert {services[name]["image"] for name in ("client", "server")} == set(reference_images)
    try:
        for name, options in made["networks"].items():
            internal = ["--internal"] if options and options["internal"] else []
            docker_run("network", "create", *internal, f"{MARK}-{name}")
        for name in ("server", "toxiproxy"):
            _start(name, services[name])
        yield services
    finally:
        docker_run("rm", "--force", "--volumes", *(f"{MARK}-{name}" for name in ("toxiproxy", "server")))
        docker_run("network", "rm", *(f"{MARK}-{name}" for name in made["networks"]))


def _start(name: str, service: dict[str, Any]) -> None:
    container = f"{MARK}-{name}"
    first, *others = service["networks"]
    entry = ["--entrypoint", *service["entrypoint"]] if "entrypoint" in service else []
    mounts = [f"--volume={ROOT / each.removeprefix('./')}" for each in service.get("volumes", [])]
    alias = ("--network-alias", name)
    options = ["--name", container, "--network", f"{MARK}-{first}", *alias, *entry, *mounts]
    docker_run("create", *options, service["image"], *service["command"])
    for other in others:
        docker_run("network", "connect", "--alias", name, f"{MARK}-{other}", container)
    docker_run("start", container)


def test_the_client_logs_in_through_toxiproxy_and_reaches_the_server_by_no_other_way(services: Services) -> None:
    wait_until(lambda: "token of alice" in docker_run("logs", f"{MARK}-server"), "it has printed a token")
    token = re.findall(r"token of alice in demo: (\S+)", docker_run("logs", f"{MARK}-server"))[0]
    # Word for word from the comment of the file.
    lines = re.findall(r"^#   (\{.*\})$", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE)
    (network,) = services["client"]["networks"]
    run = ["docker", "run", "--rm", "--interactive", "--network", f"{MARK}-{network}"]
    with subprocess.Popen(
        [*run, services["client"]["image"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write("\n".join(lines).replace("TOKEN", token) + "\n")
        client.stdin.flush()
        told = [json.loads(client.stdout.readline()) for _ in range(5)]
        client.stdin.close()
    assert "onLoginSuccess" in [each.get("event") for each in told]
    inspected = json.loads(docker_run("inspect", f"{MARK}-server", f"{MARK}-toxiproxy"))
    (behind,) = inspected[0]["NetworkSettings"]["Networks"].values()
    links = inspected[1]["NetworkSettings"]["Networks"][f"{MARK}-{network}"]
    probe = [*run[1:], "--entrypoint", "python3", services["client"]["image"], "-c", PROBE]
    ways = ("server:7100", f"{behind['IPAddress']}:7100", "toxiproxy:7200")
    by_name, by_address, by_toxiproxy = docker_run(*probe, *ways).split()
    assert (by_name, by_toxiproxy) == ("gaierror", "reached")
    assert by_address != "reached"
    proxy = f"http://{links['IPAddress']}:8474/proxies/server"
    assert requests.post(proxy, json={"enabled": False}, timeout=CALL_S).json()["enabled"] is False
    assert docker_run(*probe, "toxiproxy:7200") == "ConnectionRefusedError"
