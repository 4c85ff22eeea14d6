"""Rows that clients manage under a key of their own: put, list, delete, with audit entries."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.catalog.tables import ExchangeRate, Plan
from app.accounts.tables import Subscription
from app.core.errors import NotFoundError
from app.core.pagination import Paging
from app.core.row_queries import ensure_row, list_all_rows, list_rows
from app.workspaces.resources import delete_row, put_row
from app.workspaces.service import Actor
from app.workspaces.tables import AuditEntry
from tests import factories
from tests.factories import LONG_AGO

JAN, FEB = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture
def actor(session: Session) -> Actor:
    return Actor(factories.workspace(session).id, "test", LONG_AGO)


def audited(session: Session) -> list[tuple[str, str]]:
    session.flush()
    entries = select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id)
    return [(action, subject) for action, subject in session.execute(entries)][1:]


def test_a_put_creates_changes_or_leaves_a_row(session: Session, actor: Actor) -> None:
    initial = {"limits": {"users": 5}}
    _, *created = put_row(session, actor, Plan, "pro", {"name": "Pro"}, initial=initial)
    _, *equal = put_row(session, actor, Plan, "pro", {"name": "Pro"}, initial={"limits": {}})
    row, *changed = put_row(session, actor, Plan, "pro", {"name": "P"}, kind="offer")

    assert (created, equal, changed) == (
        [True, {"name": "Pro"}],
        [False, {}],
        [False, {"name": "P"}],
    )
    assert (row.name, row.limits) == ("P", {"users": 5})
    assert audited(session) == [("plan.created", "pro"), ("offer.changed", "pro")]


def test_a_deletion_is_audited_and_a_missing_row_is_an_error(
    session: Session, actor: Actor
) -> None:
    put_row(session, actor, Plan, "pro", {"name": "Pro"})
    delete_row(session, actor, Plan, "pro")

    assert audited(session)[1:] == [("plan.deleted", "pro")]
    with pytest.raises(NotFoundError, match="No offer pro in this workspace"):
        delete_row(session, actor, Plan, "pro", kind="offer")


def test_rows_are_listed_in_key_order_and_filtered(session: Session) -> None:
    factories.workspace(session)
    for currency, day in (("EUR", FEB), ("GBP", JAN), ("EUR", JAN)):
        assert ensure_row(session, "acme", ExchangeRate, currency, day, rate=1)
    assert not ensure_row(session, "acme", ExchangeRate, "EUR", JAN, rate=2)

    rates = list_all_rows(session, "acme", ExchangeRate)
    first = list_rows(session, "acme", ExchangeRate, Paging(1, None), currency="EUR")
    second = list_rows(session, "acme", ExchangeRate, Paging(1, first.next_cursor), currency=None)

    assert [(row.currency, row.starts_on) for row in rates] == [
        ("EUR", JAN),
        ("EUR", FEB),
        ("GBP", JAN),
    ]
    assert {row.rate for row in rates} == {Decimal(1)}
    assert [row.starts_on for row in (*first.rows, *second.rows)] == [JAN, FEB]
    assert list_all_rows(session, "other", ExchangeRate) == []


def test_a_list_can_be_filtered_by_whether_a_column_has_a_value(session: Session) -> None:
    factories.workspace(session)
    factories.subscription(session, subscription_id="ended", ends_on=FEB)
    factories.subscription(session, subscription_id="running")

    found = [
        list_rows(session, "acme", Subscription, Paging(9, None), ends_on=has_end).rows
        for has_end in (True, False)
    ]

    assert [[row.subscription_id for row in rows] for rows in found] == [["ended"], ["running"]]
