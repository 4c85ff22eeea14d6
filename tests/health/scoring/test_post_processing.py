from datetime import UTC, datetime
from typing import Any

import pytest

from app.health.definition.scorecard import Band, Card
from app.health.scoring.assess import Assessment, HealthStatus
from app.health.scoring.post_processing import (
    LastScore,
    Override,
    add_trend,
    apply_override,
    freeze_stale,
)

CARD = Card(watch_from=30, healthy_from=60)
OVERRIDE = Override(45, "They signed again", "kim", datetime(2026, 5, 1, tzinfo=UTC))


def make_assessment(
    score: float | None = 70,
    status: HealthStatus = HealthStatus.OK,
    **details: Any,  # noqa: ANN401
) -> Assessment:
    return Assessment(
        "a1", score, CARD.band(score), status, 1.0, 100_00, "pro", {"measures": ["new"], **details}
    )


def last_score(score: float | None = 50, **details: Any) -> LastScore:  # noqa: ANN401
    return LastScore(score, CARD.band(score), 0.8, {"measures": ["old"], **details})


def test_the_score_of_an_account_with_a_silent_source_is_frozen() -> None:
    found = freeze_stale(make_assessment(10), last_score())

    assert (found.score, found.band, found.status) == (50, Band.WATCH, HealthStatus.STALE)
    assert (found.coverage, found.details) == (0.8, {"measures": ["old"]})
    assert (found.mrr_cents, found.plan) == (100_00, "pro"), (
        "what the account pays is still current"
    )


def test_the_score_below_an_override_is_frozen() -> None:
    machine = {"value": 20.0, "band": "at_risk", "status": "ok"}

    found = freeze_stale(
        make_assessment(10), last_score(90, machine=machine, override={"author": "kim"})
    )

    assert (found.score, found.band, found.status) == (20, "at_risk", HealthStatus.STALE)
    assert found.details == {"measures": ["old"]}


def test_an_account_with_insufficient_data_is_frozen_while_its_source_is_silent() -> None:
    assert (
        freeze_stale(make_assessment(None, HealthStatus.INSUFFICIENT_DATA), last_score()).score
        == 50
    )


@pytest.mark.parametrize("status", [HealthStatus.NEW, HealthStatus.CHURNED, HealthStatus.EXCLUDED])
def test_an_account_without_a_score_for_another_reason_is_not_stale(status: HealthStatus) -> None:
    fresh = make_assessment(None, status)

    assert freeze_stale(fresh, last_score()) == fresh


@pytest.mark.parametrize(
    "before", [None, last_score(None), last_score(90, machine={"value": None, "band": "unknown"})]
)
def test_without_an_earlier_score_nothing_is_frozen(before: LastScore | None) -> None:
    fresh = make_assessment(10)

    assert freeze_stale(fresh, before) == fresh


@pytest.mark.parametrize(
    ("score", "status"),
    [
        (70, HealthStatus.OK),
        (None, HealthStatus.NEW),
        (None, HealthStatus.INSUFFICIENT_DATA),
        (20, HealthStatus.STALE),
    ],
)
def test_an_override_replaces_the_score_and_the_computed_one_is_listed_beside_it(
    score: float | None, status: HealthStatus
) -> None:
    found = apply_override(make_assessment(score, status), OVERRIDE, CARD)

    assert (found.score, found.band, found.status) == (45, Band.WATCH, HealthStatus.OVERRIDDEN)
    assert found.details["machine"] == {
        "value": score,
        "band": CARD.band(score),
        "status": status,
    }
    assert (found.details["override"], found.details["measures"]) == (OVERRIDE, ["new"])


@pytest.mark.parametrize("status", [HealthStatus.CHURNED, HealthStatus.EXCLUDED])
def test_churned_and_excluded_accounts_are_not_overridden(status: HealthStatus) -> None:
    gone = make_assessment(None, status)

    assert apply_override(gone, OVERRIDE, CARD) == gone


def test_without_an_override_nothing_changes() -> None:
    assert apply_override(make_assessment(), None, CARD) == make_assessment()


def test_a_trend_is_the_points_since_then_or_null_without_a_score() -> None:
    found = add_trend(make_assessment(70), {7: 70.0, 28: 81.23456})

    assert found.details["trend"] == {"d7": 0, "d28": -11.2346, "d90": None}


def test_without_a_score_today_there_is_no_trend() -> None:
    found = add_trend(make_assessment(None), {7: 70.0})

    assert found.details["trend"] == {"d7": None, "d28": None, "d90": None}
