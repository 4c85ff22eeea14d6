"""Deliveries in any order, repeated or concurrent, give the same result."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations, zip_longest
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy.orm import Session

from app.billing import stripe_events
from app.billing.account_matching import collect_links
from app.billing.billing_events import ParsedEvent
from app.billing.timeline import PriceMapping, build_timeline
from app.core.db import SessionFactory
from app.core.settings import Settings
from app.main import Storage, create_app
from tests import factories
from tests.billing import sender
from tests.billing.sender import canceled, connect, paid_periods, seconds, send_all, subscription
from tests.conftest import ENCRYPTION_KEY, NOW
from tests.events.calls import text_rows

NAMING = PriceMapping({}, ())
STATUSES = ("trialing", "active", "past_due", "unpaid", "paused", "incomplete", "canceled")


def parsed(n: int, state: dict[str, Any]) -> ParsedEvent:
    """Make a parsed event of a subscription in a state."""
    status, at = state["status"], state["at"]
    over: dict[str, Any] = {"ended_at": seconds(at)} if status == "canceled" else {}
    event = subscription(
        f"evt_{n}",
        at=at,
        verb="deleted" if status == "canceled" else "updated",
        status=status,
        item={"quantity": state["quantity"]},
        cancel_at=None if state["cancel_in"] is None else seconds(at + state["cancel_in"]),
        metadata={"account_id": state["account"]},
        **over,
    )
    parsed_event = stripe_events.parse_event(event)
    assert parsed_event is not None
    return parsed_event


states = st.fixed_dictionaries(
    {
        "at": st.integers(0, 60),
        "status": st.sampled_from(STATUSES),
        "quantity": st.integers(0, 50),
        "cancel_in": st.one_of(st.none(), st.integers(0, 40)),
        "account": st.sampled_from(["acme", "other"]),
    }
)
histories = st.lists(states, min_size=1, max_size=6)


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_deliveries_does_not_change_the_timeline(
    history: list[dict[str, Any]],
    random: Any,  # noqa: ANN401
) -> None:
    events = [parsed(n, state) for n, state in enumerate(history)]
    shuffled = [*events, events[0]]
    random.shuffle(shuffled)

    assert build_timeline(shuffled, {}, NAMING) == build_timeline(events, {}, NAMING)
    assert collect_links(shuffled, "account_id") == collect_links(events, "account_id")


@given(histories)
def test_periods_never_overlap_and_prices_are_never_negative(
    history: list[dict[str, Any]],
) -> None:
    periods = build_timeline(
        [parsed(n, state) for n, state in enumerate(history)], {}, NAMING
    ).periods

    for period, after in zip_longest(periods, periods[1:]):
        assert period.terms.mrr_cents >= 0
        assert period.ends_on is None or period.starts_on < period.ends_on
        assert after is None or (period.ends_on is not None and period.ends_on <= after.starts_on)


EVENTS = (
    subscription("evt_1", verb="created"),
    subscription("evt_2", at=10, item={"quantity": 5}),
    subscription("evt_3", at=20, item={"quantity": 5}, cancel_at_period_end=True),
    canceled(at=31),
)


@pytest.mark.parametrize("order", list(permutations(range(len(EVENTS)))))
def test_every_order_of_deliveries_gives_the_same_periods(
    client: TestClient, session: Session, order: tuple[int, ...]
) -> None:
    path = connect(client)
    send_all(client, path, *(EVENTS[n] for n in order))

    assert paid_periods(session) == [
        ("2026-01-01", "2026-01-11", 60_00),
        ("2026-01-11", "2026-02-01", 100_00),
    ]


def test_of_two_events_in_one_second_the_one_that_can_only_follow_counts(
    client: TestClient, session: Session
) -> None:
    path = connect(client)
    send_all(client, path, subscription("evt_a"))
    send_all(client, path, subscription("evt_b", verb="created", status="incomplete"))

    assert paid_periods(session) == [("2026-01-01", None, 60_00)]


def test_concurrent_deliveries_are_neither_lost_nor_counted_twice(
    committed: SessionFactory,
) -> None:
    with committed.begin() as session:
        key = factories.api_key(session, factories.workspace(session))
    app = create_app(
        Storage(committed, committed),
        Settings(_env_file=None, encryption_key=SecretStr(ENCRYPTION_KEY)),
        lambda: NOW,
    )
    headers = {"Authorization": f"Bearer {key}"}
    with TestClient(app, headers=headers) as client, ThreadPoolExecutor(8) as pool:
        path = connect(client)
        sent = [*EVENTS, *EVENTS, sender.invoice(), sender.invoice()]
        results = list(pool.map(lambda event: send_all(client, path, event)[0], sent))

    with committed() as session:
        assert sorted(results) == ["applied"] * 5 + ["duplicate"] * 5
        assert paid_periods(session) == [
            ("2026-01-01", "2026-01-11", 60_00),
            ("2026-01-11", "2026-02-01", 100_00),
        ]
        assert text_rows(session, "SELECT count(*) FROM billing_event") == [(5,)]
