from __future__ import annotations

import msgspec
import pytest

from harness.adapter.contract import Create
from harness.adapter.endpoint import Endpoint, check_placeholders
from harness.errors import UsageError

PLAIN = Endpoint("127.0.0.1", 10301, "1-logout")
MQTT = Endpoint("127.0.0.1", 10301, "1-logout", scheme="mqtt")
TLS = Endpoint("::1", 10301, "1-logout", "/run/ca.pem")


def test_create_says_all_of_it() -> None:
    assert msgspec.structs.asdict(PLAIN.create()) == {
        "url": "ws://127.0.0.1:10301",
        "app_id": "1-logout",
        "host": "127.0.0.1",
        "port": 10301,
        "tls": False,
        "ca_file": "",
    }
    assert TLS.create() == Create("wss://[::1]:10301", "1-logout", "::1", 10301, True, "/run/ca.pem")


def test_a_line_of_before_is_still_a_create() -> None:
    old = msgspec.convert({"url": "ws://127.0.0.1:9", "app_id": "app"}, Create)
    assert (old.host, old.port, old.tls, old.ca_file) == ("", 0, False, "")


@pytest.mark.parametrize(
    ("word", "filled"),
    [
        ("plain", "plain"),
        ("--at={host}", "--at=::1"),
        ("{host}:{port}", "::1:10301"),
        ("{url}/{app_id}", "wss://[::1]:10301/1-logout"),
        ("{ca_file}", "/run/ca.pem"),
        ('{{"url": "{url}"}}', '{"url": "wss://[::1]:10301"}'),
        ("{{host}}", "{host}"),
        ("{{{host}}}", "{::1}"),
    ],
)
def test_placeholders_are_replaced_and_doubled_braces_stand_for_braces(word: str, filled: str) -> None:
    assert TLS.command(["client", word]) == ["client", filled]
    check_placeholders([word])


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    assert Endpoint("h", 1, "{port}").command(["{app_id}"]) == ["{port}"]


@pytest.mark.parametrize("word", ["{hots}", "{}", "{ host }", "{host", "host}", "{a{host}", "{host!r}"])
def test_what_is_no_placeholder_is_refused_with_those_that_are(word: str) -> None:
    for refused in (lambda: PLAIN.command([word]), lambda: check_placeholders([word])):
        with pytest.raises(UsageError) as told:
            refused()
        assert "is no placeholder" in str(told.value)
        assert "{host} {port} {url} {app_id} {ca_file}" in str(told.value)
        assert "{{ and }}" in str(told.value)


def test_the_environment_says_it_too() -> None:
    assert PLAIN.environment({"PATH": "/bin", "LINKPROOF_CA_FILE": "/stale", "SSL_CERT_FILE": "/etc/mine.pem"}) == {
        "PATH": "/bin",
        "LINKPROOF_HOST": "127.0.0.1",
        "LINKPROOF_PORT": "10301",
        "LINKPROOF_URL": "ws://127.0.0.1:10301",
        "LINKPROOF_APP_ID": "1-logout",
        "LINKPROOF_CA_FILE": "",
        "SSL_CERT_FILE": "/etc/mine.pem",
    }


def test_with_tls_the_libraries_are_told_whom_to_trust() -> None:
    told = TLS.environment({"SSL_CERT_FILE": "/etc/mine.pem"})
    trusted = {name: told[name] for name in ("LINKPROOF_CA_FILE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")}
    assert set(trusted.values()) == {"/run/ca.pem"}


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY", "wss_proxy"])
def test_no_proxy_leads_round_the_link(name: str) -> None:
    assert name not in PLAIN.environment({name: "http://proxy:3128"})
    assert PLAIN.environment({"NO_PROXY": "*"})["NO_PROXY"] == "*"


def test_another_system_has_a_scheme_of_its_own() -> None:
    assert MQTT.url == "mqtt://127.0.0.1:10301"
    assert Endpoint("127.0.0.1", 10301, "1-logout", "/run/ca.pem", "mqtt").url == "mqtts://127.0.0.1:10301"
