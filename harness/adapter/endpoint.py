"""Where one client finds its server, and the ways to tell it: by ``create``, by arguments, by the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.adapter.contract import Create
from harness.addresses import written
from harness.errors import UsageError

PLACEHOLDERS = ("host", "port", "url", "app_id", "ca_file")
# An SDK that heeds one of these would reach the server through somebody else's process, past its link.
PROXY_VARIABLES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SOCKS_PROXY", "WS_PROXY", "WSS_PROXY"})
# What TLS libraries read by themselves: OpenSSL and what is built on it, Go, Rust's native roots; Node.
CA_VARIABLES = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")

_BRACES = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<name>[^{}]*)\}|(?P<stray>[{}])")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What one process is told: an address, a tenant, and with TLS the CA that vouches for the server."""

    host: str
    port: int
    app_id: str
    ca_file: str = ""  # the path of its certificate (PEM); empty without TLS
    scheme: str = "ws"  # of the url; with TLS it has an 's' more

    @property
    def is_tls(self) -> bool:
        """Whether the server speaks TLS."""
        return bool(self.ca_file)

    @property
    def url(self) -> str:
        """The whole of it: ``ws://127.0.0.1:10301``, ``wss://[::1]:10301``."""
        return f"{self.scheme}{'s' if self.is_tls else ''}://{written((self.host, self.port))}"

    def create(self) -> Create:
        """Return the arguments of ``create``."""
        return Create(self.url, self.app_id, self.host, self.port, self.is_tls, self.ca_file)

    def command(self, words: Sequence[str]) -> list[str]:
        """Return a command with each placeholder replaced.

        Raises:
            UsageError: it has a placeholder that is not known, or a brace that belongs to none.
        """
        return [_filled(word, self._values()) for word in words]

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of the process: what it inherits, without proxies, and ``LINKPROOF_...``."""
        kept = {name: value for name, value in inherited.items() if name.upper() not in PROXY_VARIABLES}
        told = {f"LINKPROOF_{name.upper()}": value for name, value in self._values().items()}
        trusted = dict.fromkeys(CA_VARIABLES, self.ca_file) if self.is_tls else {}
        return kept | told | trusted

    def _values(self) -> dict[str, str]:
        return {name: str(getattr(self, name)) for name in PLACEHOLDERS}


def check_placeholders(words: Sequence[str]) -> None:
    """Look at a command before there is a server to name.

    Raises:
        UsageError: it has a placeholder that is not known, or a brace that belongs to none.
    """
    for word in words:
        _filled(word, dict.fromkeys(PLACEHOLDERS, ""))


def _filled(word: str, values: Mapping[str, str]) -> str:
    def replaced(found: re.Match[str]) -> str:
        if found["brace"] is not None:
            return found["brace"][0]
        if found["stray"] is not None or found["name"] not in values:
            known = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise UsageError(
                f"{found[0]!r} in {word!r} is no placeholder",
                why=f"known are {known}",
                mend="write {{ and }} for braces that are meant as they stand",
            )
        return values[found["name"]]

    return _BRACES.sub(replaced, word)
