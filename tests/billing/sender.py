"""Make Stripe events from recorded samples, sign them and send them."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session, sessionmaker

from app.accounts.subscription_queries import list_known_periods
from app.billing.service import reconcile_waiting
from app.billing.signature import sign
from tests.conftest import NOW

SAMPLES = Path(__file__).parent.parent / "data" / "stripe"
SECRET = "whsec_of_a_test"  # noqa: S105 - a test value
START = datetime(2026, 1, 1, 10, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
SOURCE_URL = "/api/v1/billing-sources/stripe"

Event = dict[str, Any]
PaidPeriods = list[tuple[str, str | None, int]]
"""First day, first day after, cents."""


def sample(name: str, year: str = "2025") -> Event:
    """Return a recorded event as live mode sends it; the recordings are of test mode."""
    event: Event = json.loads((SAMPLES / f"{name}_{year}.json").read_text())
    return {**event, "livemode": True}


def seconds(day: int, hour: int = 10) -> int:
    """Return the seconds since 1970 of an hour, ``day`` days after 2026-01-01."""
    return int((START + day * ONE_DAY).replace(hour=hour).timestamp())


TRIAL: dict[str, Any] = {"trial_start": seconds(0), "trial_end": seconds(14)}


def changed_event(
    event: Event, event_id: str, *, at: int, verb: str = "", **fields: object
) -> Event:
    """Copy an event with another id and day, and with fields of its object changed."""
    name = f"{event['type'].rpartition('.')[0]}.{verb}" if verb else event["type"]
    whole = {**event["data"]["object"], **fields}
    return {
        **event,
        "id": event_id,
        "type": name,
        "created": seconds(at),
        "data": {"object": whole},
    }


def subscription(
    event_id: str = "evt_1",
    *,
    at: int = 0,
    verb: str = "updated",
    year: str = "2025",
    item: Mapping[str, Any] | None = None,
    price: Mapping[str, Any] | None = None,
    **fields: object,
) -> Event:
    """Make an event of the sample subscription; ``item`` and ``price`` change its only item."""
    event = changed_event(sample("subscription", year), event_id, at=at, verb=verb, **fields)
    items = event["data"]["object"]["items"]
    only = {**items["data"][0], **(item or {})}
    only["price"] = {**only["price"], **(price or {})}
    event["data"]["object"]["items"] = {**items, "data": [only]}
    return event


def canceled(event_id: str = "evt_end", *, at: int, **fields: object) -> Event:
    ended: dict[str, Any] = {
        "status": "canceled",
        "ended_at": seconds(at),
        "canceled_at": seconds(at),
    }
    return subscription(event_id, at=at, verb="deleted", **{**ended, **fields})


def invoice(
    event_id: str = "evt_in", *, at: int = 31, verb: str = "paid", **fields: object
) -> Event:
    return changed_event(sample("invoice"), event_id, at=at, verb=verb, **fields)


def connect(client: TestClient, **options: object) -> str:
    """Connect Stripe; return the path that receives its events."""
    answer = client.put(SOURCE_URL, json={"signing_secret": SECRET, **options})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"]).removeprefix("http://testserver")


def signature(body: bytes, *, secret: str = SECRET, at: datetime = NOW) -> str:
    moment = int(at.timestamp())
    return f"t={moment},v1={sign(body, secret, seconds=moment)}"


def send(client: TestClient, path: str, event: Event, **signed: Any) -> Response:  # noqa: ANN401
    body = json.dumps(event).encode()
    headers = {"Stripe-Signature": signature(body, **signed), "Authorization": ""}
    answer: Response = client.post(path, content=body, headers=headers)
    return answer


def send_all(client: TestClient, path: str, *events: Event) -> list[str]:
    """Send events that must be accepted; return their results."""
    answers = [send(client, path, event) for event in events]
    assert [answer.status_code for answer in answers] == [200] * len(events), answers[-1].text
    return [answer.json()["result"] for answer in answers]


def paid_periods(session: Session, account_id: str = "acme") -> PaidPeriods:
    """Return the periods of an account as they are known now."""
    rows = list_known_periods(session, "acme", account_id)
    return [
        (str(row.starts_on), str(row.ends_on) if row.ends_on else None, row.mrr_cents)
        for row in rows
        if row.ends_on != row.starts_on
    ]


def day(offset: int) -> date:
    return (START + offset * ONE_DAY).date()


def reconcile(session: Session) -> int:
    """Reconcile waiting customers as the worker does, in the test's own transaction."""
    return reconcile_waiting(
        sessionmaker(session.connection(), join_transaction_mode="create_savepoint"), now=NOW
    )
