"""Files state how subscriptions are billed and renewed."""

from datetime import date

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.accounts.subscription_service import to_period
from app.core.db import SessionFactory
from app.core.pagination import Paging
from app.imports import queries
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.tables import Subscription
from tests import factories
from tests.imports.files import run_import

SUBSCRIPTIONS = ImportPlan(ImportKind.SUBSCRIPTIONS)


@pytest.fixture(autouse=True)
def _workspace(session: Session) -> None:
    factories.workspace(session)
    session.commit()


def test_billing_is_read_as_databases_and_people_write_it(
    sessions: SessionFactory, session: Session
) -> None:
    content = (
        b"account_id,starts_on,mrr,Billing Period Months,term_months,auto_renews,discount_share\n"
        b"a1,2026-01-01,5,annual,24,t,0.15000000000000002\na2,2026-01-01,5,3,,no,0\n"
        b"a3,2026-01-01,5,,\\N,,\na4,2026-01-01,5,biannual,,,\na5,2026-01-01,5,1,0,,\n"
        b"a6,2026-01-01,5,1,,maybe,\na7,2026-01-01,5,1,,,15\n"
    )

    job = run_import(sessions, SUBSCRIPTIONS, content)

    assert [
        (
            row.account_id,
            row.billing_period_months,
            row.term_months,
            row.auto_renews,
            row.discount_share,
        )
        for row in session.query(Subscription).order_by(Subscription.account_id)
    ] == [
        ("a1", 12, 24, True, 0.15000000000000002),
        ("a2", 3, None, False, 0),
        ("a3", None, None, None, None),
    ]
    rejected = queries.list_errors(session, "acme", job.id, Paging(1000, None)).rows
    assert [row.line for row in rejected] == [5, 6, 7, 8]


def test_exported_subscriptions_can_be_imported_again(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    factories.account(session, "a1")
    row = factories.subscription(
        session,
        billing_period_months=12,
        term_months=24,
        auto_renews=False,
        discount_share=0.15,
        renewal_on=date(2027, 1, 1),
    )
    stored = to_period(row)
    session.commit()
    exported = client.get("/api/v1/subscriptions", headers={"Accept": "text/csv"}).content
    session.query(Subscription).delete()
    session.commit()

    run_import(sessions, SUBSCRIPTIONS, exported)

    assert [to_period(each) for each in session.query(Subscription)] == [stored]
