"""Whether the containers of a network can reach this machine, tried before anybody is judged by it.

A firewall may keep them from it. Then every client would fail to log in, and seem to be at fault.
"""

from __future__ import annotations

import http.client
import json
import socket
import time

from harness.addresses import written
from harness.containers.engine import Network
from harness.containers.holder import PORT, Held
from harness.errors import HostError

_PROBE_PORT = 2  # of the container: what connects there is led on to this machine
_ANSWER_S = 5.0  # on a network of one machine far less is enough, unless somebody drops what is sent


def check_reach(network: Network, held: Held) -> None:
    """Have the Toxiproxy in a container connect to this machine (in a thread, for it blocks).

    Raises:
        HostError: nothing has come from there.
    """
    with socket.create_server((network.gateway, 0)) as listener:
        listener.settimeout(_ANSWER_S)
        try:
            _lead_on(held.host, listener.getsockname())
            with socket.create_connection((held.host, _PROBE_PORT), timeout=_ANSWER_S):
                listener.accept()[0].close()
        except (OSError, http.client.HTTPException) as error:
            raise HostError(
                f"a container on the network of the clients does not reach this machine at {network.gateway}: {error}",
                why="the links of the run listen there",
                mend="have the firewall let containers in, such as: iptables -I INPUT -i 'br-+' -j ACCEPT",
            ) from error


def _lead_on(host: str, to: tuple[str, int]) -> None:
    proxy = {"name": "probe", "listen": f"0.0.0.0:{_PROBE_PORT}", "upstream": written(to), "enabled": True}
    deadline_s = time.monotonic() + _ANSWER_S
    while True:
        connection = http.client.HTTPConnection(host, PORT, timeout=_ANSWER_S)
        try:
            connection.request("POST", "/proxies", json.dumps(proxy))
            answer = connection.getresponse()
            if answer.status != http.client.CREATED:
                raise OSError(f"the Toxiproxy in it answered {answer.status}: {answer.read()!r}")
            return
        except ConnectionRefusedError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.02)  # it is just starting, and says so to nobody
        finally:
            connection.close()
