"""Events that do not count: test mode, other accounts, unused types and thin events."""

from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.billing import sender
from tests.billing.sender import SOURCE_URL, connect, paid_periods, send, send_all, subscription
from tests.events.calls import table_counts

PAID = [("2026-01-01", None, 60_00)]
TEST_MODE = {"livemode": False}
CONNECTED = {"account": "acct_1"}


def receipt(client: TestClient, path: str, event: sender.Event) -> dict[str, Any]:
    answer = send(client, path, event)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (TEST_MODE, "test_mode"),
        (CONNECTED, "other_account"),
        ({**TEST_MODE, **CONNECTED}, "test_mode"),
        ({"type": "charge.refunded"}, "unused_type"),
    ],
)
def test_an_event_that_does_not_count_is_named_and_moves_no_time(
    client: TestClient, session: Session, fields: dict[str, Any], reason: str
) -> None:
    path = connect(client)
    before = table_counts(session)

    expected = {"received": True, "result": "ignored", "reason": reason}
    assert receipt(client, path, {**subscription(), **fields}) == expected

    assert table_counts(session) == before
    assert paid_periods(session) == []
    assert client.get(SOURCE_URL).json()["last_event_at"] is None


@pytest.mark.parametrize(
    ("options", "fields", "counts"),
    [
        ({"test_mode": True}, TEST_MODE, True),
        ({"test_mode": True}, {}, True),
        ({"connected_accounts": ["acct_1"]}, CONNECTED, True),
        ({"connected_accounts": ["acct_1"]}, {}, True),
        ({"connected_accounts": ["acct_2"]}, CONNECTED, False),
        ({"connected_accounts": ["acct_1"]}, {**TEST_MODE, **CONNECTED}, False),
    ],
)
def test_the_source_says_which_of_them_count(
    client: TestClient,
    session: Session,
    options: dict[str, Any],
    fields: dict[str, Any],
    counts: bool,  # noqa: FBT001
) -> None:
    path = connect(client, **options)
    assert options.items() <= client.get(SOURCE_URL).json().items()

    receipt(client, path, {**subscription(), **fields})

    assert paid_periods(session) == (PAID if counts else [])
    assert (client.get(SOURCE_URL).json()["last_event_at"] is not None) == counts


def test_a_thin_event_is_refused(client: TestClient, session: Session) -> None:
    path = connect(client)
    before = table_counts(session)
    thin = {
        "id": "evt_test_65R9Ijk8dKEYZcXeRWn16R9A7j1FSQ3w3TGDPLLGSM4CW0",
        "object": "v2.core.event",
        "type": "v1.customer.subscription.updated",
        "livemode": True,
        "created": "2026-01-01T10:00:00.000Z",
        "related_object": {"id": "sub_1", "type": "subscription", "url": "/v1/subscriptions/sub_1"},
    }
    body = orjson.dumps(thin)

    answer = client.post(path, content=body, headers={"Stripe-Signature": sender.signature(body)})

    assert (answer.status_code, answer.json()["code"]) == (400, "thin_event")
    assert "snapshot" in answer.json()["detail"]
    assert table_counts(session) == before
    assert client.get(SOURCE_URL).json()["last_event_at"] is None


def test_a_repeated_event_moves_the_time(client: TestClient) -> None:
    path = connect(client)

    assert send_all(client, path, subscription(), subscription()) == ["applied", "duplicate"]
    assert client.get(SOURCE_URL).json()["last_event_at"] is not None
