"""Accounts with scores, and lists of them as a client reads them."""

from datetime import date
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import HealthScore
from tests import factories

ACCOUNTS = "/api/v1/accounts"
AS_OF = date(2026, 3, 18)


def add_scored_account(session: Session, account_id: str, **columns: Any) -> None:  # noqa: ANN401
    """An account with a score as a refresh would leave it; ``name`` and such are the account's."""
    of_account = {
        name: columns.pop(name)
        for name in ("name", "segment", "owner", "traits", "parent_id", "excluded")
        if name in columns
    }
    factories.account(session, account_id, **of_account)
    usual = {"score": 50.0, "band": "healthy", "status": "ok", "coverage": 1.0, "as_of": AS_OF}
    row = HealthScore(workspace_id="acme", account_id=account_id, **(usual | columns))
    session.add(row)
    session.flush()


def list_account_ids(client: TestClient, **query: Any) -> list[str]:  # noqa: ANN401
    answer = client.get(ACCOUNTS, params=query)
    assert answer.status_code == 200, answer.text
    return [item["account_id"] for item in answer.json()["items"]]


def list_all_account_ids(client: TestClient, **query: Any) -> list[str]:  # noqa: ANN401
    """Read a list page by page to its end."""
    found, cursor = [], None
    while True:
        answer = client.get(ACCOUNTS, params={**query, "cursor": cursor} if cursor else query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [item["account_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found
