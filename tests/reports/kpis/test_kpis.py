"""Repurchases, purchase value, first value, NPS, distribution: each by a small example."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import Event, HealthHistory, SurveyResponse
from tests import factories
from tests.conftest import NOW
from tests.reports.kpis.test_revenue import add_subscription, get_report

ORDER = "Order Completed"


def buy(session: Session, account_id: str, *days: str) -> None:
    factories.workspace(session)
    for day in days:
        factories.usage(session, date.fromisoformat(day), account_id=account_id, event_name=ORDER)


def order(session: Session, account_id: str, day: str, revenue: object) -> None:
    at = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    session.add(
        Event(
            workspace_id="acme",
            client_at=at,
            message_id=f"{account_id}-{day}",
            occurred_at=at,
            received_at=at,
            kind="track",
            name=ORDER,
            account_id=account_id,
            key_id="k",
            fingerprint=0,
            properties={"revenue": revenue},
        )
    )


def test_the_repurchase_rate_counts_buyers_observed_long_enough(
    client: TestClient, session: Session
) -> None:
    buy(session, "again", "2026-01-02", "2026-01-20")
    buy(session, "late", "2026-01-02", "2026-02-20")
    buy(session, "once", "2026-01-05")
    buy(session, "young", "2026-03-10", "2026-03-11")
    buy(session, "before", "2025-06-01", "2026-01-10")
    session.commit()

    found = get_report(client, "repurchase-rate", since="2026-01-01", within_days=30)

    assert (found["numerator"], found["denominator"]) == (1, 3)
    assert found["exclusions"] == {"excluded": 0, "too_young": 1}
    assert found["value"] == pytest.approx(1 / 3)


def test_purchase_value_adds_up_spending_by_month_of_age(
    client: TestClient, session: Session
) -> None:
    """Month 0: (10 + 30 + 6) / 3; month 1: 20 / 2, without the third, which is too young."""
    factories.workspace(session)
    for account_id, day, amount in (
        *(("a", "2026-01-01", 10), ("a", "2026-02-10", 20)),
        *(("b", "2026-01-01", 30), ("b", "2026-01-15", "free")),
        ("c", "2026-02-10", 6),
    ):
        order(session, account_id, day, amount)
    session.commit()

    found = get_report(client, "purchase-value", months=2, margin=0.5)

    assert [(m["observed"], m["active"], m["amount"]) for m in found["months"]] == [
        *((3, 3, 46), (2, 1, 20))
    ]
    assert found["clv"]["value"] == pytest.approx(0.5 * (46 / 3 + 20 / 2))
    longer = get_report(client, "purchase-value", months=12)
    assert longer["clv"]["value"] is None, "no account was observed for a year"


def test_time_to_first_value_is_the_median_day_of_first_use(
    client: TestClient, session: Session
) -> None:
    factories.workspace(session)
    for account_id, back, used_after in (
        ("a", 60, 1),
        ("b", 50, 5),
        ("c", 40, 20),
        ("d", 30, None),
    ):
        started_on = NOW.date() - timedelta(days=back)
        factories.account(session, account_id, started_on=started_on)
        if used_after is not None:
            used_on = started_on + timedelta(days=used_after)
            factories.usage(session, used_on, account_id=account_id, event_name="Sent")
    session.commit()

    found = get_report(client, "time-to-first-value", events="Sent", since="2026-01-01")

    assert (found["value"], found["numerator"], found["n"]) == (5, 3, 4)
    assert get_report(client, "time-to-first-value", events="Never")["value"] is None


def answer(session: Session, user_id: str, score: int, back: int = 1, **columns: Any) -> None:  # noqa: ANN401
    at = NOW - timedelta(days=back)
    row = {
        "workspace_id": "acme",
        "response_id": f"{user_id}-{back}",
        "account_id": "a1",
        "user_id": user_id,
        "kind": "nps",
        "score": score,
        "at": at,
        "known_on": at.date(),
    }
    session.add(SurveyResponse(**(row | columns)))


def test_nps_counts_the_newest_answer_of_each_person(client: TestClient, session: Session) -> None:
    factories.workspace(session)
    for name, score in (("ada", 10), ("bob", 9), ("cleo", 8), ("dan", 3)):
        answer(session, name, score)
    answer(session, "ada", 0, back=30)
    answer(session, "eve", 1, kind="csat")
    session.commit()

    found = get_report(client, "nps", until="2026-03-18")

    assert (found["value"], found["numerator"], found["denominator"]) == (25, 1, 4)


def test_two_answers_give_no_nps(client: TestClient, session: Session) -> None:
    factories.workspace(session)
    answer(session, "ada", 10)
    answer(session, "bob", 10)
    session.commit()

    found = get_report(client, "nps")

    assert (found["value"], found["n"]) == (None, 2)


def test_the_distribution_counts_accounts_by_band(client: TestClient, session: Session) -> None:
    for account_id, score, band in (
        ("a", 80, "healthy"),
        ("b", 20, "at_risk"),
        ("c", 60, "healthy"),
    ):
        add_subscription(session, account_id, 100_00)
        factories.account(session, account_id)
        session.add(
            HealthHistory(
                workspace_id="acme",
                account_id=account_id,
                as_of=date(2026, 3, 15),
                restatement=0,
                change=0,
                score=score,
                band=band,
                status="ok",
                coverage=1,
                mrr_cents=100_00,
                details={},
                computed_at=NOW,
            )
        )
    session.commit()

    [day] = get_report(client, "distribution", since="2026-03-16")["days"][-1:]

    assert (day["accounts"], day["mean_score"]) == (3, pytest.approx(160 / 3))
    assert [(band["band"], band["accounts"], band["mrr_cents"]) for band in day["bands"]] == [
        *(("at_risk", 1, 100_00), ("healthy", 2, 200_00))
    ]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("lifetime-value", {"margin": 0}),
        ("lifetime-value", {"margin": 1.5}),
        ("lifetime-value", {"months": 0}),
        ("lifetime-value", {"cost_cents": 0}),
        ("repurchase-rate", {"within_days": 0}),
        ("purchase-value", {"months": 500}),
        ("nps", {"since": "soon"}),
    ],
)
def test_parameters_out_of_bounds_are_refused(
    client: TestClient, name: str, wrong: dict[str, str | float]
) -> None:
    assert client.get(f"/api/v1/reports/{name}", params=wrong).status_code == 422


def test_lifetime_value_is_computed_by_segment(client: TestClient, session: Session) -> None:
    for account_id, segment in (("a", "smb"), ("b", "smb"), ("c", None)):
        factories.workspace(session)
        factories.account(session, account_id, segment=segment)
        add_subscription(session, account_id, 100_00)
    add_subscription(session, "gone", 500_00, ends_on=date(2025, 12, 1))
    session.commit()

    found = get_report(client, "lifetime-value", months=3, margin=1, cost_cents=300_00)

    everybody, smb = found["segments"]
    assert (everybody["segment"], smb["segment"]) == ("", "smb")
    assert (everybody["paying"], everybody["ended"], smb["paying"]) == (3, 1, 2)
    assert everybody["clv"]["value"] == pytest.approx(300_00)
    assert smb["clv_to_cost"]["value"] == pytest.approx(1)


def test_a_start_that_was_withdrawn_is_no_start(client: TestClient, session: Session) -> None:
    """The start was put on 1 November by mistake, and corrected to 10 January on the 12th.

    First use on 15 January: 5 days. Until 11 January the account had begun on 1 November.
    """
    buy(session, "first", "2025-12-01")
    factories.first_use(session, date(2025, 12, 1), account_id="first")
    buy(session, "a", "2026-01-15", "2026-01-20")
    factories.account(session, "a")
    wrong, known_on = {"starts_on": date(2025, 11, 1)}, date(2026, 1, 12)
    add_subscription(session, "a", 100_00, **wrong)
    add_subscription(session, "a", 100_00, **wrong, ends_on=date(2025, 11, 1), known_on=known_on)
    add_subscription(session, "a", 100_00, starts_on=date(2026, 1, 10), known_on=known_on)
    session.commit()
    query = {"events": ORDER, "since": "2025-10-01"}

    found = get_report(client, "time-to-first-value", **query, until="2026-03-10")
    bought = get_report(client, "repurchase-rate", since="2026-01-01", within_days=30)
    before = get_report(client, "time-to-first-value", **query, until="2026-01-11")

    assert (found["value"], found["n"]) == (5, 1)
    assert (bought["numerator"], bought["denominator"]) == (1, 1), "not older than the first event"
    assert before["exclusions"]["older_than_events"] == 1
