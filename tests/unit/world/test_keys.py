from __future__ import annotations

import ssl
import stat
from pathlib import Path

from harness.guard import Guard
from harness.world.keys import Keys, new_keys


def test_without_tls_there_is_a_secret_and_no_file() -> None:
    with Guard() as guard, new_keys(guard, tls=False) as first, new_keys(guard, tls=False) as second:
        assert len(first.secret) == 32
        assert first.secret != second.secret
        assert first == Keys(first.secret)


def test_with_tls_there_are_files_that_go_with_the_run() -> None:
    with Guard() as guard, new_keys(guard, tls=True) as keys:
        files = [Path(name) for name in (keys.ca_file, keys.certificate_file, keys.key_file)]
        assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700, "nobody else can read the private key"
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(keys.certificate_file, keys.key_file)
        (trusted,) = ssl.create_default_context(cafile=keys.ca_file).get_ca_certs()
        assert trusted["subject"] == trusted["issuer"]
        assert "PRIVATE" not in files[0].read_text()
    assert [file for file in files if file.parent.exists()] == []


def test_the_secret_is_not_shown() -> None:
    assert "0123" not in repr(Keys("0123"))


def test_a_server_is_told_the_keys_of_this_run_and_no_others() -> None:
    stale = {"PATH": "/bin", "LINKPROOF_SECRET": "old", "LINKPROOF_TLS_CERT": "/old.pem", "LINKPROOF_TLS_KEY": "/old"}
    assert Keys("new").server_environment(stale) == {"PATH": "/bin", "LINKPROOF_SECRET": "new"}
    assert Keys("new", "/ca.pem", "/s.pem", "/s.key").server_environment(stale) == {
        "PATH": "/bin",
        "LINKPROOF_SECRET": "new",
        "LINKPROOF_TLS_CERT": "/s.pem",
        "LINKPROOF_TLS_KEY": "/s.key",
    }
