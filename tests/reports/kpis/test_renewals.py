"""A contract that is renewed within the grace days has not ended: in every report of payment."""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests.reports.kpis.test_revenue import add_subscription, get_report

YEAR = {"since": "2025-12-01", "until": "2025-12-31"}


def set_grace(client: TestClient, days: int) -> None:
    """Let the sessions of later requests have the setting."""
    sessions: SessionFactory = client.app.state.sessions  # type: ignore[attr-defined]
    sessions.configure(info={"renewal_grace_days": days})


def renew(
    session: Session,
    account_id: str,
    begins: date,
    cents: int = 100_00,
    **columns: Any,  # noqa: ANN401
) -> None:
    """Add a contract whose end is its last day, and the next one, known when it began."""
    contract = {"starts_on": date(2025, 1, 1), "ends_on": date(2025, 12, 31)}
    add_subscription(session, account_id, 100_00, **contract)
    add_subscription(session, account_id, cents, starts_on=begins, **columns)


def retention(client: TestClient, **period: str) -> tuple[Any, ...]:
    found = get_report(client, "revenue-retention", **(YEAR | period))
    names = ("gross_revenue_retention", "net_revenue_retention", "logo_churn")
    return tuple(found[name]["value"] for name in names)


def test_contracts_that_renew_the_next_day_are_no_churn_at_the_end_of_the_year(
    client: TestClient, session: Session
) -> None:
    for account_id in ("a", "b", "c"):
        renew(session, account_id, date(2026, 1, 1))
    session.commit()

    assert retention(client) == (1, 1, 0)


@pytest.mark.parametrize(("days", "churned"), [(31, 0), (32, 1)])
def test_the_grace_is_31_days_from_the_end(
    client: TestClient, session: Session, days: int, churned: float
) -> None:
    renew(session, "a", date(2025, 12, 31) + timedelta(days=days))
    session.commit()

    assert retention(client)[2] == churned


def test_a_renewal_that_became_known_after_the_grace_changes_nothing(
    client: TestClient, session: Session
) -> None:
    renew(session, "a", date(2026, 1, 1), known_on=date(2026, 3, 1))
    session.commit()

    assert retention(client) == (0, 0, 1)


def test_the_grace_is_a_setting(client: TestClient, session: Session) -> None:
    renew(session, "a", date(2026, 1, 5))
    session.commit()
    set_grace(client, 4)

    assert retention(client)[2] == 1
    set_grace(client, 5)
    assert retention(client)[2] == 0


def test_a_renewal_under_another_subscription_counts(client: TestClient, session: Session) -> None:
    renew(session, "a", date(2026, 1, 1), subscription_id="next")
    session.commit()

    assert retention(client) == (1, 1, 0)


def test_an_add_on_that_ends_is_not_renewed_by_another_purchase(
    client: TestClient, session: Session
) -> None:
    """100 + 20 on 1 December; the add-on of 20 ends on the 31st while the base runs on: 100/120.

    Another product that begins on 1 January is no renewal of it.
    """
    add_subscription(session, "a", 100_00)
    ended = {"starts_on": date(2025, 1, 1), "ends_on": date(2025, 12, 31)}
    add_subscription(session, "a", 20_00, subscription_id="add-on", **ended)
    add_subscription(session, "a", 50_00, subscription_id="more", starts_on=date(2026, 1, 1))
    session.commit()

    assert retention(client) == (pytest.approx(100 / 120), pytest.approx(100 / 120), 0)


def test_a_free_period_renews_nothing(client: TestClient, session: Session) -> None:
    renew(session, "a", date(2026, 1, 1), cents=0)
    session.commit()

    assert retention(client)[2] == 1


def test_an_account_that_begins_in_the_gap_counts_as_paying(
    client: TestClient, session: Session
) -> None:
    """On 31 December it pays 100, and 150 later: NRR 1.5."""
    renew(session, "a", date(2026, 1, 1), cents=150_00)
    session.commit()

    assert retention(client, since="2025-12-31", until="2026-03-01") == (1, 1.5, 0)


def test_a_cohort_keeps_accounts_that_renew(client: TestClient, session: Session) -> None:
    renew(session, "a", date(2026, 1, 1))
    session.commit()

    [cohort] = get_report(client, "cohorts", since="2025-01-01", until="2025-12-31")["cohorts"]

    assert {cell["retention"] for cell in cohort["cells"]} == {1}


def test_lifetimes_and_causes_of_churn_know_renewals(client: TestClient, session: Session) -> None:
    renew(session, "a", date(2026, 1, 1))
    session.commit()

    [found] = get_report(client, "lifetime-value", until="2025-12-31")["segments"]
    causes = get_report(client, "churn-causes", since="2025-01-01", until="2025-12-31")

    assert (found["paying"], found["ended"]) == (1, 0)
    assert (causes["left"]["numerator"], causes["left"]["denominator"]) == (0, 1)
