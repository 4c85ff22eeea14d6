import json
from typing import Any

import numpy as np
import pytest

from app.health.benchmark import (
    Measure,
)
from app.health.scorecard import Band, Scorecard, band, bands
from tests.health.scoring import CARD, NAN


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, Band.AT_RISK),
        (24.999, Band.AT_RISK),
        (25.0, Band.WATCH),
        (49.999, Band.WATCH),
        (50.0, Band.HEALTHY),
        (100.0, Band.HEALTHY),
        (None, Band.UNKNOWN),
        (NAN, Band.UNKNOWN),
    ],
)
def test_band_edges(value: float | None, expected: Band) -> None:
    assert band(CARD, value) is expected


def test_bands_follow_the_scorecard() -> None:
    card = Scorecard(watch_from=40, healthy_from=70)

    assert bands(card, np.array([39.0, 40.0, 70.0, NAN])) == [
        Band.AT_RISK,
        Band.WATCH,
        Band.HEALTHY,
        Band.UNKNOWN,
    ]


def test_a_scorecard_survives_json() -> None:
    card = Scorecard(version=3, weights={Measure.REACH: 2.5}, price_exponent=1.0, window_days=14)

    assert Scorecard.from_json(json.loads(json.dumps(card.to_json()))) == card
    assert Scorecard.from_json(CARD.to_json()) == CARD


def test_settings_that_are_absent_take_their_default() -> None:
    assert Scorecard.from_json({}) == CARD
    assert Scorecard.from_json({"healthy_from": 60}) == Scorecard(healthy_from=60)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"version": 0}, "versions count from 1"),
        ({"weights": {"breadth": -1}}, "zero or more"),
        ({"weights": {"breadth": NAN}}, "zero or more"),
        ({"weights": {"breadth": 0}}, "must be positive"),
        ({"weights": {}}, "must be positive"),
        ({"weights": {"charm": 1}}, "breadth, depth, reach, momentum only"),
        ({"watch_from": 0}, "0 < watch_from"),
        ({"watch_from": 50}, "0 < watch_from"),
        ({"healthy_from": 100}, "0 < watch_from"),
        ({"window_days": 0}, "7, 14, 21 or 28"),
        ({"window_days": 10}, "7, 14, 21 or 28"),
        ({"window_days": 35}, "7, 14, 21 or 28"),
        ({"price_exponent": -0.1}, "between 0 and 2"),
        ({"min_coverage": 1.1}, "between 0 and 1"),
        ({"colour": "red"}, "no setting named colour"),
    ],
)
def test_a_scorecard_that_makes_no_sense_is_refused(
    settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Scorecard.from_json(settings)
