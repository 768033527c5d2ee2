"""What the servers and the clients of one run know each other by: the secret of the tokens, and with TLS a CA."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.adapter.contract import CERTIFICATE_VARIABLE, KEY_VARIABLE, SECRET_VARIABLE
from harness.guard import Guard
from proxies.netns.wire import SERVERS

NAMES = ("127.0.0.1", "::1", "localhost", *SERVERS.values())  # whichever of these a client knows its server by


@dataclass(frozen=True, slots=True)
class Keys:
    """The secret, and the paths of three PEM files, which are empty without TLS."""

    secret: str = field(repr=False)
    ca_file: str = ""  # the CA's certificate: what clients are to trust
    certificate_file: str = ""  # the servers' certificate
    key_file: str = ""  # and its private key

    def server_environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a server: what it inherits, and these keys in the place of any others."""
        keys = {SECRET_VARIABLE: self.secret, CERTIFICATE_VARIABLE: self.certificate_file, KEY_VARIABLE: self.key_file}
        kept = {name: value for name, value in inherited.items() if name not in keys}
        return kept | {name: value for name, value in keys.items() if value}


@contextmanager
def new_keys(guard: Guard, *, tls: bool) -> Iterator[Keys]:
    """Make the keys of a run; the files last no longer, however it ends, and nobody else can read them."""
    secret = secrets.token_hex(16)
    if not tls:
        yield Keys(secret)
        return
    # Here and not above: it takes longer to load than a command that needs no TLS takes to answer.
    import trustme

    with tempfile.TemporaryDirectory(prefix="linkproof-tls-") as folder:
        guard.remove_at_end(Path(folder))
        keys = Keys(secret, *(str(Path(folder, name)) for name in ("ca.pem", "server.pem", "server.key")))
        ca = trustme.CA()
        of_server = ca.issue_cert(*NAMES)
        ca.cert_pem.write_to_path(keys.ca_file)
        of_server.private_key_pem.write_to_path(keys.key_file)
        for certificate in of_server.cert_chain_pems:
            certificate.write_to_path(keys.certificate_file, append=True)
        yield keys
