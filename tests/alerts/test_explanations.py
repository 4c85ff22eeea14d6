"""What alerts say of why they opened."""

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.tables import ScoreOverride
from tests.alerts.scenario import activate_rule, create_accounts, refresh, sent_messages
from tests.conftest import NOW

DAY = timedelta(days=1)


def overrule(session: Session, value: float) -> None:
    said = ScoreOverride(
        workspace_id="acme",
        account_id="a1",
        value=value,
        reason="Ada Lovelace is leaving them",
        author="kim@example.com",
        created_at=NOW,
        expires_at=NOW + 9 * DAY,
    )
    session.add(said)
    session.flush()


def test_who_overruled_a_score_and_why_is_not_told_to_other_systems(session: Session) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    create_accounts(session, "a1", score=80)
    refresh(session, "a1", now=NOW - DAY)
    overrule(session, 10)

    refresh(session, "a1")

    _, said = sent_messages(session)[-1]
    assert said["drivers"] == ["Somebody set the score to 10 until 2026-03-27: −70.0 points."]  # noqa: RUF001


def test_nor_is_it_when_what_they_said_holds_no_longer(session: Session) -> None:
    activate_rule(session, "low", signal="health_score", operator="below", fire_at=40)
    create_accounts(session, "a1", score=30)
    overrule(session, 90)
    refresh(session, "a1", now=NOW)
    session.execute(update(ScoreOverride).values(ended_at=NOW))

    refresh(session, "a1", now=NOW + DAY)

    _, said = sent_messages(session)[-1]
    assert said["drivers"] == [
        "The score of 90 that somebody had set no longer holds: −60.0 points."  # noqa: RUF001
    ]
