"""The drivers that an opening alert sends."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.tables import ScoreOverride
from tests import factories
from tests.alerts.scenario import (
    MEASURE,
    activate_rule,
    create_accounts,
    refresh,
    sent_messages,
    set_score,
    stored_alerts,
)
from tests.conftest import NOW

DAY = timedelta(days=1)


def override_score(session: Session, value: float) -> None:
    row = ScoreOverride(
        workspace_id="acme",
        account_id="a1",
        value=value,
        reason="Ada Lovelace is leaving them",
        author="kim@example.com",
        created_at=NOW,
        expires_at=NOW + 9 * DAY,
    )
    session.add(row)
    session.flush()


def test_author_and_reason_of_an_override_are_not_sent(session: Session) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    create_accounts(session, "a1", score=80)
    refresh(session, "a1", now=NOW - DAY)
    override_score(session, 10)

    refresh(session, "a1")

    _, data = sent_messages(session)[-1]
    assert data["drivers"] == ["Somebody set the score to 10 until 2026-03-27: −70.0 points."]  # noqa: RUF001


def test_author_and_reason_of_an_ended_override_are_not_sent(session: Session) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    create_accounts(session, "a1", score=30)
    override_score(session, 90)
    refresh(session, "a1", now=NOW)
    session.execute(update(ScoreOverride).values(ended_at=NOW))

    refresh(session, "a1", now=NOW + DAY)

    _, data = sent_messages(session)[-1]
    assert data["drivers"] == [
        "The override of 90 by somebody ended: −60.0 points."  # noqa: RUF001
    ]


TWO_MEASURES = {
    "default": {
        "measures": [
            MEASURE,
            {
                **MEASURE,
                "name": "price",
                "source": {"metric": "mrr"},
                "transform": {"kind": "linear_bounded", "at_0": 300, "at_100": 100},
            },
        ]
    }
}


def triple_the_price(session: Session) -> None:
    """Score an account for 28 days: usage falls slowly, then the price triples in a day."""
    create_accounts(session, "a1", score=100)
    factories.scorecard(session, TWO_MEASURES, version=3)
    refresh(session, "a1", now=NOW - 28 * DAY)
    set_score(session, 60, "a1")
    refresh(session, "a1", now=NOW - DAY)
    factories.subscription(
        session, "a1", subscription_id="other", mrr_cents=20_000, starts_on=NOW.date()
    )
    refresh(session, "a1")


PRICE = '"price" rose from 100 to 300 USD a month: −50.0 points.'  # noqa: RUF001
FIT = '"fit" fell from 100 to 60: −20.0 points.'  # noqa: RUF001


@pytest.mark.parametrize(
    ("config", "step", "drivers"),
    [
        ({"signal": "health_score", "operator": "below", "fire_at": 75}, (80, 30), [PRICE]),
        ({"signal": "health_score", "operator": "drop_by", "fire_at": 20}, (100, 30), [PRICE, FIT]),
        ({"signal": "measure:fit", "operator": "drop_by", "fire_at": 20}, (100, 60), [FIT]),
        ({"signal": "measure:price", "operator": "below", "fire_at": 90}, (100, 0), [PRICE]),
    ],
    ids=lambda value: f"{value['signal']} {value['operator']}" if isinstance(value, dict) else "",
)
def test_drivers_explain_the_step_from_previous_to_current(
    session: Session, config: dict[str, object], step: tuple[float, float], drivers: list[str]
) -> None:
    """The price tripled in a day and no driver named it: they looked 28 days back (C5).

    The score is the mean of both measures: 100, then 80 by usage, then 30 by the price.
    """
    activate_rule(session, "tested", **config)
    triple_the_price(session)

    [alert] = stored_alerts(session)

    assert (alert.previous, alert.current) == step
    assert alert.drivers == drivers


def test_without_a_step_of_a_measure_the_drivers_are_its_level(session: Session) -> None:
    activate_rule(session, "tested", signal="measure:fit", operator="below", fire_at=70)
    create_accounts(session, "a1", score=60)
    factories.scorecard(session, TWO_MEASURES, version=3)
    refresh(session, "a1")

    [alert] = stored_alerts(session)

    assert alert.drivers == ['"fit": 60; it gives 30.0 of 50.0 points.']
