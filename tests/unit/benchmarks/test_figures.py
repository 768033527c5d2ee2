from __future__ import annotations

import pytest

from tests.benchmarks.figures import Figure, median, number, p99, quantile, spread_of


@pytest.mark.parametrize(
    ("part", "expected"), [(0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0), (0.0, 1.0), (0.01, 1.0)]
)
def test_a_quantile_is_the_smallest_that_so_many_do_not_exceed(part: float, expected: float) -> None:
    assert quantile([float(number) for number in range(1, 101)], part) == expected


def test_a_single_measurement_is_all_of_its_quantiles() -> None:
    spread = spread_of([7.0])
    assert (spread.count, spread.least, spread.p50, spread.p99, spread.most) == (1, 7.0, 7.0, 7.0, 7.0)


def test_the_order_of_measurements_does_not_matter() -> None:
    assert median("m", [3.0, 1.0, 2.0], "s").value == 2.0
    assert p99("m", [3.0, 1.0, 2.0], "s").value == 3.0


@pytest.mark.parametrize(
    ("figure", "is_met"),
    [
        (Figure("f", 1.1, "x"), True),
        (Figure("f", 1.1, "x", at_most=1.1), True),
        (Figure("f", 1.2, "x", at_most=1.1), False),
        (Figure("f", 9_999, "", at_least=10_000), False),
        (Figure("f", 10_000, "", at_least=10_000), True),
    ],
)
def test_a_figure_knows_whether_it_shows_what_it_is_to(figure: Figure, is_met: bool) -> None:
    assert figure.is_met is is_met
    assert ("MISSED" in str(figure)) is not is_met


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234567.0, "1234567"), (123.4, "123"), (12.34, "12.3"), (0.0123, "0.0123"), (1e-5, "1.0e-05")],
)
def test_a_number_is_short(value: float, text: str) -> None:
    assert number(value) == text
