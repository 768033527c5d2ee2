"""A certificate as a file: the bare statement, or, where somebody signs it, that statement in a DSSE envelope.

The envelope is that of https://github.com/secure-systems-lab/dsse, the signature Ed25519. A file is taken only as it is
written here, byte for byte: so not one of its bytes can be another without being found.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

from harness.errors import UsageError
from harness.report.certificate import Statement

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_NEW_KEY = "make one: openssl genpkey -algorithm ed25519 -out private.pem"
_PUBLIC_KEY = "openssl pkey -in private.pem -pubout -out public.pem"


class _Signature(msgspec.Struct, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    payload: str
    payload_type: str
    signatures: list[_Signature]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A certificate as it was read: the bytes of its statement, and the envelope that they were in, if any."""

    payload: bytes
    envelope: Envelope | None

    @property
    def signers(self) -> list[str]:
        """The ids of the keys that are said to have signed it."""
        return list(self.envelope.signatures) if self.envelope is not None else []

    def is_signed_by(self, key: Key) -> bool:
        """Whether this key signed it."""
        if self.envelope is None:
            return False
        try:
            self.envelope.verify([key], threshold=1)
        except VerificationError:
            return False
        return True

    def statement(self) -> Statement:
        """Return the statement.

        Raises:
            UsageError: it is none of linkproof's.
        """
        try:
            statement = msgspec.json.decode(self.payload, type=Statement)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _no_certificate(f"its statement cannot be read: {error}") from error
        if written(statement) != self.payload:
            raise _no_certificate("its statement is not written as linkproof writes one")
        return statement


def written(statement: Statement) -> bytes:
    """Return a statement as its file has it."""
    return msgspec.json.format(msgspec.json.encode(statement)) + b"\n"


def signed(statement: Statement, signer: CryptoSigner) -> bytes:
    """Return a statement in an envelope, signed, as its file has it."""
    envelope = Envelope(written(statement), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return _written(envelope)


def read(data: bytes) -> Sealed:
    """Return what is in a certificate's file; neither is its signature checked, nor its statement read.

    Raises:
        UsageError: it is no certificate, or not as linkproof wrote it.
    """
    try:
        outermost = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _no_certificate(f"it cannot be read: {error}") from error
    if "_type" in outermost:
        return Sealed(data, None)
    try:
        parts = msgspec.json.decode(data, type=_Envelope)
        envelope = Envelope.from_dict(msgspec.to_builtins(parts))
    except (msgspec.DecodeError, ValueError) as error:
        raise _no_certificate(f"its envelope cannot be read: {error}") from error
    if envelope.payload_type != PAYLOAD_TYPE:
        raise _no_certificate(f"in its envelope is {envelope.payload_type!r}, and not {PAYLOAD_TYPE!r}")
    if not envelope.signatures:
        raise _no_certificate("its envelope has no signature")
    if _written(envelope) != data:
        raise _no_certificate("its envelope is not written as linkproof writes one")
    return Sealed(envelope.payload, envelope)


def bytes_in(path: Path) -> bytes:
    """Return what is in a file that the user named.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", mend="name a file that is there") from error


def read_private_key(path: Path) -> CryptoSigner:
    """Return who signs with the key in this file.

    Raises:
        UsageError: there is no Ed25519 private key in it, or it is encrypted.
    """
    try:
        key = load_pem_private_key(bytes_in(path), password=None)
    except TypeError as error:
        why = "nobody is asked for its password here"
        raise UsageError(f"the key in {path} is encrypted", why=why, mend="openssl pkey -in KEY -out PLAIN") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} has no private key: {error}", why="expected PEM", mend=_NEW_KEY) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"the key in {path} is none of Ed25519", why="certificates are signed so", mend=_NEW_KEY)
    return CryptoSigner(key)


def read_public_key(path: Path) -> Key:
    """Return the public key in this file.

    Raises:
        UsageError: there is no Ed25519 public key in it.
    """
    try:
        key = load_pem_public_key(bytes_in(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        mend = f"make it of the private one: {_PUBLIC_KEY}"
        raise UsageError(f"{path} has no public key: {error}", why="expected PEM", mend=mend) from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"the key in {path} is none of Ed25519", why="certificates are signed so", mend=_NEW_KEY)
    return SSlibKey.from_crypto(key)


def _written(envelope: Envelope) -> bytes:
    return msgspec.json.format(msgspec.json.encode(envelope.to_dict())) + b"\n"


def _no_certificate(why: str) -> UsageError:
    return UsageError("this is no certificate of linkproof's", why=why, mend="name a file that linkproof attest wrote")
