"""B2B events that name nobody, or whose properties cannot be read: counted, with a warning."""

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
def test_an_event_that_names_nobody_is_an_ordinary_one(
    client: TestClient, event: dict[str, Any]
) -> None:
    said = ingest(client, event)

    assert (calls.counts(said), warnings(said)) == ((1, 0, 0), ["b2b_incomplete"])


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("Trial Started", {"trial_end_date": "soon"}),
        ("Trial Ended", {"trial_start_date": 5}),
        ("Subscription Started", {"mrr": "a lot"}),
        ("Subscription Started", {"price": 100, "interval": "decade"}),
        ("Subscription Started", {"price": "-5", "interval": "year"}),
        ("Subscription Updated", {"mrr": 5, "currency": "dollars"}),
        ("Subscription Cancelled", {"ends_on": "later"}),
        ("Account Created", {"created_at": "once"}),
    ],
)
def test_a_property_that_cannot_be_read_is_left_out_with_a_warning(
    client: TestClient, session: Session, name: str, properties: dict[str, Any]
) -> None:
    said = ingest(client, b2b_track(name, **properties))

    assert (calls.counts(said), warnings(said)) == ((1, 0, 0), ["invalid_trait"])
    assert calls.usage(session).total() == 1
