"""Growth that is planted is found; noise is none."""

import pytest

from tests.faults.soak import Use, find_growth

STEADY = [Use(300 + n % 3, 60 + n % 2, 9) for n in range(12)]


def test_steady_use_is_no_growth() -> None:
    assert find_growth(STEADY) == []


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        (Use(345, 61, 9), "megabytes grew from 302 to 345"),
        (Use(302, 80, 9), "files grew from 61 to 80"),
        (Use(302, 61, 13), "connections grew from 9 to 13"),
    ],
)
def test_growth_is_reported(last: Use, sentence: str) -> None:
    assert find_growth([*STEADY, last]) == [sentence]
