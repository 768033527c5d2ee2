from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol

from tests.benchmarks.load import Client, frame


@pytest.mark.parametrize("length", [0, 1, 125, 126, 4_000])
def test_a_frame_is_one_that_a_server_takes(length: int) -> None:
    server = Protocol(SERVER)
    server.receive_data(frame(b"x" * length))
    assert server.events_received() == [Frame(Opcode.TEXT, b"x" * length)]


@pytest.fixture
def client() -> Iterator[Client]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = Client(0, server.getsockname())
        with one.socket:
            yield one


def test_frames_are_read_however_they_are_cut(client: Client) -> None:
    texts = [b"a" * 125, b"b" * 126, b"", b"c" * 1_000]
    data = b"".join(Frame(Opcode.TEXT, text).serialize(mask=False) for text in texts)
    assert [text for byte in data for text in client.frames(bytes([byte]))] == texts
    assert client.frames(data) == texts
