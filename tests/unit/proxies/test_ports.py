from __future__ import annotations

from itertools import pairwise

import pytest

from harness.errors import HostError
from proxies.ports import BLOCK_PORTS, END_PORT, FIRST_PORT, PortBlock, blocks


def test_the_blocks_do_not_overlap_and_end_below_the_ephemeral_ports() -> None:
    starts = sorted(blocks())
    assert starts[0] >= FIRST_PORT
    assert starts[-1] + BLOCK_PORTS <= END_PORT <= 32_768
    assert all(later - earlier == BLOCK_PORTS for earlier, later in pairwise(starts))


def test_a_port_that_is_given_back_is_used_again_last() -> None:
    ports = PortBlock(20_000)
    first = ports.take()
    ports.give_back(first)
    taken = [ports.take() for _ in range(BLOCK_PORTS - 1)]
    assert 20_000 not in taken
    assert taken[-1] == first
    with pytest.raises(HostError, match="no port is left"):
        ports.take()
