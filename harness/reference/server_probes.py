"""What a server answers to who is no client, on the clients' port: whether it is well, and what it has counted."""

from __future__ import annotations

from collections.abc import Callable

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from harness.reference.server_metrics import CONTENT_TYPE

HEALTH_PATH = "/healthz"
METRICS_PATH = "/metrics"


class Probes:
    """Answers plain HTTP requests; one that wants to be a WebSocket is a client's, whatever its path."""

    def __init__(self, exposition: Callable[[], str]) -> None:
        self._exposition = exposition

    def __call__(self, websocket: ServerConnection, request: Request) -> Response | None:
        """Return the answer to a request, or None where the handshake is to go on."""
        if "Upgrade" in request.headers:
            return None
        path = request.path.partition("?")[0]
        if path == HEALTH_PATH:
            return websocket.respond(200, "ok\n")
        if path == METRICS_PATH:
            response = websocket.respond(200, self._exposition())
            del response.headers["Content-Type"]
            response.headers["Content-Type"] = CONTENT_TYPE
            return response
        return None
