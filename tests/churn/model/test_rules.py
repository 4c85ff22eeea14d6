import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.churn.model import rules
from app.features.table import FEATURES

NAMES = tuple(FEATURES)
DAYS = 90


def account(**known: float) -> dict[str, np.ndarray]:
    """Describe a busy account, but for what is named."""
    busy = {"recency": 0.0, "recency_over_gap": 0.5, "events_28": 30.0, "events_84": 90.0}
    values = {**dict.fromkeys(NAMES, np.nan), **busy, **known}
    return {name: np.array([value]) for name, value in values.items()}


def points(**known: float) -> float:
    return float(rules.points(account(**known), DAYS)[0])


def test_who_was_there_today_and_does_as_much_as_ever_has_no_points() -> None:
    assert (points(), rules.risk_level(points())) == (0, "low")


def test_silence_for_half_of_the_horizon_takes_half_of_the_points() -> None:
    assert points(recency=45) == 50
    assert points(recency=22.5) == 25
    assert points(recency=80) == 50


def test_silence_counts_against_the_own_rhythm() -> None:
    assert points(recency_over_gap=6) == 20
    assert points(recency_over_gap=3.5) == 10


def test_doing_half_as_much_takes_half_of_the_points_of_volume() -> None:
    assert points(events_28=15) == 15
    assert points(events_28=0) == 30


def test_what_is_not_known_leaves_its_weight_to_the_others() -> None:
    assert points(recency=45, recency_over_gap=np.nan) == 62.5
    assert np.isnan(points(recency=np.nan)), "never used: nothing can be said"


def test_an_end_that_was_announced_takes_all_points() -> None:
    assert points(days_to_end=30) == 100
    assert points(days_to_end=91) == 0


def test_levels_begin_where_the_documentation_says() -> None:
    found = [rules.risk_level(value) for value in (0, 29.9, 30, 59.9, 60, 100)]

    assert found == ["low", "low", "medium", "medium", "high", "high"]


def test_what_the_columns_give_adds_up_to_the_points() -> None:
    found = rules.contributions(account(recency=45, events_28=15), DAYS, NAMES)

    assert found.sum() == points(recency=45, events_28=15) == 65
    assert found[0, NAMES.index("recency")] == 50


@given(st.floats(0, 364), st.floats(0, 364), st.floats(0, 50), st.integers(0, 100))
def test_longer_silence_never_takes_points_away(
    one: float, other: float, gap: float, events: int
) -> None:
    shorter, longer = sorted((one, other))
    fixed = {"recency_over_gap": gap, "events_28": float(events)}

    assert 0 <= points(recency=shorter, **fixed) <= points(recency=longer, **fixed) <= 100
