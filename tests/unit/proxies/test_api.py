from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests.adapters import BaseAdapter

from harness.errors import HarnessError, ToxiproxyError
from proxies.api import CALL_TIMEOUT_S, Consumer, ProxyControl, RefusedError, UnreachableError
from proxies.toxics import Direction, ToxicSpec

if TYPE_CHECKING:
    from tests.unit.proxies.conftest import Bench


class Answering(BaseAdapter):
    """Answers every request alike and keeps the last one."""

    def __init__(self, status: int = 200, body: str = "{}", error: Exception | None = None) -> None:
        super().__init__()
        self.status, self.body, self.error = status, body, error
        self.request: requests.PreparedRequest | None = None
        self.given: Mapping[str, Any] = {}

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        self.request, self.given = request, kwargs
        if self.error is not None:
            raise self.error
        response = requests.Response()
        response.status_code = self.status
        response._content = self.body.encode()
        return response

    def close(self) -> None:
        """Nothing is held."""


def consumer(adapter: Answering, host: str = "127.0.0.1", port: int = 8474) -> Consumer:
    made = Consumer(host, port)
    made._session.mount("http://", adapter)
    return made


def test_two_consumers_have_an_address_each() -> None:
    one, two = Answering(), Answering()
    first, second = consumer(one, "127.0.0.1", 1001), consumer(two, "127.0.0.2", 1002)
    first.get("/version")
    second.get("/version")
    assert one.request is not None
    assert two.request is not None
    assert one.request.url == "http://127.0.0.1:1001/version"
    assert two.request.url == "http://127.0.0.2:1002/version"


def test_each_call_has_a_time_out_and_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    adapter = Answering()
    consumer(adapter).post("/proxies", json={})
    assert adapter.given["timeout"] == CALL_TIMEOUT_S
    assert not adapter.given["proxies"]


@pytest.mark.parametrize("status", [301, 400, 404, 409, 500, 503])
def test_each_answer_that_is_no_success_is_an_error(status: int) -> None:
    with pytest.raises(RefusedError, match=f"PATCH /proxies/a was answered with {status}: gone wrong") as raised:
        consumer(Answering(status, "gone wrong")).patch("/proxies/a", json={})
    assert raised.value.status == status
    assert raised.value.body == "gone wrong"
    assert ("wedged" in str(raised.value)) == (status == 503)


def test_no_answer_is_an_error_that_says_which_call() -> None:
    adapter = Answering(error=requests.ConnectTimeout("timed out"))
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:8474 did not answer DELETE /proxies/a"):
        consumer(adapter).delete("/proxies/a")


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"name": "a"}', '{"toxics": null}'])
def test_an_answer_that_describes_no_proxy_is_an_error(body: str) -> None:
    with pytest.raises(ToxiproxyError):
        ProxyControl(consumer(Answering(body=body)), "a").state()


def test_only_the_toxic_that_was_added_last_can_be_removed(bench: Bench) -> None:
    proxy = ProxyControl(bench.api, "p")
    first, last = (ToxicSpec(name, "timeout", Direction.TO_CLIENT, {"timeout": 0}) for name in ("first", "last"))
    proxy.install(first)
    proxy.install(last)
    with pytest.raises(HarnessError, match="crash the whole Toxiproxy"):
        proxy.remove_last(first)
    proxy.remove_last(last)
    proxy.remove_last(first)
    assert bench.api.toxics == []


def test_a_proxy_that_was_made_otherwise_is_an_error() -> None:
    body = '{"name": "a", "listen": "l", "upstream": "other", "enabled": true, "toxics": []}'
    with pytest.raises(ToxiproxyError, match="made otherwise"):
        ProxyControl.create(consumer(Answering(body=body)), "a", listen="l", upstream="u")
