from datetime import UTC, datetime
from typing import Any

import pytest

from app.health.assess import Assessment, Status
from app.health.overlays import LastScore, Override, freeze, override, with_trend
from app.health.scorecard import Band, Card

CARD = Card(watch_from=30, healthy_from=60)
SAID = Override(45, "They signed again", "kim", datetime(2026, 5, 1, tzinfo=UTC))


def assessed(score: float | None = 70, status: Status = Status.OK, **details: Any) -> Assessment:  # noqa: ANN401
    return Assessment(
        "a1", score, CARD.band(score), status, 1.0, 100_00, "pro", {"measures": ["new"], **details}
    )


def last(score: float | None = 50, **details: Any) -> LastScore:  # noqa: ANN401
    return LastScore(score, CARD.band(score), 0.8, {"measures": ["old"], **details})


def test_the_score_of_an_account_whose_source_is_silent_stays_as_it_was() -> None:
    found = freeze(assessed(10), last())

    assert (found.score, found.band, found.status) == (50, Band.WATCH, Status.STALE)
    assert (found.coverage, found.details) == (0.8, {"measures": ["old"]})
    assert (found.mrr_cents, found.plan) == (100_00, "pro"), "what is paid is known all the same"


def test_what_a_person_said_is_not_frozen_but_what_lay_below_it() -> None:
    machine = {"value": 20.0, "band": "at_risk", "status": "ok"}

    found = freeze(assessed(10), last(90, machine=machine, override={"author": "kim"}))

    assert (found.score, found.band, found.status) == (20, "at_risk", Status.STALE)
    assert found.details == {"measures": ["old"]}


def test_an_account_too_thin_to_judge_keeps_its_score_while_its_source_is_silent() -> None:
    assert freeze(assessed(None, Status.INSUFFICIENT_DATA), last()).score == 50


@pytest.mark.parametrize("status", [Status.NEW, Status.CHURNED, Status.EXCLUDED])
def test_who_has_no_score_for_another_reason_is_not_stale(status: Status) -> None:
    fresh = assessed(None, status)

    assert freeze(fresh, last()) == fresh


@pytest.mark.parametrize(
    "before", [None, last(None), last(90, machine={"value": None, "band": "unknown"})]
)
def test_without_a_score_before_there_is_nothing_to_keep(before: LastScore | None) -> None:
    fresh = assessed(10)

    assert freeze(fresh, before) == fresh


@pytest.mark.parametrize(
    ("score", "status"),
    [
        (70, Status.OK),
        (None, Status.NEW),
        (None, Status.INSUFFICIENT_DATA),
        (20, Status.STALE),
    ],
)
def test_a_person_overrules_the_score_and_the_machine_is_told_beside_it(
    score: float | None, status: Status
) -> None:
    found = override(assessed(score, status), SAID, CARD)

    assert (found.score, found.band, found.status) == (45, Band.WATCH, Status.OVERRIDDEN)
    assert found.details["machine"] == {
        "value": score,
        "band": CARD.band(score),
        "status": status,
    }
    assert (found.details["override"], found.details["measures"]) == (SAID, ["new"])


@pytest.mark.parametrize("status", [Status.CHURNED, Status.EXCLUDED])
def test_nobody_overrules_that_an_account_is_gone(status: Status) -> None:
    gone = assessed(None, status)

    assert override(gone, SAID, CARD) == gone


def test_what_nobody_said_changes_nothing() -> None:
    assert override(assessed(), None, CARD) == assessed()


def test_a_trend_is_the_points_since_then_and_null_where_there_was_no_score() -> None:
    found = with_trend(assessed(70), {7: 70.0, 28: 81.23456})

    assert found.details["trend"] == {"d7": 0, "d28": -11.2346, "d90": None}


def test_without_a_score_today_there_is_no_trend() -> None:
    found = with_trend(assessed(None), {7: 70.0})

    assert found.details["trend"] == {"d7": None, "d28": None, "d90": None}
