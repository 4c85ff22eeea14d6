from collections.abc import Sequence

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from app.accounts import queries
from app.accounts.due import Priority
from app.accounts.queries import ClaimedAccount
from app.accounts.tables import Due, ParkedAccount
from tests import factories
from tests.factories import LONG_AGO


def claimed(session: Session, *, limit: int = 100) -> list[tuple[str, Priority, bool]]:
    return [
        (account.account_id, account.priority, account.notify)
        for account in queries.claim_due(session, limit=limit)
    ]


def test_an_account_marked_often_is_claimed_once_for_each_urgency(session: Session) -> None:
    queries.mark_due(session, "acme", ["b", "a", "b"], priority=Priority.SWEEP, notify=False)
    queries.mark_due(session, "acme", ["b", "b"])

    assert claimed(session) == [("b", Priority.LIVE, True)]
    assert claimed(session) == [("a", Priority.SWEEP, False), ("b", Priority.SWEEP, False)]
    assert claimed(session) == []


def test_of_what_is_not_live_only_a_few_are_claimed_at_once(session: Session) -> None:
    queries.mark_due(session, "acme", ["a", "b", "c"], priority=Priority.SWEEP)
    queries.mark_due(session, "acme", ["d", "e", "f"])

    sets = [queries.claim_due(session, limit=10, few=2) for _ in range(4)]

    assert [len(each) for each in sets] == [3, 2, 1, 0]


def test_live_marks_are_claimed_before_sweeps_that_came_first(session: Session) -> None:
    queries.mark_due(session, "acme", ["a"], priority=Priority.SWEEP)
    queries.mark_due(session, "acme", ["z"], priority=Priority.LIVE)

    assert [account for account, *_ in claimed(session, limit=1)] == ["z"]
    assert [account for account, *_ in claimed(session, limit=1)] == ["a"]


def test_the_same_account_id_in_two_workspaces_is_two_accounts(session: Session) -> None:
    queries.mark_due(session, "other", ["a"])
    queries.mark_due(session, "acme", ["a"])

    found = queries.claim_due(session, limit=10)

    assert found == [
        ClaimedAccount("acme", "a", Priority.LIVE, notify=True),
        ClaimedAccount("other", "a", Priority.LIVE, notify=True),
    ]


def test_a_sweep_marks_every_account_of_one_workspace_silently(session: Session) -> None:
    for account_id in ("a", "b"):
        factories.account(session, account_id)
    factories.account(session, "c", workspace_id=factories.workspace(session, "other").id)

    queries.mark_all_due(session, "acme", priority=Priority.SWEEP)

    assert claimed(session) == [("a", Priority.SWEEP, False), ("b", Priority.SWEEP, False)]


def test_a_parked_account_that_is_marked_again_has_another_chance(session: Session) -> None:
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
    queries.mark_due(session, "acme", ["a"])

    queries.claim_due(session, limit=10)

    assert parked(session) == ["b"]


def parked(session: Session) -> Sequence[str]:
    return session.scalars(
        select(ParkedAccount.account_id).order_by(ParkedAccount.account_id)
    ).all()


def test_two_workers_never_claim_the_same_mark_and_a_rollback_returns_it(engine: Engine) -> None:
    with Session(engine) as setup, setup.begin():
        queries.mark_due(setup, "acme", ["a", "b"])
    try:
        with Session(engine) as first, Session(engine) as second:
            assert [account for account, *_ in claimed(first, limit=1)] == ["a"]
            assert [account for account, *_ in claimed(second)] == ["b"]
            first.rollback()
            assert [account for account, *_ in claimed(second)] == ["a"]
            second.commit()
        with Session(engine) as check:
            assert check.scalar(select(func.count()).select_from(Due)) == 0
    finally:
        with Session(engine) as cleaning, cleaning.begin():
            cleaning.query(Due).delete()
