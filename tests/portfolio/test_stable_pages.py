"""Every account comes once, in the order of the first page, while all values change meanwhile."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.changes import snapshots, sort_change_queries
from app.core.db import SessionFactory, create_session_factory, transaction
from app.core.settings import Settings
from app.main import Storage, create_app
from app.tables import Account, ChurnRisk, HealthScore, SortChange
from tests import factories
from tests.conftest import NOW
from tests.portfolio.account_lists import ACCOUNTS, AS_OF, add_scored_account

IDS = [f"a{number:02}" for number in range(12)]
SORTS = ["name", "score", "mrr", "renewal_on", "trend7", "trend28", "churn_risk", "revenue_at_risk"]
Reader = TestClient


@pytest.fixture
def reader(committed: SessionFactory) -> Iterator[Reader]:
    """A client whose requests are transactions of their own; ``acme`` has 12 scored accounts."""
    with transaction(committed) as session:
        key = factories.api_key(session, factories.workspace(session))
        for number, account_id in enumerate(IDS):
            add_scored_account(session, account_id, name=f"Name {number}")
        factories.workspace(session, "other")
        add_values(session, Random(0))  # noqa: S311 - the same values each time
    alone = create_session_factory(
        committed.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
    )
    app = create_app(Storage(committed, alone), Settings(_env_file=None), lambda: NOW)
    with TestClient(app, headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


def add_values(session: Session, random: Random) -> None:
    """Give all accounts other values of everything that lists are sorted by, some of them null."""
    for account_id in IDS:
        number = random.choice([None, 0.0, *(random.uniform(1, 99) for _ in range(4))])
        score = session.get_one(HealthScore, ("acme", account_id))
        score.score, score.mrr_cents = number, round(number or 0)
        day = f"2026-0{random.randint(1, 9)}-01" if number else None
        score.details = {"renewal_on": day, "trend": {"d7": number, "d28": number and -number}}
        score.band = random.choice(["at_risk", "watch"])
        session.get_one(Account, ("acme", account_id)).name = random.choice("aZé日") + str(number)
        risk = session.get(ChurnRisk, ("acme", account_id))
        if random.random() < 0.3:
            if risk is not None:
                session.delete(risk)
            continue
        values = {
            "status": "ok",
            "stage": "trusted",
            "horizon_days": 90,
            "mrr_cents": 1,
            "details": {},
            "computed_at": NOW,
            "as_of": AS_OF,
            "risk": random.random(),
            "probability": random.choice([None, 0.5]),
            "level": random.choice(["low", "high"]),
            "revenue_at_risk_cents": random.randint(0, 1200),
        }
        session.merge(ChurnRisk(workspace_id="acme", account_id=account_id, **values))
    session.flush()


def read_pages(reader: Reader, committed: SessionFactory, query: dict[str, Any]) -> list[str]:
    """Read all pages; all values change before each page but the first."""
    random, cursor = Random(1), dict[str, Any]()  # noqa: S311 - the same each time
    ids: list[str] = []
    while True:
        answer = reader.get(ACCOUNTS, params={**query, **cursor})
        assert answer.status_code == 200, answer.text
        ids += [item["account_id"] for item in answer.json()["items"]]
        if answer.json()["next_cursor"] is None:
            return ids
        cursor = {"cursor": answer.json()["next_cursor"]}
        with transaction(committed) as session:
            add_values(session, random)


@pytest.mark.parametrize("sort", SORTS + [f"-{name}" for name in SORTS])
def test_every_account_comes_once_in_the_order_of_the_first_page(
    reader: Reader,
    committed: SessionFactory,
    monkeypatch: pytest.MonkeyPatch,
    sort: str,
) -> None:
    """A list that is read with few changes, and then with many, is the same list."""
    query = {"sort": sort}
    for limit, many in ((5, sort_change_queries.MANY_CHANGES), (4, 8)):
        monkeypatch.setattr(sort_change_queries, "MANY_CHANGES", many)
        whole = reader.get(ACCOUNTS, params=query).json()["items"]
        ids = read_pages(reader, committed, query | {"limit": limit})

        assert ids == [item["account_id"] for item in whole]
        assert sorted(ids) == IDS


def test_the_values_shown_are_those_of_now(reader: Reader, committed: SessionFactory) -> None:
    """a00 to a03 have 10, 20, 30, 40. Then a00 becomes 90: it came first and does not come again.

    a03 becomes 5: it comes last, in its place, with 5.
    """
    set_scores(committed, {key: 10.0 * (n + 1) for n, key in enumerate(IDS)})
    query: dict[str, str | int] = {"sort": "score", "limit": 2}
    query["filter"] = '{"account_id": ["a00","a01","a02","a03"]}'
    first = reader.get(ACCOUNTS, params=query).json()
    set_scores(committed, {"a00": 90.0, "a03": 5.0})
    second = reader.get(ACCOUNTS, params=query | {"cursor": first["next_cursor"]}).json()

    shown = [(x["account_id"], x["value"]) for x in first["items"] + second["items"]]
    assert shown == [("a00", 10), ("a01", 20), ("a02", 30), ("a03", 5)]
    assert second["next_cursor"] is None


def test_a_change_that_was_not_committed_at_the_first_page_is_a_later_one(
    reader: Reader, committed: SessionFactory
) -> None:
    set_scores(committed, {key: 10.0 * (n + 1) for n, key in enumerate(IDS)})
    query: dict[str, Any] = {"sort": "score", "limit": 6}
    with transaction(committed) as session:
        session.get_one(HealthScore, ("acme", "a00")).score = 99.0
        session.get_one(HealthScore, ("acme", "a11")).score = 1.0
        session.flush()
        set_scores(committed, {"a05": 55.0})  # a younger transaction that ends first
        first = reader.get(ACCOUNTS, params=query).json()
    second = reader.get(ACCOUNTS, params=query | {"cursor": first["next_cursor"]}).json()

    assert [x["account_id"] for x in first["items"] + second["items"]] == IDS


def test_an_account_that_gets_its_first_score_comes_once(
    reader: Reader, committed: SessionFactory
) -> None:
    """Without a score it comes last; with 1.0 it would lie before the second page."""
    set_scores(committed, {key: 10.0 * (n + 1) for n, key in enumerate(IDS)})
    with transaction(committed) as session:
        factories.account(session, "new")
    query: dict[str, Any] = {"sort": "score", "limit": 6}
    first = reader.get(ACCOUNTS, params=query).json()
    with transaction(committed) as session:
        session.add(HealthScore(workspace_id="acme", account_id="new", score=1.0))
        session.delete(session.get_one(HealthScore, ("acme", "a00")))
    query |= {"limit": 100, "cursor": first["next_cursor"]}
    second = reader.get(ACCOUNTS, params=query).json()

    ids = [x["account_id"] for x in first["items"] + second["items"]]
    assert ids == [*IDS, "new"]


def test_changes_of_another_workspace_count_for_nothing(
    reader: Reader, committed: SessionFactory
) -> None:
    with transaction(committed) as session:
        add_other = HealthScore(workspace_id="other", account_id="a00", score=1.0)
        session.add(add_other)
    whole = reader.get(ACCOUNTS, params={"sort": "score"}).json()["items"]
    query: dict[str, Any] = {"sort": "score", "limit": 6}
    first = reader.get(ACCOUNTS, params=query).json()
    with transaction(committed) as session:
        session.get_one(HealthScore, ("other", "a00")).score = 99.0
    second = reader.get(ACCOUNTS, params=query | {"cursor": first["next_cursor"]}).json()

    assert first["items"] + second["items"] == whole


def test_the_list_of_accounts_at_risk_and_a_segment_are_as_stable(
    reader: Reader, committed: SessionFactory
) -> None:
    with transaction(committed) as session:
        session.execute(text("DELETE FROM churn_risk"))
        for number, account_id in enumerate(IDS):
            score = session.get_one(HealthScore, ("acme", account_id))
            score.band, score.mrr_cents, score.score = "at_risk", 1000 - number, 1.0 + number
    reader.put("/api/v1/segments/all", json={"name": "All", "filter": {}})
    lists = (f"{ACCOUNTS}/at-risk", "/api/v1/segments/all/accounts?sort=score")
    firsts = [reader.get(each, params={"limit": 4}).json() for each in lists]
    with transaction(committed) as session:
        for number, account_id in enumerate(IDS):
            score = session.get_one(HealthScore, ("acme", account_id))
            score.mrr_cents, score.score = number, 20.0 - number
    for path, first in zip(lists, firsts, strict=True):
        rest = reader.get(path, params={"limit": 100, "cursor": first["next_cursor"]}).json()
        assert [x["account_id"] for x in first["items"] + rest["items"]] == IDS


def test_a_cursor_lives_for_an_hour_and_the_safe_order_for_ever(reader: Reader) -> None:
    by_score: dict[str, Any] = {"sort": "score", "limit": 1}
    by_id: dict[str, Any] = {"limit": 1}
    for query in (by_score, by_id):
        query["cursor"] = reader.get(ACCOUNTS, params=query).json()["next_cursor"]
    hour = snapshots.MAX_AGE
    for later, status in ((hour, 200), (hour + timedelta(seconds=1), 404)):
        reader.app.state.clock = lambda later=later: NOW + later  # type: ignore[attr-defined]
        answer = reader.get(ACCOUNTS, params=by_score)
        assert answer.status_code == status
        assert reader.get(ACCOUNTS, params=by_id).status_code == 200
    assert answer.json()["code"] == "invalid_cursor"
    assert "account_id" in answer.json()["detail"]


def test_old_values_are_deleted_after_two_hours(committed: SessionFactory, reader: Reader) -> None:
    assert reader is not None, "the fixture changes values"
    with transaction(committed) as session:
        written = session.query(SortChange).count()
        newest = session.execute(text("SELECT max(created_at) FROM sort_change")).scalar_one()
        sort_change_queries.delete_old_sort_changes(session, before=newest)
        left = session.query(SortChange).count()
        sort_change_queries.delete_old_sort_changes(session, before=newest + timedelta(seconds=1))
        assert written > left == 1
        assert session.query(SortChange).count() == 0


def set_scores(committed: SessionFactory, scores: dict[str, float]) -> None:
    with transaction(committed) as session:
        for account_id, value in scores.items():
            session.get_one(HealthScore, ("acme", account_id)).score = value
