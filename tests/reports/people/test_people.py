"""The people of an account: roles first, then who stopped, who is new, who is active."""

from datetime import date, timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import User
from tests import factories
from tests.conftest import NOW
from tests.statements import recorded_statements

TODAY = NOW.date()
PATH = "/api/v1/accounts/a1/people"


def person(
    session: Session,
    user_id: str,
    *days_ago: int,
    joined: int = 300,
    **columns: Any,  # noqa: ANN401
) -> None:
    """Insert a person who used the product some days ago."""
    values = {"workspace_id": "acme", "account_id": "a1", **columns}
    session.add(User(user_id=user_id, created_at=NOW - timedelta(days=joined), **values))
    for days in days_ago:
        factories.usage(session, TODAY - timedelta(days=days), user_id=user_id)


def fill(session: Session) -> None:
    factories.account(session, "a1")
    factories.account(session, "a2")
    person(session, "active", 0, 27, 28, joined=28)
    person(session, "boss", 60, 61, role="Champion", name="Ada", email="ada@acme.example")
    person(session, "brief", 40, 46)
    person(session, "excluded", 1, excluded=True)
    person(session, "fresh", 3, joined=27)
    person(session, "gone", 28, 35)
    person(session, "late", 1, 100, joined=2)
    person(session, "moved", 1, account_id="a2")
    person(session, "never")
    person(session, "old", 401, 420)
    session.commit()


def test_people_are_listed_by_what_they_do(client: TestClient, session: Session) -> None:
    """Who has used for a week (day 35 to 28) and then not for 28 days has stopped."""
    fill(session)

    items = client.get(PATH).json()["items"]

    listed = [(each["user_id"], each["status"], each["days_used"]) for each in items]
    assert listed == [
        ("boss", "idle", 0),
        ("gone", "stopped", 0),
        ("fresh", "new", 1),
        ("active", "active", 2),
        ("late", "active", 1),
        ("brief", "idle", 0),
        ("never", "idle", 0),
        ("old", "idle", 0),
    ]
    assert items[0] == {
        "user_id": "boss",
        "name": "Ada",
        "email": "ada@acme.example",
        "roles": ["champion"],
        "status": "idle",
        "joined_on": str(TODAY - timedelta(days=300)),
        "last_used_on": str(TODAY - timedelta(days=60)),
        "days_used": 0,
    }
    assert items[-1]["last_used_on"] is None
    assert items[4]["joined_on"] == str(TODAY - timedelta(days=100))


def test_roles_of_the_api_count_until_they_end(client: TestClient, session: Session) -> None:
    fill(session)
    client.put("/api/v1/users/never/roles", json={"roles": ["sponsor"]})
    assert client.get(PATH).json()["items"][1]["roles"] == ["sponsor"]

    client.put("/api/v1/users/never/roles", json={"roles": []})

    assert [each["user_id"] for each in client.get(PATH).json()["items"]][:2] == ["boss", "gone"]


def test_pages_have_everybody_once_with_one_statement(client: TestClient, session: Session) -> None:
    fill(session)
    whole = [each["user_id"] for each in client.get(PATH).json()["items"]]
    found: list[str] = []
    cursor: str | None = None
    while cursor is not None or not found:
        with recorded_statements() as statements:
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = client.get(PATH, params=params).json()
        found += [each["user_id"] for each in page["items"]]
        cursor = page["next_cursor"]
        assert sum('FROM "user"' in each for each in statements) == 1

    assert found == whole
    assert date.fromisoformat(page["items"][0]["joined_on"]) < TODAY
    assert client.get("/api/v1/accounts/nobody/people").status_code == 404
