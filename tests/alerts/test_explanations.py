"""The drivers that an opening alert sends."""

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.tables import ScoreOverride
from tests.alerts.scenario import activate_rule, create_accounts, refresh, sent_messages
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
