"""New settings and new peers alone open no alert; the account's own behaviour does."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.health.scoring import service as health
from tests import factories
from tests.alerts.scenario import (
    CARD,
    MEASURE,
    activate_rule,
    create_accounts,
    refresh,
    set_score,
    stored_alerts,
)
from tests.conftest import NOW
from tests.health.crowd import crowd, name_events

DAY = timedelta(days=1)
STRICTER = {
    "default": {"measures": [{**MEASURE, "transform": {**MEASURE["transform"], "at_100": 200}}]}
}
HIGHER_BANDS = {"default": {**CARD["default"], "watch_from": 60, "healthy_from": 80}}
BELOW = {"signal": "health_score", "operator": "below", "fire_at": 30}
RULES = [
    BELOW,
    {"signal": "measure:fit", "operator": "below", "fire_at": 30},
    {"signal": "health_score", "operator": "drop_by", "fire_at": 20, "window_days": 7},
    {"signal": "measure:fit", "operator": "drop_by", "fire_at": 20, "window_days": 7},
    {"signal": "health_score", "operator": "enters_band", "band": "at_risk"},
]


def score_a_week(session: Session) -> None:
    """Score an account with 50 points for a week, then activate another scorecard."""
    create_accounts(session, "a1", score=50)
    for days in (7, 1):
        refresh(session, "a1", now=NOW - days * DAY)
    factories.scorecard(session, STRICTER, version=3)


@pytest.mark.parametrize(
    "config", RULES, ids=lambda config: f"{config['signal']} {config['operator']}"
)
def test_a_new_scorecard_alone_opens_nothing(session: Session, config: dict[str, object]) -> None:
    activate_rule(session, "tested", **config)
    score_a_week(session)
    set_score(session, 48, "a1")

    for days in range(3):
        refresh(session, "a1", now=NOW + days * DAY)

    assert stored_alerts(session) == []


@pytest.mark.parametrize(
    "config", RULES, ids=lambda config: f"{config['signal']} {config['operator']}"
)
def test_on_config_change_lets_a_new_scorecard_open_alerts(
    session: Session, config: dict[str, object]
) -> None:
    activate_rule(session, "tested", **config, on_config_change=True)
    score_a_week(session)
    set_score(session, 48, "a1")

    refresh(session, "a1")

    assert len(stored_alerts(session)) == 1


def test_later_behaviour_is_compared_as_under_the_old_scorecard(session: Session) -> None:
    activate_rule(session, "tested", **BELOW)
    score_a_week(session)
    refresh(session, "a1")

    set_score(session, 40, "a1")
    refresh(session, "a1", now=NOW + DAY)
    assert stored_alerts(session) == [], "20 now, and 45 without the change of scorecard"
    set_score(session, 8, "a1")
    refresh(session, "a1", now=NOW + 2 * DAY)

    [alert] = stored_alerts(session)
    assert alert.current == 4


def test_once_the_value_was_clear_the_new_scorecard_counts(session: Session) -> None:
    activate_rule(session, "tested", **BELOW)
    score_a_week(session)

    for days, value in enumerate((50, 90, 50)):
        set_score(session, value, "a1")
        refresh(session, "a1", now=NOW + days * DAY)

    assert [alert.current for alert in stored_alerts(session)] == [25]


def test_a_drop_of_its_own_beside_a_new_scorecard_opens_an_alert(session: Session) -> None:
    activate_rule(session, "tested", **BELOW)
    score_a_week(session)
    set_score(session, 20, "a1")

    refresh(session, "a1")

    assert [alert.current for alert in stored_alerts(session)] == [10]


def test_new_bands_alone_open_nothing(session: Session) -> None:
    activate_rule(session, "tested", signal="health_score", operator="enters_band", band="at_risk")
    create_accounts(session, "a1", score=50)
    refresh(session, "a1", now=NOW - DAY)
    factories.scorecard(session, HIGHER_BANDS, version=3)

    refresh(session, "a1")
    assert stored_alerts(session) == []

    set_score(session, 24, "a1")
    refresh(session, "a1", now=NOW + DAY)
    assert [alert.threshold for alert in stored_alerts(session)] == [60]


MARCH, APRIL = datetime(2026, 3, 31, 12, tzinfo=UTC), datetime(2026, 4, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("on_config_change", [False, True])
def test_new_peers_alone_open_nothing_unless_on_config_change_is_set(
    session: Session, *, on_config_change: bool
) -> None:
    ids = crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    [before] = health.refresh(session, "acme", ["a003"], as_of=MARCH.date(), now=MARCH)
    for account_id in ids:
        for number in range(0 if account_id == "a003" else 60):
            on = MARCH.date() - timedelta(days=number % 2)
            factories.usage(session, on, account_id=account_id, user_id=f"many {number}")
            factories.reach(session, on, f"many {number}", account_id=account_id)
    [after] = health.refresh(session, "acme", ["a003"], as_of=APRIL.date(), now=APRIL)
    assert before.score is not None
    assert after.score is not None
    assert before.score > after.score + 1
    between = (before.score + after.score) / 2
    config = {"signal": "health_score", "operator": "below", "fire_at": between}
    activate_rule(
        session, "tested", **config, clear_at=before.score, on_config_change=on_config_change
    )

    for days in range(2):
        refresh(session, "a003", now=APRIL + days * DAY)

    assert len(stored_alerts(session)) == on_config_change
