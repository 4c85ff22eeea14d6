"""Prices and dates of B2B events do not depend on the order in which the events come."""

from datetime import date
from itertools import permutations
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests import factories
from tests.events.calls import ingest, warnings
from tests.events.ingestion.test_b2b_effects import account, b2b_track, periods

PRICES = (
    b2b_track("Subscription Updated", "b0", days=55, seats=9),
    b2b_track("Subscription Started", "b1", days=50, mrr=100, plan="pro"),
    b2b_track("Subscription Updated", "b2", days=30, mrr=150),
    b2b_track("Subscription Cancelled", "b3", days=10, reason="price"),
    b2b_track("Subscription Cancelled", "b4", days=5, reason="late"),
)


@pytest.mark.parametrize("order", list(permutations(range(len(PRICES))))[::11])
def test_the_order_across_requests_does_not_matter(
    client: TestClient, session: Session, order: tuple[int, ...]
) -> None:
    """100 from 27 January, 150 from 16 February, nothing from 8 March on; 9 seats all the time."""
    for n in order:
        assert warnings(ingest(client, PRICES[n])) == []

    assert periods(session) == [
        ("2026-01-27", "2026-02-16", 100_00, None),
        ("2026-02-16", "2026-03-08", 150_00, "price"),
    ]
    [listed] = client.get("/api/v1/subscriptions", params={"on": "2026-03-01"}).json()["items"]
    assert (listed["seats"], listed["plan"], listed["mrr_cents"]) == (9, "pro", 150_00)


def test_a_deletion_before_a_late_start_ends_it(client: TestClient, session: Session) -> None:
    ingest(client, b2b_track("Account Deleted", "b1", days=5))
    ingest(client, b2b_track("Subscription Started", "b2", days=9, mrr=100))

    assert periods(session) == [("2026-03-09", "2026-03-13", 100_00, "account_deleted")]


Dates = tuple[str | None, str | None, str | None]
"""First day and end of the trial, day of the deletion."""
DATES: dict[str, tuple[tuple[dict[str, Any], ...], Dates]] = {
    "the newest of two starts, although its trial begins earlier": (
        (
            b2b_track("Trial Started", "t1", days=9, trial_start_date="2026-03-12"),
            b2b_track("Trial Started", "t2", days=5, trial_start_date="2026-03-10"),
        ),
        ("2026-03-10", None, None),
    ),
    "the newest of two announced ends": (
        (
            b2b_track("Trial Started", "t1", days=9, trial_end_date="2026-03-30"),
            b2b_track("Trial Started", "t2", days=8, trial_end_date="2026-03-20"),
        ),
        ("2026-03-10", "2026-03-20", None),
    ),
    "an end that only the older start announces": (
        (
            b2b_track("Trial Started", "t1", days=9, trial_end_date="2026-03-30"),
            b2b_track("Trial Started", "t2", days=8),
        ),
        ("2026-03-10", "2026-03-30", None),
    ),
    "a second trial has not the end of the first": (
        (
            b2b_track("Trial Started", "t1", days=60, trial_end_date="2026-02-01"),
            b2b_track("Trial Ended", "t2", days=45),
            b2b_track("Trial Started", "t3", days=9),
        ),
        ("2026-03-09", None, None),
    ),
    "the newest of two ends, at one time by message id": (
        (
            b2b_track("Trial Started", "t1", days=60),
            b2b_track("Trial Ended", "t2", days=45),
            b2b_track("Trial Ended", "t4", days=40, trial_end_date="2026-02-03"),
            b2b_track("Trial Ended", "t3", days=40, trial_end_date="2026-02-05"),
        ),
        ("2026-01-17", "2026-02-03", None),
    ),
    "a prolonged trial": (
        (
            b2b_track("Trial Started", "t1", days=60, trial_end_date="2026-02-01"),
            b2b_track("Trial Ended", "t2", days=45),
            b2b_track(
                "Trial Started",
                "t3",
                days=44,
                trial_start_date="2026-01-17",
                trial_end_date="2026-03-01",
            ),
        ),
        ("2026-01-17", "2026-03-01", None),
    ),
    "the newest of two deletions": (
        (
            b2b_track("Account Deleted", "d1", days=9),
            b2b_track("Account Deleted", "d2", days=2),
        ),
        (None, None, "2026-03-16"),
    ),
    "created again after the deletion, within a day too": (
        (
            b2b_track("Account Deleted", "d1", days=9),
            b2b_track("Account Deleted", "d2", days=2.3),
            b2b_track("Account Created", "d3", days=2.2),
        ),
        (None, None, None),
    ),
    "deleted after it was created": (
        (
            b2b_track("Account Created", "d1", days=2.3),
            b2b_track("Account Deleted", "d2", days=2.2),
        ),
        (None, None, "2026-03-16"),
    ),
}


@pytest.mark.parametrize("in_one_batch", [True, False], ids=["one batch", "requests"])
@pytest.mark.parametrize("case", DATES)
def test_of_each_date_the_newest_by_its_own_time_counts(
    client: TestClient, case: str, *, in_one_batch: bool
) -> None:
    events, expected = DATES[case]
    for number, order in enumerate(permutations(events)):
        account_id = f"a{number}"
        changed = {"context": {"groupId": account_id}}
        sent = [
            {**event, **changed, "messageId": f"{number}-{event['messageId']}"} for event in order
        ]
        for batch in [sent] if in_one_batch else [[each] for each in sent]:
            assert warnings(ingest(client, *batch)) == []

        found = client.get(f"/api/v1/accounts/{account_id}").json()
        dates = found["trial_started_on"], found["trial_ends_on"], found["deleted_on"]
        assert dates == expected, [each["messageId"] for each in sent]


def test_dates_of_an_earlier_release_or_of_billing_are_as_old_as_their_trial(
    client: TestClient, session: Session
) -> None:
    """An older trial changes nothing; a newer one counts."""
    first = date(2026, 2, 1)
    factories.account(session, "a1", trial_started_on=first, trial_ends_on=date(2026, 2, 20))
    session.commit()

    ingest(client, b2b_track("Trial Started", "t1", days=60, trial_end_date="2026-03-20"))
    found = account(client)
    assert (found["trial_started_on"], found["trial_ends_on"]) == ("2026-02-01", "2026-02-20")

    ingest(client, b2b_track("Trial Started", "t2", days=20))
    found = account(client)
    assert (found["trial_started_on"], found["trial_ends_on"]) == ("2026-02-26", None)
