import pytest

from app.core.number_format import (
    format_money,
    format_number,
    format_pair,
    format_signed,
    round_to_sum,
)


@pytest.mark.parametrize(
    ("points", "text"),
    [(-9.12, "−9.1"), (3, "+3.0"), (0.049, "+0.05"), (-0.0004, "−0.0004"), (-1234.5, "−1,234.5")],
)
def test_points_have_a_sign_and_a_digit(points: float, text: str) -> None:
    assert format_signed(points) == text


def test_numbers_have_separators_and_a_real_minus_sign() -> None:
    assert [format_number(x) for x in (None, 5.0, 1234567.0, 2.25, -3.0)] == [
        *("–", "5", "1,234,567", "2.2", "−3")
    ]
    assert format_pair(1.0004, 1.0001) == ("1.0004", "1.0001")
    assert [format_money(cents) for cents in (None, 10_000, 10_050.4)] == ["–", "100", "100.50"]


@pytest.mark.parametrize(
    ("values", "total", "rounded"),
    [
        ([1 / 3, 1 / 3, 1 / 3], 1.0, [0.4, 0.3, 0.3]),
        ([-0.25, -0.35, 0.08], -0.5, [-0.2, -0.4, 0.1]),
        ([0.04, 0.04], 0.0, [0.0, 0.0]),
        ([-0.0001, 3.0], 3.0, [0.0, 3.0]),
        ([1.0, 2.0], 3.4, [1.2, 2.2]),
        ([], 0.0, []),
    ],
)
def test_numbers_are_rounded_to_a_sum(
    values: list[float], total: float, rounded: list[float]
) -> None:
    assert round_to_sum(values, total, 1) == rounded
