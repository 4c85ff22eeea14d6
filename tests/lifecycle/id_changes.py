"""Ask for erasures and moves, let a worker do them, and look at what is left."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.features.queries import load_account_features
from app.features.values import AccountFeatures, FeatureMap, FeatureSpec, ReachSource
from app.lifecycle import processing
from app.tables import metadata
from tests.conftest import NOW

LATER = NOW + timedelta(seconds=10)


def process_all(sessions: SessionFactory, *, now: datetime = LATER) -> int:
    """Let a worker do all pages; return how many."""
    pages = 0
    while processing.process_next_page(sessions, now=now):
        pages += 1
    return pages


def request_change(client: TestClient, method: str, path: str, **body: str) -> dict[str, Any]:
    """Ask for a change that must be taken on."""
    answer = client.request(method, f"/api/v1/{path}", json=body or None)
    assert answer.status_code == 202, answer.text
    said: dict[str, Any] = answer.json()
    return said


def erase(client: TestClient, sessions: SessionFactory, path: str) -> dict[str, Any]:
    """Erase to the end and return the record."""
    said = request_change(client, "DELETE", path)
    process_all(sessions)
    done: dict[str, Any] = client.get(f"/api/v1/erasures/{said['id']}").json()
    assert done["state"] == "done", done
    return done


def move_account(
    client: TestClient, sessions: SessionFactory, old: str, verb: str, **body: str
) -> dict[str, Any]:
    said = request_change(client, "POST", f"accounts/{old}/{verb}", **body)
    process_all(sessions)
    done: dict[str, Any] = client.get(f"/api/v1/account-moves/{said['id']}").json()
    assert done["state"] == "done", done
    return done


FEATURE_SPEC = FeatureSpec(
    FeatureMap([("Export", "export"), ("Share", "share")]), ReachSource(), "USD", 28
)


def features(session: Session, account_id: str = "a1") -> list[AccountFeatures]:
    """Describe an account as scores see it."""
    return load_account_features(session, "acme", [account_id], as_of=NOW.date(), lens=FEATURE_SPEC)


def columns_mentioning(session: Session, named: Collection[str]) -> set[tuple[str, str]]:
    """Search every column of every table for texts; return in which of them they stand."""
    found = set()
    for table in metadata.sorted_tables:
        for column in table.columns:
            query = f'SELECT 1 FROM "{table.name}" WHERE CAST("{column.name}" AS text) LIKE ANY(:n)'  # noqa: S608
            if session.execute(text(query), {"n": [f"%{each}%" for each in named]}).first():
                found.add((table.name, column.name))
    return found
