from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.core.filters.tree import MATCH_ALL, And
from app.portfolio import segment_service
from app.tables import AuditEntry, SavedSegment
from tests.conftest import NOW
from tests.portfolio.account_lists import ACCOUNTS, add_scored_account, list_all_account_ids

SEGMENTS = "/api/v1/segments"
SMB = {"name": "Small", "filter": {"segment": "smb"}}


def put(client: TestClient, key: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.put(f"{SEGMENTS}/{key}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def actions(session: Session) -> list[tuple[str, str]]:
    entries = select(AuditEntry.action, AuditEntry.subject).where(
        AuditEntry.action.startswith("segment.")
    )
    return [(action, subject) for action, subject in session.execute(entries)]


def test_a_segment_has_the_total_of_its_current_accounts(
    client: TestClient, session: Session
) -> None:
    add_scored_account(session, "a1", segment="smb", mrr_cents=100)
    before = put(client, "small", SMB)
    add_scored_account(session, "a2", segment="smb", mrr_cents=50)
    add_scored_account(session, "a3", segment="mid", mrr_cents=7)
    add_scored_account(session, "gone", segment="smb", status="churned", score=None)

    after = client.get(f"{SEGMENTS}/small").json()

    assert (before["count"], before["mrr_cents"], before["version"]) == (1, 100, 1)
    assert (after["count"], after["mrr_cents"]) == (2, 150)
    assert after == before | {"count": 2, "mrr_cents": 150}
    assert (after["key"], after["name"], after["filter"]) == ("small", "Small", SMB["filter"])
    assert list_segment_account_ids(client, "small") == ["a1", "a2"]


def list_segment_account_ids(client: TestClient, key: str) -> list[str]:
    page = client.get(f"{SEGMENTS}/{key}/accounts", params={"limit": 1, "sort": "-mrr"}).json()
    items = page["items"]
    while page["next_cursor"]:
        params = {"limit": 1, "sort": "-mrr", "cursor": page["next_cursor"]}
        page = client.get(f"{SEGMENTS}/{key}/accounts", params=params).json()
        items += page["items"]
    return [item["account_id"] for item in items]


def test_segments_are_listed_by_key_each_with_its_total(
    client: TestClient, session: Session
) -> None:
    add_scored_account(session, "a1", segment="smb", mrr_cents=100)
    add_scored_account(session, "a2", segment="mid", mrr_cents=50)
    put(client, "small", SMB)
    put(client, "all", {"name": "All", "filter": {}})
    put(client, "lost", {"name": "Lost", "filter": {"status": "churned"}})

    first = client.get(SEGMENTS, params={"limit": 2}).json()
    rest = client.get(SEGMENTS, params={"cursor": first["next_cursor"]}).json()

    assert [(each["key"], each["count"], each["mrr_cents"]) for each in first["items"]] == [
        ("all", 2, 150),
        ("lost", 0, 0),
    ]
    assert [(each["key"], each["count"]) for each in rest["items"]] == [("small", 1)]
    assert rest["next_cursor"] is None


def test_a_change_creates_a_version_and_an_audit_entry_and_equal_values_do_not(
    client: TestClient, session: Session
) -> None:
    put(client, "small", SMB)
    assert put(client, "small", SMB)["version"] == 1
    assert put(client, "small", SMB | {"filter": {"segment": ["smb", "mid"]}})["version"] == 2

    assert client.delete(f"{SEGMENTS}/small").status_code == 204
    assert client.get(f"{SEGMENTS}/small").status_code == 404
    verbs = ["segment.created", "segment.changed", "segment.deleted"]
    assert actions(session) == [(verb, "small") for verb in verbs]


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        ({"colour": "red"}, "/body/filter/colour"),
        ({"and": [{"score": 5}, {"band": "red"}]}, "/body/filter/and/1/band"),
        ([], "/body/filter"),
        (None, "/body/filter"),
        ({"segment": ["x" * 900] * 100}, "/body/filter"),
    ],
)
def test_an_invalid_filter_is_not_saved(
    client: TestClient, session: Session, raw: object, pointer: str
) -> None:
    answer = client.put(f"{SEGMENTS}/small", json={"name": "Small", "filter": raw})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert session.get(SavedSegment, ("acme", "small")) is None
    assert actions(session) == []


@pytest.mark.parametrize("body", [{"name": "x"}, {"filter": {}}, {"name": "", "filter": {}}])
def test_a_segment_needs_a_name_and_a_filter(client: TestClient, body: dict[str, Any]) -> None:
    assert client.put(f"{SEGMENTS}/small", json=body).status_code == 422


def test_a_saved_segment_and_a_filter_must_both_match(client: TestClient, session: Session) -> None:
    add_scored_account(session, "a1", segment="smb", score=10.0)
    add_scored_account(session, "a2", segment="smb", score=90.0)
    add_scored_account(session, "a3", segment="mid", score=10.0)
    put(client, "small", SMB)
    low = {"field": "score", "op": "lt", "value": 50}

    both = {"filter": low, "segment_key": "small"}

    assert list_all_account_ids(client, segment_key="small") == ["a1", "a2"]
    assert list_all_account_ids(client, segment_key="small", filter=orjson.dumps(low).decode()) == [
        "a1"
    ]
    posted = client.post(f"{ACCOUNTS}/query", json=both).json()
    assert [item["account_id"] for item in posted["items"]] == ["a1"]
    assert client.post(f"{ACCOUNTS}/count", json=both).json()["count"] == 1


def test_an_unknown_segment_is_not_found(client: TestClient) -> None:
    answers = [
        client.get(ACCOUNTS, params={"segment_key": "nothing"}),
        client.post(f"{ACCOUNTS}/count", json={"segment_key": "nothing"}),
        client.get(f"{SEGMENTS}/nothing/accounts"),
        client.delete(f"{SEGMENTS}/nothing"),
    ]

    assert {(each.status_code, each.json()["code"]) for each in answers} == {(404, "not_found")}


def test_a_filter_can_be_resolved_from_a_key_or_from_json(
    client: TestClient, session: Session
) -> None:
    put(client, "small", SMB)
    smb = segment_service.parse_account_filter({"segment": "smb"})
    low = segment_service.parse_account_filter({"score": 5})

    assert segment_service.resolve_filter(session, "acme") == MATCH_ALL
    assert segment_service.resolve_filter(session, "acme", {"score": 5}) == low
    assert segment_service.resolve_filter(session, "acme", key="small") == smb
    assert segment_service.resolve_filter(session, "acme", {"score": 5}, key="small") == And(
        (smb, low)
    )
    with pytest.raises(NotFoundError):
        segment_service.resolve_filter(session, "other", key="small")


def test_a_segment_has_the_time_of_its_creation(client: TestClient) -> None:
    assert put(client, "small", SMB)["created_at"].startswith(NOW.date().isoformat())
