"""Incomplete B2B events, and those with invalid properties, are counted with a warning."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.events import calls
from tests.events.calls import ingest, track, warnings
from tests.events.ingestion.test_b2b_effects import b2b_track


@pytest.mark.parametrize(
    "event",
    [
        calls.unattributed("b1", event="Account Created"),
        calls.unattributed("b1", event="Trial Started"),
        track("b1", event="Account Added User", userId=None, anonymousId="anon"),
        track("b1", event="Account Removed User", userId=None, anonymousId="anon"),
    ],
)
def test_an_incomplete_b2b_event_is_only_counted(client: TestClient, event: dict[str, Any]) -> None:
    receipt = ingest(client, event)

    assert (calls.counts(receipt), warnings(receipt)) == ((1, 0, 0), ["b2b_incomplete"])


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("Trial Started", {"trial_end_date": "soon"}),
        ("Trial Ended", {"trial_start_date": 5}),
        ("Subscription Started", {"mrr": "a lot"}),
        ("Subscription Started", {"price": 100, "interval": "decade"}),
        ("Subscription Started", {"price": "-5", "interval": "year"}),
        ("Subscription Updated", {"mrr": 5, "currency": "dollars"}),
        ("Subscription Updated", {"mrr": 5, "billing_period": "biannual"}),
        ("Subscription Cancelled", {"ends_on": "later"}),
        ("Account Created", {"created_at": "once"}),
    ],
)
def test_an_invalid_property_is_left_out_with_a_warning(
    client: TestClient, session: Session, name: str, properties: dict[str, Any]
) -> None:
    receipt = ingest(client, b2b_track(name, **properties))

    assert (calls.counts(receipt), warnings(receipt)) == ((1, 0, 0), ["invalid_trait"])
    assert calls.usage(session).total() == 1
