from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.report.certificate import EVIDENCE, HARNESS, RULES, Predicate, Resource, Result, Statement
from harness.report.envelope import (
    bytes_in,
    read,
    read_private_key,
    read_public_key,
    signed,
    written,
)

SAID: dict[str, Any] = {"clauses": [{"clause": "GENERAL-1", "verdict": "PASS", "checks": 1}], "profile": "rtm-1.0"}
PARTS = [Resource(name, {"sha256": "a" * 64}, SAID) for name in (EVIDENCE, RULES, HARNESS)]
STATEMENT = Statement(
    "https://in-toto.io/Statement/v1",
    [Resource("sdk.so", {"sha256": "b" * 64})],
    "https://in-toto.io/attestation/test-result/v0.1",
    Predicate(Result.PASSED, PARTS, ["t.py::test_a[ü]"], [], []),
)
PRIVATE = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def public_pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys of several kinds."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "private.pem").write_bytes(pem(PRIVATE))
    (folder / "public.pem").write_bytes(public_pem(PRIVATE))
    (folder / "other.pem").write_bytes(public_pem(ed25519.Ed25519PrivateKey.generate()))
    (folder / "encrypted.pem").write_bytes(pem(PRIVATE, b"password"))
    curve = ec.generate_private_key(ec.SECP256R1())
    (folder / "curve.pem").write_bytes(pem(curve))
    (folder / "public_curve.pem").write_bytes(public_pem(curve))
    (folder / "text.pem").write_text("no key")
    (folder / "half.pem").write_bytes(pem(PRIVATE)[:60])
    return folder


@pytest.fixture(scope="module")
def certificate(keys: Path) -> bytes:
    return signed(STATEMENT, read_private_key(keys / "private.pem"))


# ------------------------------------------------------------------------------------------------- there and back


def test_a_bare_statement_comes_back_as_it_was_and_nobody_signed_it(keys: Path) -> None:
    sealed = read(written(STATEMENT))
    assert sealed.statement() == STATEMENT
    assert sealed.signers == []
    assert not sealed.is_signed_by(read_public_key(keys / "public.pem"))


def test_a_signed_statement_comes_back_as_it_was_with_who_signed_it(keys: Path, certificate: bytes) -> None:
    sealed, key = read(certificate), read_public_key(keys / "public.pem")
    assert sealed.statement() == STATEMENT
    assert sealed.signers == [key.keyid]
    assert sealed.is_signed_by(key)
    assert not sealed.is_signed_by(read_public_key(keys / "other.pem"))


def test_the_signature_is_one_of_dsse_that_anybody_can_check(certificate: bytes) -> None:
    envelope = json.loads(certificate)
    assert set(envelope) == {"payload", "payloadType", "signatures"}
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    assert (payload, kind) == (written(STATEMENT), b"application/vnd.in-toto+json")
    pre_authentication = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    (signature,) = envelope["signatures"]
    assert base64.b64decode(signature["sig"]) == PRIVATE.sign(pre_authentication)


def test_what_is_signed_by_another_key_in_the_name_of_the_first_is_not_signed_by_it(keys: Path) -> None:
    forger = read_private_key(keys / "private.pem")
    victim = read_public_key(keys / "other.pem")
    forger.public_key.keyid = victim.keyid
    sealed = read(signed(STATEMENT, forger))
    assert sealed.signers == [victim.keyid]
    assert not sealed.is_signed_by(victim)


# --------------------------------------------------------------------------------------- what is no certificate

Change = Callable[[dict[str, Any]], object]


def with_payload(envelope: dict[str, Any], payload: bytes) -> None:
    envelope["payload"] = base64.b64encode(payload).decode()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda it: it.pop("payload"), r"missing required field `payload`"),
        (lambda it: it.update(payload=7), r"Expected `str`, got `int` - at `\$\.payload`"),
        (lambda it: it.update(payload=it["payload"][:-3]), r"its envelope cannot be read: Invalid base64"),
        (lambda it: it.update(payload="*" + it["payload"][1:]), r"its envelope cannot be read: "),
        (lambda it: it.update(payloadType="text/plain"), r"in its envelope is 'text/plain'"),
        (lambda it: it.update(signatures=[]), r"its envelope has no signature"),
        (lambda it: it.update(signatures={}), r"Expected `array`"),
        (lambda it: it["signatures"].append(it["signatures"][0]), r"Multiple signatures found for keyid"),
        (lambda it: it["signatures"][0].update(sig=None), r"Expected `str`, got `null`"),
        (lambda it: it["signatures"][0].update(sig=it["signatures"][0]["sig"][:-1]), r"padding"),
        (lambda it: it["signatures"][0].update(more=1), r"unknown field `more`"),
        (lambda it: it.update(more=1), r"unknown field `more`"),
    ],
)
def test_an_envelope_that_is_none_is_refused_and_it_says_why(certificate: bytes, change: Change, why: str) -> None:
    envelope = json.loads(certificate)
    change(envelope)
    with pytest.raises(UsageError, match=rf"this is no certificate of linkproof's\n  why:  .*{why}"):
        read(json.dumps(envelope).encode())


def test_an_envelope_that_is_written_otherwise_is_refused(certificate: bytes) -> None:
    with pytest.raises(UsageError, match="its envelope is not written as linkproof writes one"):
        read(certificate.replace(b"\n", b"\n\n", 1))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it cannot be read: Input data was truncated"),
        (b"{", "it cannot be read: Input data was truncated"),
        (b"[]", "Expected `object`, got `array`"),
        (b"\xff\xfe", "it cannot be read: "),
        (b'{"_type":"\xff', "it cannot be read: "),
        (b'{"a":' + b"[" * 100_000, "it cannot be read: "),
        (b"{}", "missing required field `payload`"),
    ],
)
def test_a_file_that_is_no_certificate_is_refused_and_it_says_why(data: bytes, why: str) -> None:
    with pytest.raises(UsageError, match=rf"this is no certificate of linkproof's\n  why:  .*{why}"):
        read(data)


@pytest.mark.parametrize(
    ("there", "instead", "why"),
    [
        (b"in-toto.io/Statement/v1", b"in-toto.io/Statement/v0.1", r"Invalid enum value .* at `\$\._type`"),
        (b"test-result/v0.1", b"provenance/v1", r"Invalid enum value .* at `\$\.predicateType`"),
        (b'"PASSED"', b'"PERFECT"', r"Invalid enum value 'PERFECT'"),
        (b'"passedTests"', b'"goodTests"', r"missing required field `passedTests`"),
        (b'"warnedTests": []', b'"warnedTests": {}', r"Expected `array`, got `object`"),
        (b'"checks": 1', b'"checks": 1e', r"JSON is malformed"),
        (b'"predicate":', b'"more": 1, "predicate":', r"not written as linkproof writes one"),
        (b"[\xc3\xbc]", b"[\\u00fc]", r"not written as linkproof writes one"),
    ],
)
def test_a_statement_that_is_none_of_linkproofs_is_refused_and_it_says_why(
    there: bytes, instead: bytes, why: str
) -> None:
    data = written(STATEMENT)
    assert there in data
    with pytest.raises(UsageError, match=why):
        read(data.replace(there, instead, 1)).statement()


# ---------------------------------------------------------------------------------------------------- no traceback

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
SIGNATURE = st.fixed_dictionaries({}, optional={"keyid": JSON, "sig": st.just("AAAA") | JSON})
ENVELOPE = st.fixed_dictionaries(
    {},
    optional={
        "payload": st.binary().map(lambda data: base64.b64encode(data).decode()) | st.text() | JSON,
        "payloadType": st.just("application/vnd.in-toto+json") | JSON,
        "signatures": st.lists(SIGNATURE, max_size=3) | JSON,
    },
)
OF_STATEMENT = st.fixed_dictionaries(
    {"_type": st.just("https://in-toto.io/Statement/v1") | JSON},
    optional={"subject": st.lists(JSON), "predicateType": JSON, "predicate": JSON},
)


def is_read_or_refused(data: bytes) -> bool:
    """Anything else than a certificate or a clear refusal is a traceback for its user."""
    try:
        read(data).statement()
    except UsageError as error:
        return bool(error.why)
    return True


@given(st.binary() | (JSON | ENVELOPE | OF_STATEMENT).map(lambda value: json.dumps(value).encode()))
def test_whatever_is_in_a_file_it_is_a_certificate_or_refused(data: bytes) -> None:
    assert is_read_or_refused(data)


@given(st.binary(max_size=64), st.data())
def test_a_statement_with_anything_put_into_it_is_one_or_refused(inserted: bytes, data: st.DataObject) -> None:
    whole = written(STATEMENT)
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, min(len(whole), begin + 64)))
    assert is_read_or_refused(whole[:begin] + inserted + whole[end:])


# ------------------------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("encrypted.pem", "is encrypted"),
        ("curve.pem", "is none of Ed25519"),
        ("text.pem", "has no private key"),
        ("half.pem", "has no private key"),
        ("public.pem", "has no private key"),
        ("gone.pem", "cannot be read: No such file"),
        (".", "cannot be read: Is a directory"),
    ],
)
def test_a_private_key_that_cannot_sign_is_refused_and_it_says_how_to_mend_that(
    keys: Path, name: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        read_private_key(keys / name)
    assert raised.value.mend


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("private.pem", "has no public key"),
        ("public_curve.pem", "is none of Ed25519"),
        ("text.pem", "has no public key"),
        ("gone.pem", "cannot be read: No such file"),
    ],
)
def test_a_public_key_that_cannot_check_is_refused_and_it_says_how_to_mend_that(
    keys: Path, name: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        read_public_key(keys / name)
    assert raised.value.mend


def test_a_key_has_one_id_whether_it_signs_or_checks(keys: Path) -> None:
    signer, key = read_private_key(keys / "private.pem"), read_public_key(keys / "public.pem")
    assert signer.public_key.keyid == key.keyid
    assert bytes_in(keys / "text.pem") == b"no key"
