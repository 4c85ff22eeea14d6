"""The periods of an account are the same in whatever order its prices arrive."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests import factories
from tests.events import calls
from tests.events.arrivals import MIDNIGHT, Call, at, stored
from tests.events.calls import group, track

PERIODS = (
    "SELECT string_agg(concat_ws(' ', starts_on, ends_on, mrr_cents, plan, seats, renewal_on,"
    " billing_period_months), ', '"
    " ORDER BY starts_on) FROM (SELECT DISTINCT ON (subscription_id, starts_on) * FROM subscription"
    " WHERE account_id = '{}' ORDER BY subscription_id, starts_on, known_on DESC) AS s"
    " WHERE ends_on IS DISTINCT FROM starts_on"
)


@pytest.mark.parametrize(
    ("prices", "periods"),
    [
        (  # the issue: 100 at 02:00, another field at 06:00, and a late 200 of 04:00
            [(2, {"mrr": 1}), (6, {"name": "Six"}), (4, {"mrr": 2})],
            "2026-03-18 200",
        ),
        (  # a plan of day 3 keeps the price of day 2, which is late
            [(-72, {"mrr": 1, "plan": "a"}), (-48, {"mrr": 2}), (-24, {"plan": "b"})],
            "2026-03-15 2026-03-16 100 a, 2026-03-16 2026-03-17 200 a, 2026-03-17 200 b",
        ),
        (  # the same price again on day 3 ends the other one of day 2
            [(-72, {"mrr": 1}), (-48, {"mrr": 2}), (-24, {"mrr": 1}), (0, {"mrr": 1})],
            "2026-03-15 2026-03-16 100, 2026-03-16 2026-03-17 200, 2026-03-17 100",
        ),
        (  # of three prices of a day the last counts, which is that of the day before
            [(-20, {"mrr": 1}), (1, {"mrr": 2}), (2, {"mrr": 3}), (3, {"mrr": 1})],
            "2026-03-17 100",
        ),
        (  # the renewal day of day 3 counts from the seats of day 2 on
            [
                (-72, {"mrr": 1, "renewal_date": "2026-04-01"}),
                (-48, {"seats": 5}),
                (-24, {"renewal_date": "2026-05-01"}),
            ],
            "2026-03-15 2026-03-16 100 2026-04-01, 2026-03-16 100 5 2026-05-01",
        ),
        (  # the renewal day and the other price of the last day belong to one new period
            [(-72, {"mrr": 1}), (1, {"renewal_date": "2026-05-01"}), (2, {"mrr": 2})],
            "2026-03-15 2026-03-18 100, 2026-03-18 200 2026-05-01",
        ),
        (  # the billing period of day 3 is that of both prices; one of two meanings states nothing
            [
                (-72, {"mrr": 1, "billing_period": "monthly"}),
                (-48, {"billing_period": "annual"}),
                (-24, {"mrr": 2, "billing_period": "biannual"}),
            ],
            "2026-03-15 2026-03-17 100 12, 2026-03-17 200 12",
        ),
        (  # nothing is paid before the first price
            [
                (-72, {"plan": "a"}),
                (-48, {"seats": 5}),
                (-24, {"mrr": 1}),
                (0, {"currency": "EUR"}),
            ],
            "2026-03-17 2026-03-18 100 a 5, 2026-03-18 100 a 5",
        ),
    ],
)
def test_the_periods_of_an_account_are_the_same_in_every_order_of_arrival(
    client: TestClient, session: Session, prices: list[tuple[float, Call]], periods: str
) -> None:
    events = [
        group(f"g{hour}", "x", userId=None, timestamp=at(hour), traits=traits)
        for hour, traits in prices
    ]

    assert stored(client, session, events, PERIODS) == {repr((periods,))}


def test_a_late_price_ends_where_payment_ended(client: TestClient, session: Session) -> None:
    calls.ingest(client, group("g1", timestamp=at(-72), traits={"mrr": 1}))
    cancelled = track("b1", event="Subscription Cancelled", timestamp=at(-24))
    calls.ingest(client, cancelled)

    calls.ingest(client, group("g2", timestamp=at(-48), traits={"mrr": 2}))

    assert calls.one_row(session, PERIODS.format("a1")) == (
        "2026-03-15 2026-03-16 100, 2026-03-16 2026-03-17 200",
    )


def test_a_period_from_an_earlier_release_states_all_its_terms(
    client: TestClient, session: Session
) -> None:
    """It has no statement: a late call of its first day changes only the seats."""
    start = (MIDNIGHT - timedelta(days=3)).date()
    terms: Call = {"subscription_id": "traits", "source": "traits", "plan": "a", "mrr_cents": 100}
    factories.account(session, "a1")
    factories.subscription(session, starts_on=start, known_on=start, seats=5, **terms)
    session.commit()

    calls.ingest(client, group("g1", timestamp=at(-24), traits={"mrr": 3}))
    calls.ingest(client, group("g2", timestamp=at(-70), traits={"seats": 6}))
    calls.ingest(client, group("g3", timestamp=at(-48), traits={"mrr": 2}))

    assert calls.one_row(session, PERIODS.format("a1")) == (
        "2026-03-15 2026-03-16 100 a 6, 2026-03-16 2026-03-17 200 a 6, 2026-03-17 300 a 6",
    )
