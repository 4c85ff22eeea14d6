"""Periods that imports of older versions let run beside newer ones."""

from datetime import date
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.accounts.tables import Account
from app.core.db import SessionFactory
from app.doctor.faults import Run
from app.doctor.overlapping_periods import check_periods
from tests import factories
from tests.conftest import NOW


def store_as_older_versions(session: Session) -> None:
    """Rise paid 100 from January on and pays 150 from July on; both ran. Two is two products."""
    for day, cents in (("2025-01-01", 100_00), ("2025-07-01", 150_00)):
        period(session, "rise", date.fromisoformat(day), cents, subscription_id="s")
    period(session, "two", date(2025, 1, 1), 100_00, subscription_id="base")
    period(session, "two", date(2025, 7, 1), 50_00, subscription_id="extra")
    session.commit()


def period(session: Session, account_id: str, day: date, cents: int, **columns: Any) -> None:  # noqa: ANN401
    if session.get(Account, ("acme", account_id)) is None:
        factories.account(session, account_id)
    columns |= {"starts_on": day, "known_on": day, "source": "import"}
    factories.subscription(session, account_id, mrr_cents=cents, **columns)


def mrr(client: TestClient, account_id: str, on: str) -> dict[str, int]:
    found: dict[str, int] = client.get(f"/api/v1/accounts/{account_id}/mrr?on={on}").json()[
        "mrr_cents"
    ]
    return found


def test_the_newer_period_ends_the_older_one(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    store_as_older_versions(session)
    assert mrr(client, "rise", "2026-03-01") == {"USD": 250_00}

    faults = list(check_periods(Run(sessions, "acme", NOW, dry=False)))

    assert [fault.account_id for fault in faults] == ["rise"]
    assert mrr(client, "rise", "2026-03-01") == {"USD": 150_00}
    assert mrr(client, "rise", "2025-06-30") == {"USD": 100_00}
    assert mrr(client, "two", "2026-03-01") == {"USD": 150_00}
    assert list(check_periods(Run(sessions, "acme", NOW, dry=False))) == []


def test_a_dry_run_changes_no_period(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    store_as_older_versions(session)

    assert len(list(check_periods(Run(sessions, "acme", NOW, dry=True)))) == 1
    assert mrr(client, "rise", "2026-03-01") == {"USD": 250_00}
