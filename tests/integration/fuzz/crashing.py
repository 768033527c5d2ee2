"""A target for the tests of the fuzzer: bytes that begin in a certain way crash it."""

from __future__ import annotations


def run(data: bytes) -> str:
    if data[:1] == b"{" and data[1:2] == b"!":
        raise ValueError("planted")
    return "well"
