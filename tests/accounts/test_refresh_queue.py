"""Marking accounts as due, and what a claim takes out of the queue."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import (
    ClaimedAccount,
    Priority,
    claim_due,
    mark_all_due,
    mark_due,
)
from app.accounts.tables import Due, ParkedAccount
from tests import factories
from tests.factories import LONG_AGO

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
IDS = [f"a{number}" for number in range(9)]


def mark(session: Session, *account_ids: str, priority: Priority = Priority.LIVE) -> None:
    mark_due(session, "acme", account_ids, priority=priority)


def claim(session: Session, limit: int = 100) -> list[ClaimedAccount]:
    return list(claim_due(session, limit=limit))


def ids(claimed: Sequence[ClaimedAccount]) -> list[str]:
    return [each.account_id for each in claimed]


def summaries(claimed: Sequence[ClaimedAccount]) -> list[tuple[str, Priority, bool]]:
    return [(each.account_id, each.priority, each.notify) for each in claimed]


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


def test_an_account_marked_often_is_claimed_once_for_each_priority(session: Session) -> None:
    mark_due(session, "acme", ["b", "a", "b"], priority=Priority.SWEEP, notify=False)
    mark_due(session, "acme", ["b", "b"])

    assert summaries(claim(session)) == [("b", Priority.LIVE, True)]
    assert summaries(claim(session)) == [
        ("a", Priority.SWEEP, False),
        ("b", Priority.SWEEP, False),
    ]
    assert claim(session) == []


def test_background_marks_are_claimed_few_at_a_time(session: Session) -> None:
    mark(session, *IDS, priority=Priority.SWEEP)
    mark(session, *IDS[4:])

    assert ids(claim_due(session, limit=100, background_limit=2)) == IDS[4:]
    assert ids(claim_due(session, limit=100, background_limit=2)) == IDS[:2]


def test_each_claim_of_background_marks_is_limited(session: Session) -> None:
    mark(session, "a", "b", "c", priority=Priority.SWEEP)
    mark(session, "d", "e", "f")

    claims = [claim_due(session, limit=10, background_limit=2) for _ in range(4)]

    assert [len(each) for each in claims] == [3, 2, 1, 0]


def test_live_marks_are_claimed_before_older_sweep_marks(session: Session) -> None:
    mark(session, "a", priority=Priority.SWEEP)
    mark(session, "z", priority=Priority.LIVE)

    assert ids(claim(session, limit=1)) == ["z"]
    assert ids(claim(session, limit=1)) == ["a"]


def test_marks_more_urgent_than_the_requested_priority_are_skipped(session: Session) -> None:
    mark(session, "a1")
    mark(session, "a2", priority=Priority.SWEEP)
    mark(session, "a3", priority=Priority.SILENT)

    assert ids(claim_due(session, limit=9, from_priority=Priority.SILENT)) == ["a3"]
    assert ids(claim_due(session, limit=9, from_priority=Priority.SILENT)) == ["a2"]
    assert ids(claim_due(session, limit=9, from_priority=Priority.SILENT)) == []
    assert ids(claim(session)) == ["a1"]


def test_later_live_marks_of_claimed_accounts_are_claimed_with_them(session: Session) -> None:
    mark(session, "a1", "a2")
    mark(session, "a1", "a3")
    mark(session, "a1", priority=Priority.SWEEP)

    assert ids(claim(session, limit=2)) == ["a1", "a2"]
    assert session.scalars(select(Due.account_id).order_by(Due.id)).all() == ["a3", "a1"]


def test_later_sweep_marks_of_claimed_accounts_are_claimed_with_them(session: Session) -> None:
    for _ in range(300):
        mark(session, "a1", "a2", "a3", priority=Priority.SWEEP)

    assert ids(claim(session, limit=2)) == ["a1", "a2"]
    assert ids(claim(session, limit=2)) == ["a3"]
    assert claim(session) == []


def test_a_busy_workspace_leaves_others_their_share(session: Session) -> None:
    mark(session, *(f"b{n}" for n in range(100)))
    for other in ("quiet", "small"):
        mark_due(session, other, ["a1"])
    mark_due(session, "middle", [f"a{n}" for n in range(5)])

    claimed = claim(session, limit=12)

    assert Counter(each.workspace_id for each in claimed) == {
        "acme": 3,
        "middle": 3,
        "quiet": 1,
        "small": 1,
    }


def test_of_more_workspaces_than_places_each_has_its_turn(session: Session) -> None:
    names = [f"w{n:02}" for n in range(20)]
    for name in names:
        mark_due(session, name, ["a1", "a2"])

    first, *others = iter(lambda: claim(session, limit=5), [])

    assert len({each.workspace_id for each in first}) == 5
    claimed = Counter(each.workspace_id for turn in (first, *others) for each in turn)
    assert claimed == dict.fromkeys(names, 2)


def test_a_claim_has_the_earliest_day_of_usage_unless_something_else_changed(
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


def test_the_same_account_id_in_two_workspaces_is_two_accounts(session: Session) -> None:
    mark_due(session, "other", ["a"])
    mark_due(session, "acme", ["a"])

    assert claim_due(session, limit=10) == [
        ClaimedAccount("acme", "a", Priority.LIVE, notify=True),
        ClaimedAccount("other", "a", Priority.LIVE, notify=True),
    ]


def test_a_sweep_marks_every_account_of_one_workspace_silently(session: Session) -> None:
    for account_id in ("a", "b"):
        factories.account(session, account_id)
    factories.account(session, "c", workspace_id=factories.workspace(session, "other").id)

    mark_all_due(session, "acme", priority=Priority.SWEEP)

    assert summaries(claim(session)) == [
        ("a", Priority.SWEEP, False),
        ("b", Priority.SWEEP, False),
    ]


def test_a_parked_account_that_is_marked_again_is_unparked(session: Session) -> None:
    factories.workspace(session)
    for account_id in ("a", "b"):
        row = ParkedAccount(
            workspace_id="acme",
            account_id=account_id,
            failures=3,
            error="KeyError",
            failed_at=LONG_AGO,
        )
        session.add(row)
    session.flush()
    mark(session, "a")

    claim_due(session, limit=10)

    assert parked(session) == ["b"]


def parked(session: Session) -> Sequence[str]:
    return session.scalars(
        select(ParkedAccount.account_id).order_by(ParkedAccount.account_id)
    ).all()


def test_new_marks_of_held_accounts_take_no_place(engine: Engine) -> None:
    with Session(engine) as setup, setup.begin():
        mark(setup, "held")
    try:
        with Session(engine) as stopped, Session(engine) as working:
            assert ids(claim(stopped)) == ["held"]
            with Session(engine) as marking, marking.begin():
                mark(marking, *["held"] * 3, "free")
                for _ in range(50):
                    mark(marking, "held")

            assert ids(claim(working, limit=2)) == ["free"]
            assert claim(working) == []
    finally:
        with Session(engine) as cleaning, cleaning.begin():
            cleaning.query(Due).delete()


def test_two_workers_never_claim_the_same_mark_and_a_rollback_returns_it(engine: Engine) -> None:
    with Session(engine) as setup, setup.begin():
        mark(setup, "a", "b")
    try:
        with Session(engine) as first, Session(engine) as second:
            assert ids(claim(first, limit=1)) == ["a"]
            assert ids(claim(second)) == ["b"]
            first.rollback()
            assert ids(claim(second)) == ["a"]
            second.commit()
        with Session(engine) as check:
            assert check.scalar(select(func.count()).select_from(Due)) == 0
    finally:
        with Session(engine) as cleaning, cleaning.begin():
            cleaning.query(Due).delete()


def test_a_claim_removes_all_marks_of_its_accounts_in_a_long_queue(session: Session) -> None:
    """Each mark that it leaves would have its account scored again."""
    marks = [{"account_id": key} for _ in range(3_000) for key in IDS[:4]]
    columns = {"workspace_id": "acme", "priority": Priority.LIVE, "notify": True}
    session.execute(insert(Due).values(**columns), marks)

    assert ids(claim(session, limit=2)) == ["a0", "a1"]
    assert Counter(session.scalars(select(Due.account_id))) == {"a2": 3_000, "a3": 3_000}
