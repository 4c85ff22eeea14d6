from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import DatabaseSlots
from app.workspaces import queries
from app.workspaces.auth import Caller, key_from_header
from app.workspaces.keys import parse_key_id
from app.workspaces.queries import IdChangeFlags
from tests import factories
from tests.conftest import NOW


def basic(text: str) -> str:
    return "Basic " + b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Bearer hk_1", "hk_1"),
        ("bearer  hk_1 ", "hk_1"),
        (basic("hk_1:"), "hk_1"),
        (basic("hk_1"), "hk_1"),
        (None, None),
        ("", None),
        ("Bearer", ""),
        ("Bearer ", ""),
        (basic(":"), ""),
    ],
)
def test_a_key_is_sent_as_bearer_token_or_as_basic_user_name(
    header: str | None, key: str | None
) -> None:
    assert key_from_header(header) == key


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("", "Send an API key"),
        ("Bearer", "is empty"),
        (basic(":"), "is empty"),
        ("Bearer hk_1_2", "is unknown"),
        ("Bearer $READ_KEY", "is unknown"),
        ("hk_1", "cannot be read"),
        ("Digest x", "cannot be read"),
        ("Basic %%%", "cannot be read"),
        ("Basic /w==", "cannot be read"),
    ],
)
def test_a_header_without_a_known_key_is_refused_and_says_why(
    client: TestClient, header: str, sentence: str
) -> None:
    read = client.get("/api/v1/workspace", headers={"Authorization": header})
    sent = client.post("/v1/track", json={}, headers={"Authorization": header})

    assert (read.status_code, read.json()["code"]) == (401, "invalid_api_key")
    assert sentence in read.json()["detail"]
    assert "WWW-Authenticate" in read.headers
    if header:
        assert (sent.status_code, sent.json()["code"]) == (401, "invalid_write_key")
        assert sentence in sent.json()["detail"]


def test_the_last_use_of_a_key_is_stored_at_most_once_a_minute(session: Session) -> None:
    key_id = parse_key_id(factories.api_key(session, factories.workspace(session))) or ""
    stored_times = []
    for seconds in (0, 59, 61):
        queries.mark_key_used(session, key_id, now=NOW + timedelta(seconds=seconds))
        stored = queries.find_stored_key(session, key_id)
        assert stored is not None
        stored_times.append(stored.last_used_at)

    assert stored_times == [NOW, NOW, NOW + timedelta(seconds=61)]


def test_a_request_needs_no_more_than_one_slot(client: TestClient) -> None:
    app: Any = client.app
    app.state.slots = DatabaseSlots(1, queue=0, wait_seconds=0.2)

    for path in ("/api/v1/workspace", "/api/v1/users", "/api/v1/plans"):
        assert client.get(path).status_code == 200
    assert client.put("/api/v1/plans/pro", json={}).status_code == 200


def test_who_has_no_admin_key_cannot_empty_the_cache_of_callers(client: TestClient) -> None:
    app: Any = client.app
    flags = IdChangeFlags(erasure_key=None, has_aliases=False, read_at=0)
    cached = Caller("acme", "k1", frozenset(), "USD", (), None, (), {}, None, flags)
    app.state.caller_cache.store("hk_1", cached)

    for headers in ({"Authorization": "Bearer hk_unknown"}, {"Authorization": ""}):
        assert client.get("/api/v1/api-keys", headers=headers).status_code == 401
    assert app.state.caller_cache.find("hk_1", now=NOW) == cached

    assert client.get("/api/v1/api-keys").status_code == 200
    assert app.state.caller_cache.find("hk_1", now=NOW) is None
