from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.pagination import encode_cursor
from app.tables import Account, HealthScore
from tests import factories
from tests.portfolio.account_lists import (
    ACCOUNTS,
    add_scored_account,
    list_account_ids,
    list_all_account_ids,
)

FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["low", "new", "top"]),
    ({"band": "at_risk"}, ["low"]),
    ({"band": "unknown"}, ["new"]),
    ({"status": "churned"}, ["gone"]),
    ({"status": "excluded"}, ["ours"]),
    ({"status": "insufficient_data"}, ["new"]),
    ({"status": "ok"}, ["low", "top"]),
    ({"segment": "smb"}, ["low", "top"]),
    ({"owner": "Ines"}, ["low"]),
    ({"plan": "pro"}, ["top"]),
    ({"plan": "trial"}, ["new"]),
    ({"min_mrr": 1}, ["low", "top"]),
    ({"min_mrr": 10_001}, ["top"]),
    ({"min_mrr": 0}, ["low", "new", "top"]),
    ({"segment": "smb", "owner": "Ines", "band": "healthy"}, []),
    ({"segment": ""}, []),
]


@pytest.mark.parametrize(("query", "ids"), FILTERS, ids=str)
def test_a_list_has_the_accounts_that_match_every_filter(
    client: TestClient, session: Session, query: dict[str, Any], ids: list[str]
) -> None:
    add_scored_account(
        session, "low", score=9.0, band="at_risk", segment="smb", owner="Ines", mrr_cents=10_000
    )
    add_scored_account(session, "top", score=99.0, segment="smb", plan="pro", mrr_cents=20_000)
    add_scored_account(session, "gone", score=None, band="unknown", status="churned", mrr_cents=0)
    add_scored_account(
        session, "ours", score=None, band="unknown", status="excluded", mrr_cents=90_000
    )
    factories.account(session, "new", plan="trial")
    factories.workspace(session, "other")
    factories.account(session, "theirs", workspace_id="other")

    assert list_account_ids(client, **query) == ids
    assert list_all_account_ids(client, **query, limit=1) == ids


@pytest.mark.parametrize(
    "query",
    [{"band": "red"}, {"status": "fine"}, {"sort": "age"}, {"sort": "--score"}, {"min_mrr": -1}],
)
def test_an_unknown_value_of_a_parameter_is_refused(
    client: TestClient, query: dict[str, Any]
) -> None:
    assert client.get(ACCOUNTS, params=query).status_code == 422


SORTS = {
    "score": ["low", "tie1", "tie2", "top", "none1", "none2"],
    "-score": ["top", "tie1", "tie2", "low", "none1", "none2"],
    "mrr": ["none1", "none2", "tie1", "tie2", "top", "low"],
    "-mrr": ["low", "tie1", "tie2", "top", "none1", "none2"],
    "name": ["tie1", "tie2", "low", "none1", "none2", "top"],
    "-name": ["none1", "low", "tie1", "tie2", "none2", "top"],
    "renewal_on": ["tie2", "low", "tie1", "none1", "none2", "top"],
    "-renewal_on": ["low", "tie1", "tie2", "none1", "none2", "top"],
    "trend7": ["tie1", "tie2", "low", "none1", "none2", "top"],
    "-trend7": ["low", "tie1", "tie2", "none1", "none2", "top"],
    "trend28": ["low", "tie1", "tie2", "none1", "none2", "top"],
    "-trend28": ["tie1", "tie2", "low", "none1", "none2", "top"],
    "account_id": ["low", "none1", "none2", "tie1", "tie2", "top"],
    "-account_id": ["top", "tie2", "tie1", "none2", "none1", "low"],
}


@pytest.mark.parametrize("limit", [1, 2, 1000])
@pytest.mark.parametrize("sort", SORTS)
def test_every_order_can_be_paged_and_null_comes_last(
    client: TestClient, session: Session, sort: str, limit: int
) -> None:
    late, soon = {"renewal_on": "2026-12-01"}, {"renewal_on": "2026-04-01"}
    down, up = {"trend": {"d28": -9.5, "d7": 3}}, {"trend": {"d28": 2, "d7": -1.5}}
    add_scored_account(session, "low", score=1.5, mrr_cents=900, name="zeta", details=late | down)
    add_scored_account(
        session, "top", score=99.25, mrr_cents=800, details={"renewal_on": None, "trend": {}}
    )
    add_scored_account(session, "tie1", score=50.0, mrr_cents=800, name="Beta", details=late | up)
    add_scored_account(session, "tie2", score=50.0, mrr_cents=800, name="Beta", details=soon | up)
    add_scored_account(session, "none2", score=None, mrr_cents=0)
    factories.account(session, "none1", name='Émile, "l\'ami"')

    assert list_all_account_ids(client, sort=sort, limit=limit) == SORTS[sort]


def test_a_list_has_no_maximum_length(client: TestClient, session: Session) -> None:
    ids = [f"a{number:05}" for number in range(1100)]
    session.add_all(Account(workspace_id="acme", account_id=account_id) for account_id in ids)
    session.flush()

    assert list_all_account_ids(client, limit=1000) == ids
    assert list_all_account_ids(client, limit=97, sort="-score") == ids


@pytest.mark.parametrize("sort", ["score", "-score"])
def test_no_row_is_skipped_or_repeated_while_others_change(
    client: TestClient, session: Session, sort: str
) -> None:
    """Rows of the first page lose their score, move and are deleted; new ones come before them."""
    for number in range(6):
        add_scored_account(session, f"a{number}", score=10.0 * number)
    page = client.get(ACCOUNTS, params={"sort": sort, "limit": 3}).json()
    first_ids = [item["account_id"] for item in page["items"]]

    session.delete(session.get_one(HealthScore, ("acme", first_ids[0])))
    session.get_one(HealthScore, ("acme", first_ids[1])).score = -1.0 if sort == "score" else 101.0
    session.delete(session.get_one(Account, ("acme", first_ids[2])))
    add_scored_account(session, "early", score=-2.0 if sort == "score" else 102.0)
    session.flush()

    rest = list_all_account_ids(client, sort=sort, limit=3, cursor=page["next_cursor"])
    unread = [f"a{number}" for number in range(6) if f"a{number}" not in first_ids]
    assert [key for key in rest if key in unread] == (unread if sort == "score" else unread[::-1])
    assert set(rest) - set(unread) == {"early"}, "none comes again; without a score, it came last"


BAD_CURSORS = [
    "",
    "%",
    "abc",
    "ä",
    "bnVsbA",
    encode_cursor(),
    encode_cursor("score"),
    encode_cursor("score", 50.0, "a1", "x"),
    encode_cursor("score", "50", "a1"),
    encode_cursor("score", True, "a1"),  # noqa: FBT003
    encode_cursor("score", 50.0, None),
    encode_cursor("score", [50.0], "a1"),
    encode_cursor("score", 50.0, "a\x00"),
    encode_cursor("name", "Beta", "a1"),
    encode_cursor("mrr", 50, "a1"),
    "eyJhIjogMX0",
]


@pytest.mark.parametrize("cursor", BAD_CURSORS)
def test_an_invalid_cursor_is_refused(client: TestClient, cursor: str) -> None:
    answer = client.get(ACCOUNTS, params={"sort": "score", "cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (404, "invalid_cursor")


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("renewal_on", 1),
        ("trend28", "1"),
        ("mrr", True),
        ("mrr", 2**64 - 1),
        ("mrr", 1.5),
        ("name", "\x00"),
        ("name", 1),
    ],
)
def test_a_cursor_with_an_impossible_position_is_refused(
    client: TestClient, sort: str, value: object
) -> None:
    cursor = encode_cursor(sort, value, "a1")

    answer = client.get(ACCOUNTS, params={"sort": sort, "cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (404, "invalid_cursor")


def test_a_cursor_can_be_used_in_a_url_without_escaping(
    client: TestClient, session: Session
) -> None:
    for number in range(3):
        add_scored_account(session, f"a{number}", name="ÿ>?~" * (number + 1))

    cursor = client.get(ACCOUNTS, params={"sort": "name", "limit": 1}).json()["next_cursor"]

    assert client.get(f"{ACCOUNTS}?sort=name&cursor={cursor}").status_code == 200
    assert orjson.loads(client.get(f"{ACCOUNTS}?sort=name&cursor={cursor}").content)["items"]
