"""Toxiproxy's HTTP API, one consumer for each server, and one proxy as seen through it.

toxiproxy-python keeps its address in a class shared by all, has no time-outs and swallows errors; so its Proxy and
Toxic classes serve here as what they are good at, the model of what the server says, and the calls are made by a
consumer with the same get/post/delete and these differences: an address of its own, 3 s for each call, an error for
each answer that is not a success, no HTTP_PROXY, and PATCH.

Everything here blocks; it is called in the worker threads of `proxies.server`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Self
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from toxiproxy.proxy import Proxy
from toxiproxy.toxic import Toxic

from harness.errors import HarnessError, ToxiproxyError
from proxies.toxics import Direction, ToxicSpec

# Toxiproxy itself gives up after 25 s, when a peer that does not read has wedged a proxy; an answer takes 1 ms.
CALL_TIMEOUT_S: Final = 3.0
# A call is mostly Python's own work, so more threads only wait for each other: with 128 cuts injected at once the
# interval around each has its median at 1.5 ms with 2 threads, 2.9 ms with 4 and 6.4 ms with 8, for the same
# throughput. One more than two, so that a proxy that is wedged for 3 s does not hold up the others.
WORKERS: Final = 3


class UnreachableError(ToxiproxyError):
    """Toxiproxy did not answer within the time, or is not there at all."""


class RefusedError(ToxiproxyError):
    """Toxiproxy answered that it did not do what it was told.

    Attributes:
        status: the HTTP status.
        body: what it said.
    """

    def __init__(self, call: str, status: int, body: str) -> None:
        self.status = status
        self.body = body
        wedged = status == requests.codes.service_unavailable
        super().__init__(
            f"{call} was answered with {status}: {body.strip() or '(no text)'}",
            why="a peer that does not read has filled the link's buffers and wedged its proxy." if wedged else "",
            mend="look into Toxiproxy's log; deleting the proxy frees it." if wedged else "",
        )


class Consumer:
    """The API of one Toxiproxy server; safe to be called from several threads.

    Raises:
        UnreachableError: from each call that got no answer within 3 s.
        RefusedError: from each call whose answer was not a success.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=WORKERS))

    def get(self, url: str, params: Mapping[str, str] | None = None, **kwargs: Any) -> requests.Response:
        """Read from the API."""
        return self._call("GET", url, params=params, **kwargs)

    def post(self, url: str, data: Any = None, json: Any = None, **kwargs: Any) -> requests.Response:
        """Make something new."""
        return self._call("POST", url, data=data, json=json, **kwargs)

    def patch(self, url: str, json: Any = None, **kwargs: Any) -> requests.Response:
        """Change what exists."""
        return self._call("PATCH", url, json=json, **kwargs)

    def delete(self, url: str, **kwargs: Any) -> requests.Response:
        """Delete what exists."""
        return self._call("DELETE", url, **kwargs)

    def version(self) -> str:
        """The version that the server says it has; ``git`` from one that was built by `go install`."""
        return str(_json_object(self.get("/version")).get("version", ""))

    def close(self) -> None:
        """Close the connections to the API."""
        self._session.close()

    def _call(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        call = f"{method} {url}"
        kwargs.setdefault("timeout", CALL_TIMEOUT_S)
        kwargs.setdefault("allow_redirects", False)
        try:
            response = self._session.request(method, f"http://{self.host}:{self.port}{url}", **kwargs)
        except requests.RequestException as error:
            raise UnreachableError(
                f"Toxiproxy at {self.host}:{self.port} did not answer {call}",
                why=str(error),
                mend="look into Toxiproxy's log: it has ended, is stopped, or a peer that does not read has wedged it.",
            ) from error
        if not 200 <= response.status_code < 300:
            raise RefusedError(call, response.status_code, response.text)
        return response


@dataclass(frozen=True, slots=True)
class ToxicState:
    """One toxic as Toxiproxy says that it is."""

    kind: str
    stream: str
    toxicity: float
    attributes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ProxyState:
    """One proxy as Toxiproxy says that it is."""

    enabled: bool
    listen: str
    upstream: str
    toxics: Mapping[str, ToxicState]


class ProxyControl:
    """One proxy of one server, and the calls that change it.

    A toxic that was added stays until the proxy is deleted and is switched by its toxicity, 1 or 0. Removing one
    takes 5 s for each chunk that is queued towards a peer that is gone, during which the proxy accepts nothing, and
    with two in one direction it can crash the whole server; switching does neither (measured on v2.12.0).
    """

    def __init__(self, consumer: Consumer, name: str) -> None:
        self.name = name
        self._consumer = consumer
        self._url = f"/proxies/{quote(name, safe='')}"
        self._stacks: dict[Direction, list[ToxicSpec]] = {direction: [] for direction in Direction}

    @classmethod
    def create(cls, consumer: Consumer, name: str, *, listen: str, upstream: str) -> Self:
        """Make a proxy that listens at once; `listen` and `upstream` are ``host:port``."""
        consumer.post("/proxies", json={"name": name, "listen": listen, "upstream": upstream, "enabled": True})
        proxy = cls(consumer, name)
        state = proxy.state()
        if not state.enabled or state.upstream != upstream:
            raise ToxiproxyError(f"the proxy {name} was made otherwise than it was told: {state}")
        return proxy

    def state(self) -> ProxyState:
        """Read back what the server has."""
        return _proxy_state(_json_object(self._consumer.get(self._url)))

    def set_enabled(self, enabled: bool) -> None:
        """Listen, or close every connection and listen no more."""
        self._consumer.patch(self._url, json={"enabled": enabled})

    def install(self, toxic: ToxicSpec) -> None:
        """Make sure that the toxic exists with these attributes, switched off."""
        stack = self._stacks[toxic.direction]
        known = next((one for one in stack if one.name == toxic.name), None)
        if known is None:
            self._consumer.post(f"{self._url}/toxics", json=_toxic_json(toxic))
            stack.append(toxic)
        elif known != toxic:
            self._patch_toxic(toxic, {"toxicity": 0, "attributes": dict(toxic.attributes)})
            stack[stack.index(known)] = toxic

    def switch(self, toxic: ToxicSpec, *, on: bool) -> None:
        """Switch a toxic that was installed; one call, which is when the fault takes effect."""
        self._patch_toxic(toxic, {"toxicity": 1 if on else 0})

    def remove_last(self, toxic: ToxicSpec) -> None:
        """Remove the toxic that was installed last in its direction: the only one whose removal is safe."""
        stack = self._stacks[toxic.direction]
        if not stack or stack[-1] != toxic:
            raise HarnessError(
                f"{toxic.name} is not the last toxic of {self.name} {toxic.direction}",
                why="removing any but the last can crash the whole Toxiproxy.",
            )
        self._consumer.delete(self._toxic_url(toxic))
        stack.pop()

    def delete(self) -> None:
        """Delete the proxy with its connections and toxics; works on a wedged one too."""
        self._consumer.delete(self._url)

    def _patch_toxic(self, toxic: ToxicSpec, change: Mapping[str, object]) -> None:
        self._consumer.patch(self._toxic_url(toxic), json=change)

    def _toxic_url(self, toxic: ToxicSpec) -> str:
        return f"{self._url}/toxics/{quote(toxic.name, safe='')}"


def _toxic_json(toxic: ToxicSpec) -> dict[str, object]:
    return {
        "name": toxic.name,
        "type": toxic.kind,
        "stream": toxic.direction.stream,
        "toxicity": 0,
        "attributes": dict(toxic.attributes),
    }


def _proxy_state(answer: dict[str, Any]) -> ProxyState:
    try:
        proxy = Proxy(**answer)
        toxics = [Toxic(**toxic) for toxic in answer["toxics"]]
        states = {one.name: ToxicState(one.type, one.stream, one.toxicity, one.attributes) for one in toxics}
        return ProxyState(proxy.enabled, proxy.listen, proxy.upstream, MappingProxyType(states))
    except (KeyError, TypeError) as error:
        raise ToxiproxyError(f"Toxiproxy described a proxy in a way that was not understood: {answer}") from error


def _json_object(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except requests.JSONDecodeError as error:
        raise ToxiproxyError(f"Toxiproxy answered with no JSON: {response.text[:200]!r}") from error
    if not isinstance(answer, dict):
        raise ToxiproxyError(f"Toxiproxy answered with no JSON object: {response.text[:200]!r}")
    return answer
