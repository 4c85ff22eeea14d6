"""What a claim takes out of the queue of accounts to score."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.accounts.due import Priority
from app.accounts.queries import ClaimedAccount, claim_due, mark_due
from app.tables import Due

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
IDS = [f"a{number}" for number in range(9)]


def mark(session: Session, *account_ids: str, priority: Priority = Priority.LIVE) -> None:
    mark_due(session, "acme", account_ids, priority=priority)


def claim(session: Session, limit: int = 100) -> list[ClaimedAccount]:
    return list(claim_due(session, limit=limit))


def ids(claimed: list[ClaimedAccount]) -> list[str]:
    return [each.account_id for each in claimed]


def test_marks_of_one_account_are_claimed_as_one_the_most_urgent_first(session: Session) -> None:
    mark_due(session, "acme", ["a1"], priority=Priority.SWEEP, notify=False)
    mark_due(session, "acme", ["a1", "a2"], priority=Priority.SILENT, notify=False)
    mark_due(session, "acme", ["a1"], priority=Priority.SILENT)
    mark_due(session, "acme", ["a1"])
    mark_due(session, "acme", ["a1"])

    assert claim(session) == [ClaimedAccount("acme", "a1", Priority.LIVE, notify=True)]
    assert claim(session) == [
        ClaimedAccount("acme", "a1", Priority.SILENT, notify=True),
        ClaimedAccount("acme", "a2", Priority.SILENT, notify=False),
    ]
    assert claim(session) == [ClaimedAccount("acme", "a1", Priority.SWEEP, notify=False)]
    assert claim(session) == []


def test_of_what_is_not_live_few_are_taken_at_a_time(session: Session) -> None:
    mark(session, *IDS, priority=Priority.SWEEP)
    mark(session, *IDS[4:])

    assert ids(list(claim_due(session, limit=100, few=2))) == IDS[4:]
    assert ids(list(claim_due(session, limit=100, few=2))) == IDS[:2]


def test_what_is_more_urgent_than_asked_for_is_passed_over(session: Session) -> None:
    mark(session, "a1")
    mark(session, "a2", priority=Priority.SWEEP)
    mark(session, "a3", priority=Priority.SILENT)

    assert ids(list(claim_due(session, limit=9, least=Priority.SILENT))) == ["a3"]
    assert ids(list(claim_due(session, limit=9, least=Priority.SILENT))) == ["a2"]
    assert ids(list(claim_due(session, limit=9, least=Priority.SILENT))) == []
    assert ids(claim(session)) == ["a1"]


def test_what_is_behind_a_claim_of_the_same_accounts_is_claimed_with_it(session: Session) -> None:
    mark(session, "a1", "a2")
    mark(session, "a1", "a3")
    mark(session, "a1", priority=Priority.SWEEP)

    assert ids(claim(session, limit=2)) == ["a1", "a2"]
    assert session.scalars(select(Due.account_id).order_by(Due.id)).all() == ["a3", "a1"]


def test_a_sweep_does_not_claim_what_is_behind(session: Session) -> None:
    mark(session, "a1", "a2", priority=Priority.SWEEP)
    mark(session, "a1", priority=Priority.SWEEP)

    assert ids(claim(session, limit=2)) == ["a1", "a2"]
    assert session.scalars(select(Due.account_id)).all() == ["a1"]


def test_of_use_the_earliest_day_is_told_unless_something_else_has_changed(
    session: Session,
) -> None:
    early, late = NOW.date() - timedelta(days=2), NOW.date()
    for account_id, used_since in (
        *(("a1", late), ("a1", early)),
        *(("a2", late), ("a2", None)),
    ):
        row = {"workspace_id": "acme", "priority": Priority.LIVE, "notify": True}
        session.execute(insert(Due), row | {"account_id": account_id, "used_since": used_since})

    assert [each.used_since for each in claim(session)] == [early, None]
