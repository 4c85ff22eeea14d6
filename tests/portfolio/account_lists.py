"""Helpers: accounts with scores, and lists of accounts read over HTTP."""

from datetime import date
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import HealthScore
from tests import factories

ACCOUNTS = "/api/v1/accounts"
AS_OF = date(2026, 3, 18)


def add_scored_account(session: Session, account_id: str, **columns: Any) -> None:  # noqa: ANN401
    """Insert an account and its score; ``name`` and such are columns of the account."""
    account_columns = {
        name: columns.pop(name)
        for name in ("name", "segment", "owner", "traits", "parent_id", "excluded")
        if name in columns
    }
    factories.account(session, account_id, **account_columns)
    defaults = {"score": 50.0, "band": "healthy", "status": "ok", "coverage": 1.0, "as_of": AS_OF}
    row = HealthScore(workspace_id="acme", account_id=account_id, **(defaults | columns))
    session.add(row)
    session.flush()


def list_account_ids(client: TestClient, **query: Any) -> list[str]:  # noqa: ANN401
    answer = client.get(ACCOUNTS, params=query)
    assert answer.status_code == 200, answer.text
    return [item["account_id"] for item in answer.json()["items"]]


def list_all_account_ids(client: TestClient, **query: Any) -> list[str]:  # noqa: ANN401
    """Return the ids of all pages of a list."""
    ids, cursor = [], None
    while True:
        answer = client.get(ACCOUNTS, params={**query, "cursor": cursor} if cursor else query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        ids += [item["account_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return ids
