"""Scores requested by the ids that accounts had before a rename or merge."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.health.scoring import service
from tests import factories
from tests.conftest import NOW
from tests.lifecycle.id_changes import move_account


@pytest.fixture
def scored(session: Session) -> None:
    """Two accounts with a day of history each."""
    for key in ("a1", "a2"):
        factories.account(session, key)
        factories.first_use(session, factories.LONG_AGO.date(), account_id=key)
    yesterday = NOW.date() - timedelta(days=1)
    service.refresh(session, "acme", ["a1", "a2"], as_of=yesterday, now=NOW)
    session.commit()


@pytest.mark.usefixtures("scored")
def test_scores_are_found_by_old_ids(client: TestClient, sessions: SessionFactory) -> None:
    move_account(client, sessions, "a1", "rename", account_id="new")

    params = {"account_id": ["a1", "new", "a2", "nobody"]}
    found = client.get("/api/v1/health-scores", params=params).json()

    assert [item["account_id"] for item in found["items"]] == ["a2", "new"]
    assert (found["renamed"], found["unknown"]) == ({"a1": "new"}, ["nobody"])


@pytest.mark.usefixtures("scored")
def test_the_history_of_a_merged_account_is_shown_by_its_old_id(
    client: TestClient, sessions: SessionFactory
) -> None:
    before = client.get("/api/v1/accounts/a1/health/history").json()
    path = "/api/v1/accounts/a2/health/history"
    own = client.get(path).json()
    assert client.get(path, params={"merged": "a1"}).status_code == 404

    move_account(client, sessions, "a1", "merge", into="a2")

    [item] = before["items"]
    item["details"]["merged_into"] = "a2"
    assert client.get(path, params={"merged": "a1"}).json() == before
    assert client.get(path).json()["items"][0] == own["items"][0]
    assert client.get(path, params={"merged": "nobody"}).status_code == 404
