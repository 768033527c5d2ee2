"""The decoder of the wire: any bytes are a frame or a WireError, and a frame comes back as it was."""

from __future__ import annotations

from collections.abc import Callable

from harness.reference.wire import (
    FRAME_BYTES_MAX,
    Frame,
    WireError,
    decode_from_client,
    decode_from_server,
    encode,
)
from tests.fuzz.outcome import in_short

WHY_MAX = 500  # of what is told of a frame that is refused


def run(data: bytes) -> str:
    """Read bytes as a frame of either end: the very bytes, and the text that a WebSocket makes of them."""
    outcomes = []
    for decode in (decode_from_client, decode_from_server):
        frame, outcome = _decoded(decode, data)
        outcomes.append(outcome)
        try:
            text = data.decode()
        except UnicodeDecodeError:
            assert frame is None, "what is no UTF-8 is no frame"
        else:
            assert _decoded(decode, text)[0] == frame
        if frame is not None:
            assert decode(encode(frame)) == frame
            assert len(data) <= FRAME_BYTES_MAX
    return " / ".join(outcomes)


def _decoded(decode: Callable[[bytes | str], Frame], data: bytes | str) -> tuple[Frame | None, str]:
    try:
        frame = decode(data)
    except WireError as error:
        return None, f"{error.close_code} {in_short(error, WHY_MAX)}"
    return frame, type(frame).__name__
