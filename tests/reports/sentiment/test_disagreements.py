"""Where owners and scores disagree, and who was right."""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.collaboration.agreement import Agreement
from app.reports.sentiment.verdicts import (
    DecidedDisagreement,
    Verdict,
    count_verdicts,
    exact_interval,
)
from app.tables import HealthHistory, HealthScore, Sentiment
from tests import factories
from tests.conftest import NOW

HORIZON, GRACE = 90, 31
DAY = date(2025, 6, 1)
NOBODY: dict[str, Any] = {"n": 0, "owner_right": 0, "score_right": 0, "unknown": 0}
NOBODY |= {"share": None, "low": None, "high": None}
Row = dict[str, Any]


@pytest.fixture(autouse=True)
def workspace(client: TestClient) -> None:
    """The workspace ``acme``."""
    del client


def report(client: TestClient, **params: Any) -> Row:  # noqa: ANN401
    answer = client.get("/api/v1/reports/sentiment-disagreements", params=params)
    assert answer.status_code == 200, answer.text
    found: Row = answer.json()
    return found


def state(session: Session, account_id: str, value: int, days_ago: int = 12) -> None:
    row = {"reason": "So it feels.", "author": "kim", "at": NOW - timedelta(days=days_ago)}
    session.add(Sentiment(workspace_id="acme", account_id=account_id, value=value, **row))
    session.flush()


def score(session: Session, account_id: str, band: str, cents: int = 100, **columns: Any) -> None:  # noqa: ANN401
    factories.account(session, account_id, owner=columns.pop("owner", None))
    row = {"band": band, "status": "ok", "score": 50.0, "mrr_cents": cents, **columns}
    session.add(HealthScore(workspace_id="acme", account_id=account_id, **row))
    session.flush()


def history(session: Session, account_id: str, days_ago: int, band: str, status: str) -> None:
    row: Row = {"restatement": 0, "change": 0, "score": 50.0, "coverage": 1, "mrr_cents": 100}
    row |= {"details": {}, "computed_at": NOW, "as_of": NOW.date() - timedelta(days=days_ago)}
    session.add(
        HealthHistory(workspace_id="acme", account_id=account_id, band=band, status=status, **row)
    )


def test_the_newest_sentiment_is_compared_with_the_band_of_now(
    client: TestClient, session: Session
) -> None:
    """Account c agreed at last; d has left; 12 x 300 and 12 x 100 cents of ARR."""
    for key, band, cents in (("a", "at_risk", 100), ("b", "healthy", 300), ("c", "healthy", 900)):
        score(session, key, band, cents, owner="kim" if key == "a" else "lee")
    score(session, "d", "at_risk", status="churned")
    for key, value in (("a", 5), ("b", 1), ("c", 1), ("c", 4), ("d", 5)):
        state(session, key, value)
    session.commit()

    found = report(client)

    rows = [
        (each["account_id"], each["direction"], each["arr_cents"], each["age_days"])
        for each in found["disagreements"]
    ]
    assert rows == [("b", "pessimistic", 12 * 300, 12), ("a", "optimistic", 12 * 100, 12)]
    assert (found["optimistic"], found["pessimistic"]) == (NOBODY, NOBODY)
    [own] = report(client, owner="kim")["disagreements"]
    assert own["account_id"] == "a"
    assert len(report(client, limit=1)["disagreements"]) == 1


def test_who_was_right_is_counted_once_horizon_and_grace_are_over(
    client: TestClient, session: Session
) -> None:
    """Optimists: s stays, l leaves, r renews within the grace. Of y the grace is not over yet."""
    begin = HORIZON + GRACE
    for key, later, last in (
        *(("s", "ok", "ok"), ("l", "churned", "churned"), ("r", "churned", "ok")),
        ("u", None, None),
    ):
        factories.account(session, key)
        state(session, key, 5, days_ago=begin)
        history(session, key, begin + 2, "at_risk", "ok")
        for days_ago, status in ((GRACE, later), (0, last)):
            if status:
                history(session, key, days_ago, "at_risk", status)
    factories.account(session, "y")
    state(session, "y", 4, days_ago=begin - 1)
    history(session, "y", begin - 1, "at_risk", "ok")
    for key, band in (("agrees", "healthy"), ("long_ago", "at_risk")):
        factories.account(session, key)
        state(session, key, 5, days_ago=begin)
        history(session, key, begin if band == "healthy" else begin + 7, band, "ok")
    session.commit()

    found = report(client)["optimistic"]

    counts = {name: found[name] for name in ("n", "owner_right", "score_right", "unknown")}
    assert counts == {"n": 3, "owner_right": 2, "score_right": 1, "unknown": 1}
    assert found["share"] == pytest.approx(2 / 3, abs=1e-4)
    assert report(client)["pessimistic"] == NOBODY


def decided(value: int, days: int, at_horizon: str | None, account_id: str = "a") -> Any:  # noqa: ANN401
    day = DAY + timedelta(days=days)
    return DecidedDisagreement(account_id, value, day, at_horizon, at_horizon)


def test_a_pessimist_is_right_if_the_account_left() -> None:
    verdicts = count_verdicts([decided(1, 0, "churned"), decided(2, 0, "ok", "b")], HORIZON)

    found = verdicts[Agreement.PESSIMISTIC]
    assert (found.n, found.owner_right, found.score_right) == (2, 1, 1)
    assert verdicts[Agreement.OPTIMISTIC] == Verdict(0, 0, 0, 0, None, None, None)


def test_repeated_statements_within_a_horizon_count_once() -> None:
    """Days 0 and 90 count; 1 and 89 are within the horizon of 0, and 91 within that of 90."""
    days = (0, 1, 89, 90, 91)
    other = [decided(5, 5, "ok", "b"), decided(1, 6, "ok", "b")]

    verdicts = count_verdicts([*(decided(4, each, "ok") for each in days), *other], HORIZON)

    assert verdicts[Agreement.OPTIMISTIC].n == 3
    assert verdicts[Agreement.PESSIMISTIC].n == 1


def test_the_interval_is_exact() -> None:
    """Of 3 in 3: the lower end p has p^3 = 0.025, so it is 0.2924. Of 0 in 1: 1 - 0.025."""
    assert exact_interval(3, 3) == (0.2924, 1.0)
    assert exact_interval(0, 1) == (0.0, 0.975)
