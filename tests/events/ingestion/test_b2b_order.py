"""Prices of B2B events do not depend on the order of the requests in which the events come."""

from itertools import permutations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.events.calls import ingest, warnings
from tests.events.ingestion.test_b2b_effects import b2b_track, periods

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
