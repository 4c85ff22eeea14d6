from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from app.engagement.snapshot import ENGAGEMENT_METRICS
from app.health.definition.entitlement import Offer
from app.health.definition.metrics import METRICS, trait_number
from tests.health.builders import AS_OF, make_facts

USED = {
    "adopted": ["api", "sso"],
    "adopted_before": ["api"],
    "active_users": 7,
    "active_users_before": 6,
    "seats": 20,
    "reached": 50,
    "reached_before": 40,
    "end_customers": 100,
    "events": 900,
    "events_before": 800,
    "active_days": 12,
    "active_days_before": 11,
    "employees": 300,
    "mrr_cents": 123_45,
    "first_used_on": date(2026, 3, 10),
    "first_paid_on": date(2026, 3, 8),
    "last_used_on": date(2026, 3, 16),
    "renewal_on": date(2026, 4, 1),
    "engagement": {
        "nps": 8.5,
        "csat": 4.0,
        "open_tickets": 2.0,
        "tickets_90d": 7.0,
        "late_replies_28d": 1.0,
        "unanswered_feedback": 3.0,
        "onboarding_share": 0.5,
        "goals_on_track": 1.0,
    },
}
OFFER = Offer({"api": 2.0, "sso": 1.0, "export": 0.5}, {})


TABLE: Mapping[str, tuple[float, float | None, float | None]] = {
    "breadth": (3, 2, 3.5),
    "depth": (7, 6, 20),
    "reach": (50, 40, 100),
    "events": (900, 800, None),
    "active_days": (12, 11, None),
    "product_features": (2, None, None),
    "seats": (20, None, None),
    "mrr": (123.45, None, None),
    "employees": (300, None, None),
    "end_customers": (100, None, None),
    "tenure_days": (10, None, None),
    "days_since_last_use": (2, None, None),
    "days_to_renewal": (14, None, None),
    "nps": (8.5, None, None),
    "csat": (4, None, None),
    "open_tickets": (2, None, None),
    "tickets_90d": (7, None, None),
    "late_replies_28d": (1, None, None),
    "unanswered_feedback": (3, None, None),
    "onboarding_share": (0.5, None, None),
    "goals_on_track": (1, None, None),
}
"""Value, value in the window before, and the whole that it is a share of."""


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_the_values_of_the_table(name: str) -> None:
    metric, found = METRICS[name], make_facts(OFFER, **USED)

    before = metric.before(found) if metric.before else None
    whole = metric.whole(found) if metric.whole else None

    assert (metric.value(found), before, whole) == TABLE[name]


def test_unknown_values_are_missing_and_not_zero() -> None:
    never = {"first_used_on": None, "first_paid_on": None, "last_used_on": None}
    unknown = make_facts(OFFER, no_rate=True, **never)

    missing = {name for name, metric in METRICS.items() if metric.value(unknown) is None}

    assert missing == {
        *("seats", "mrr", "employees", "end_customers"),
        *("tenure_days", "days_since_last_use", "days_to_renewal"),
        *ENGAGEMENT_METRICS,
    }


def test_mrr_without_a_price_is_zero() -> None:
    assert METRICS["mrr"].value(make_facts(mrr_cents=0, pays=False, price_cents=None)) == 0


def day(back: int) -> str:
    return (AS_OF - timedelta(days=back)).isoformat()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (-2.5, -2.5),
        ("7", 7),
        (" 7.5 ", 7.5),
        (True, 1),
        (False, 0),
        ("gold", 30),
        ("5", 50),
        (day(10), 10),
        (day(-3), -3),
        (f"{day(10)}T23:59:59Z", 10),
        (AS_OF.isoformat(), 0),
        ("Gold", None),
        ("1.500", None),  # decimals or thousands?
        ("-2.000", None),
        ("0.500", 0.5),
        ("1.50", 1.5),
        (1.125, 1.125),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        (1e300, None),
        (10**400, None),
        ("2026-02-30", None),
        ("yesterday", None),
        (None, None),
        ([3], None),
        ({"n": 3}, None),
    ],
)
def test_a_trait_becomes_a_number_if_it_can(value: Any, expected: float | None) -> None:  # noqa: ANN401
    assert trait_number(value, AS_OF, {"gold": 30, "5": 50}) == expected


def test_true_and_false_can_be_mapped() -> None:
    values = {"true": 0, "false": 100}

    assert [trait_number(value, AS_OF, values) for value in (True, False)] == [0, 100]
