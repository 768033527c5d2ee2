from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from proxies.toxics import ATTRIBUTES, Direction, ToxicSpec

KINDS = st.sampled_from(sorted(ATTRIBUTES))
NAMES = st.sampled_from(sorted(set().union(*ATTRIBUTES.values()) | {"Latency", "latancy", ""}))


@given(kind=KINDS, attributes=st.dictionaries(NAMES, st.just(0)))
def test_exactly_the_known_attributes_are_taken(kind: str, attributes: dict[str, int]) -> None:
    if set(attributes) == ATTRIBUTES[kind]:
        assert ToxicSpec("t", kind, Direction.TO_CLIENT, attributes).attributes == attributes
    else:
        with pytest.raises(UsageError, match="missing or misspelt"):
            ToxicSpec("t", kind, Direction.TO_CLIENT, attributes)


@pytest.mark.parametrize("value", [-1, 2**63, 1.0, "1", True, None])
def test_a_value_that_toxiproxy_would_misread_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match=r"bandwidth\.rate must be a whole number"):
        ToxicSpec("t", "bandwidth", Direction.TO_CLIENT, {"rate": value})  # type: ignore[dict-item]


def test_chance_is_refused() -> None:
    with pytest.raises(UsageError, match="random"):
        ToxicSpec("t", "latency", Direction.TO_CLIENT, {"latency": 10, "jitter": 1})


def test_an_unknown_toxic_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no toxic 'slicer'"):
        ToxicSpec("t", "slicer", Direction.TO_CLIENT)


def test_the_directions_are_those_of_toxiproxy() -> None:
    assert [direction.stream for direction in Direction] == ["upstream", "downstream"]
