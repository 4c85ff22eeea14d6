import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.churn.model import rules
from app.features.table import FEATURES

NAMES = tuple(FEATURES)
DAYS = 90


def account(**changes: float) -> dict[str, np.ndarray]:
    """Return the features of a busy account, with the given values replaced."""
    busy = {"recency": 0.0, "recency_over_gap": 0.5, "events_28": 30.0, "events_84": 90.0}
    values = {**dict.fromkeys(NAMES, np.nan), **busy, **changes}
    return {name: np.array([value]) for name, value in values.items()}


def points(**changes: float) -> float:
    return float(rules.points(account(**changes), DAYS)[0])


def test_an_account_with_recent_and_steady_use_has_no_points() -> None:
    assert (points(), rules.risk_level(points())) == (0, "low")


def test_silence_for_half_of_the_horizon_gives_fifty_points() -> None:
    assert points(recency=45) == 50
    assert points(recency=22.5) == 25
    assert points(recency=80) == 50


def test_silence_beyond_the_usual_gap_gives_points() -> None:
    assert points(recency_over_gap=6) == 20
    assert points(recency_over_gap=3.5) == 10


def test_half_of_the_usual_volume_gives_half_of_the_volume_points() -> None:
    assert points(events_28=15) == 15
    assert points(events_28=0) == 30


def test_an_unknown_part_leaves_its_weight_to_the_others() -> None:
    assert points(recency=45, recency_over_gap=np.nan) == 62.5
    assert np.isnan(points(recency=np.nan)), "an account that was never used has no points"


def test_an_announced_end_within_the_horizon_gives_all_points() -> None:
    assert points(days_to_end=30) == 100
    assert points(days_to_end=91) == 0


def test_medium_begins_at_30_points_and_high_at_60() -> None:
    found = [rules.risk_level(value) for value in (0, 29.9, 30, 59.9, 60, 100)]

    assert found == ["low", "low", "medium", "medium", "high", "high"]


def test_contributions_add_up_to_the_points() -> None:
    found = rules.contributions(account(recency=45, events_28=15), DAYS, NAMES)

    assert found.sum() == points(recency=45, events_28=15) == 65
    assert found[0, NAMES.index("recency")] == 50


@given(st.floats(0, 364), st.floats(0, 364), st.floats(0, 50), st.integers(0, 100))
def test_longer_silence_never_lowers_the_points(
    first: float, second: float, gap: float, events: int
) -> None:
    shorter, longer = sorted((first, second))
    fixed = {"recency_over_gap": gap, "events_28": float(events)}

    assert 0 <= points(recency=shorter, **fixed) <= points(recency=longer, **fixed) <= 100
