"""Trends, frozen scores of silent sources, and overrides, as written by a refresh."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from app.health.scoring import service
from app.health.scoring.assess import Assessment
from app.tables import (
    DailyReach,
    DailyUsage,
    HealthHistory,
    HealthScore,
    ScoreOverride,
    StaleAccount,
)
from tests.health.builders import AS_OF
from tests.health.crowd import NOW, crowd, name_events

LATER, TOMORROW = NOW + timedelta(hours=1), NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def peers(session: Session) -> None:
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")


def refresh_one(session: Session, as_of: date = AS_OF, **when: Any) -> Assessment:  # noqa: ANN401
    now = when.get("now", NOW)
    [found] = service.refresh(session, "acme", ["a010"], as_of=as_of, now=now)
    return found


def add_history(session: Session, back: int, score: float | None, **columns: Any) -> None:  # noqa: ANN401
    usual = {
        "workspace_id": "acme",
        "account_id": "a010",
        "as_of": AS_OF - timedelta(days=back),
        "change": 0,
        "score": score,
        "band": "watch",
        "status": "ok",
        "coverage": 1.0,
        "mrr_cents": 0,
        "details": {},
        "computed_at": NOW,
    }
    session.execute(insert(HealthHistory), [usual | columns])


def trend(session: Session) -> dict[str, float | None]:
    found = refresh_one(session)
    assert found.score is not None
    moved = found.details["trend"]
    return {
        name: None if points is None else round(found.score - points, 2)
        for name, points in moved.items()
    }


def test_a_trend_is_the_change_in_7_28_and_90_days(session: Session) -> None:
    for back, score in ((6, 1.0), (7, 11.0), (28, 22.0), (90, 33.0), (91, 2.0)):
        add_history(session, back, score)

    assert trend(session) == {"d7": 11, "d28": 22, "d90": 33}


def test_a_trend_uses_the_nearest_day_within_the_week_before(session: Session) -> None:
    for back, score in ((13, 11.0), (29, 22.0), (34, 3.0), (97, 33.0)):
        add_history(session, back, score)

    assert trend(session) == {"d7": 11, "d28": 22, "d90": None}


def test_a_trend_uses_the_last_row_of_a_day(session: Session) -> None:
    add_history(session, 7, 1.0)
    add_history(session, 7, 2.0, change=1)
    add_history(session, 28, 3.0, change=4)
    add_history(session, 28, 4.0, restatement=1)

    assert trend(session) == {"d7": 2, "d28": 4, "d90": None}


def test_there_is_no_trend_from_a_day_without_a_score(session: Session) -> None:
    add_history(session, 7, None)
    add_history(session, 8, 50.0)

    assert trend(session)["d7"] is None


def mark_source_silent(session: Session) -> None:
    session.add(StaleAccount(workspace_id="acme", account_id="a010", key_id="k1"))
    session.flush()


def delete_use(session: Session) -> None:
    for table in (DailyUsage, DailyReach):
        session.execute(delete(table).where(table.account_id == "a010"))


def test_the_score_of_a_silent_source_is_frozen_with_its_day(session: Session) -> None:
    before = refresh_one(session)
    delete_use(session)
    mark_source_silent(session)

    frozen = refresh_one(session, now=LATER)

    assert (frozen.status, frozen.score, frozen.band) == ("stale", before.score, before.band)
    row = session.get_one(HealthScore, ("acme", "a010"), populate_existing=True)
    assert (row.data_through, row.computed_at) == (NOW, LATER)
    assert frozen.details["inputs_on"] == str(AS_OF)


def test_a_score_frozen_twice_is_still_the_first(session: Session) -> None:
    before = refresh_one(session)
    delete_use(session)
    mark_source_silent(session)

    assert refresh_one(session).score == refresh_one(session, now=LATER).score == before.score


def test_a_past_day_is_scored_from_usage_even_if_the_source_is_silent(
    session: Session,
) -> None:
    mark_source_silent(session)

    assert refresh_one(session, AS_OF - timedelta(days=1)).status == "ok"


def add_override(session: Session) -> None:
    """Override the score until tomorrow."""
    override = ScoreOverride(
        workspace_id="acme",
        account_id="a010",
        value=12.5,
        reason="They announced that they leave",
        author="kim",
        created_at=NOW,
        expires_at=TOMORROW,
    )
    session.add(override)
    session.flush()


def test_an_override_is_in_effect_until_it_expires(session: Session) -> None:
    machine = refresh_one(session)
    add_override(session)

    found = refresh_one(session)
    after = refresh_one(session, AS_OF + timedelta(days=1), now=TOMORROW)

    assert (found.score, found.band, found.status) == (12.5, "at_risk", "overridden")
    assert found.details["machine"]["value"] == machine.score
    assert after.status == "ok"


def test_a_frozen_score_under_an_override_keeps_the_computed_score(session: Session) -> None:
    machine = refresh_one(session)
    add_override(session)
    refresh_one(session)
    delete_use(session)
    mark_source_silent(session)

    found = refresh_one(session, now=LATER)

    assert (found.score, found.status) == (12.5, "overridden")
    machine_now = found.details["machine"]
    assert (machine_now["value"], machine_now["status"]) == (machine.score, "stale")
