"""Helpers: request erasures and moves, let a worker process them, search for what is left."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import LargeBinary, text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.features.queries import load_account_features
from app.features.values import AccountFeatures, FeatureMap, FeatureSpec, ReachSource
from app.lifecycle import processing
from app.tables import metadata
from tests.conftest import NOW

LATER = NOW + timedelta(seconds=10)


def process_all(sessions: SessionFactory, *, now: datetime = LATER) -> int:
    """Let a worker process all pages; return their number."""
    pages = 0
    while processing.process_next_page(sessions, now=now):
        pages += 1
    return pages


def request_change(client: TestClient, method: str, path: str, **body: str) -> dict[str, Any]:
    """Request a change, which must be accepted, and return its record."""
    answer = client.request(method, f"/api/v1/{path}", json=body or None)
    assert answer.status_code == 202, answer.text
    record: dict[str, Any] = answer.json()
    return record


def erase(client: TestClient, sessions: SessionFactory, path: str) -> dict[str, Any]:
    """Erase an id completely and return the record."""
    record = request_change(client, "DELETE", path)
    process_all(sessions)
    done: dict[str, Any] = client.get(f"/api/v1/erasures/{record['id']}").json()
    assert done["state"] == "done", done
    return done


def move_account(
    client: TestClient, sessions: SessionFactory, old: str, verb: str, **body: str
) -> dict[str, Any]:
    """Rename or merge an account completely and return the record."""
    record = request_change(client, "POST", f"accounts/{old}/{verb}", **body)
    process_all(sessions)
    done: dict[str, Any] = client.get(f"/api/v1/account-moves/{record['id']}").json()
    assert done["state"] == "done", done
    return done


FEATURE_SPEC = FeatureSpec(
    FeatureMap([("Export", "export"), ("Share", "share")]), ReachSource(), "USD", 28
)


def features(session: Session, account_id: str = "a1") -> list[AccountFeatures]:
    """Return the features of an account, as scores read them."""
    return load_account_features(session, "acme", [account_id], as_of=NOW.date(), spec=FEATURE_SPEC)


def columns_mentioning(session: Session, texts: Collection[str]) -> set[tuple[str, str]]:
    """Return the (table, column) pairs of the whole database that contain one of the texts."""
    mentions = set()
    for table in metadata.sorted_tables:
        for column in table.columns:
            shown = f'CAST("{column.name}" AS text)'
            if isinstance(column.type, LargeBinary):  # as text it is hexadecimal: "ada" by chance
                shown = f"encode(\"{column.name}\", 'escape')"
            query = f'SELECT 1 FROM "{table.name}" WHERE {shown} LIKE ANY(:n)'  # noqa: S608
            if session.execute(text(query), {"n": [f"%{each}%" for each in texts]}).first():
                mentions.add((table.name, column.name))
    return mentions
