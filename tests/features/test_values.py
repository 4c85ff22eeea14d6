from dataclasses import asdict
from datetime import date

import orjson
import pytest

from app.features.values import AccountFeatures, EventCount
from tests.health.builders import make_account


def test_stored_features_are_parsed_back_unchanged() -> None:
    features = make_account(
        renewal_on=date(2026, 9, 1),
        adopted=["api"],
        adopted_before=[],
        traits={"csat": 4.5, "risks": ["At Risk"]},
        counts={"Filed in 90 days": 3},
        feature_events={"api": 9},
    )

    assert AccountFeatures.from_json(orjson.loads(orjson.dumps(features))) == features


@pytest.mark.parametrize("name", ["events", "traits", "counts", "industry", "feature_events"])
def test_a_field_missing_in_stored_features_keeps_its_default(name: str) -> None:
    stored = asdict(make_account(events=9, traits={"a": 1}, counts={"a": 1}, industry="steel"))
    stored = orjson.loads(orjson.dumps(stored))
    del stored[name]

    assert getattr(AccountFeatures.from_json(stored), name) == getattr(make_account(), name)


def test_the_key_of_an_event_count_is_unique() -> None:
    counts = [
        EventCount(("a", "b"), 28),
        EventCount(("a, b",), 28),
        EventCount(("a\\", "b"), 28),
        EventCount(("a\\, b",), 28),
        EventCount(("a", "b"), 7),
        EventCount(("a", "b in 28 days"), 7),
    ]

    assert counts[0].key == "a, b in 28 days"
    assert len({count.key for count in counts}) == len(counts)
