"""B2B events of users: joining an account, signing up, leaving."""

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.events import calls
from tests.events.calls import ingest, track
from tests.events.ingestion.test_b2b_effects import b2b_track

DAY = timedelta(days=1)


def member(client: TestClient, user_id: str = "ada") -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/users/{user_id}").json()
    return found


def test_members_join_sign_up_and_leave(client: TestClient) -> None:
    ingest(client, b2b_track("Account Added User", "b1", days=3, role="Owner"))
    assert (member(client)["account_id"], member(client)["role"]) == ("a1", "Owner")

    ingest(
        client,
        track(
            "b2",
            userId="peter",
            event="Signed Up",
            properties={
                "first_name": "Peter",
                "last_name": "Gibbons",
                "email": "p@initech.example",
            },
        ),
    )
    peter = member(client, "peter")
    assert (peter["account_id"], peter["name"]) == ("a1", "Peter Gibbons")
    assert peter["traits"] == {"signed_up_at": "2026-03-18T12:00:00+00:00"}

    ingest(client, b2b_track("Account Removed User", "b3", days=1))
    assert member(client)["account_id"] is None
    ingest(client, b2b_track("Account Added User", "b4", days=2))
    assert member(client)["account_id"] is None, "it is older than the leaving"
    ingest(client, b2b_track("Account Added User", "b5"))
    assert member(client)["account_id"] == "a1"


def test_an_unknown_user_who_leaves_is_not_a_member(client: TestClient) -> None:
    ingest(client, b2b_track("Account Removed User"))

    assert member(client)["account_id"] is None


def test_leaving_one_account_does_not_end_another_membership(
    client: TestClient, session: Session
) -> None:
    ingest(client, calls.group(account_id="a2", timestamp=(NOW - 3 * DAY).isoformat()))

    ingest(client, b2b_track("Account Removed User"))

    assert member(client)["account_id"] == "a2"
    assert calls.usage(session).total() == 1


def test_internal_users_who_sign_up_are_excluded(client: TestClient) -> None:
    client.patch("/api/v1/workspace", json={"internal_domains": ["vendor.example"]})

    ingest(client, b2b_track("Signed Up", email="eve@vendor.example"))

    assert member(client)["excluded"] is True
