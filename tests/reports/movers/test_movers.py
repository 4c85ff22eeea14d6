"""The accounts whose score moved the most, with the main reason of each."""

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.languages import Language
from app.reports.movers import service
from app.tables import Account, HealthHistory, HealthScore
from tests import factories
from tests.conftest import NOW
from tests.health.builders import AS_OF
from tests.health.explanations.scored_days import (
    create_scored_account,
    lose_end_customers,
    score_account,
)
from tests.statements import recorded_statements

WEEK = timedelta(days=7)


def get_movers(client: TestClient, **params: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    answer = client.get("/api/v1/reports/movers", params=params)
    assert answer.status_code == 200, answer.text
    movers: list[dict[str, Any]] = answer.json()["movers"]
    return movers


def moved(session: Session, key: str, points: float, **columns: Any) -> None:  # noqa: ANN401
    """Insert an account with a trend of 7 days; nothing of its past is stored."""
    factories.account(session, key, owner=columns.pop("owner", None))
    row = {"score": 50.0, "band": "watch", "status": "ok", "as_of": NOW.date(), "mrr_cents": 100}
    row |= {"details": {"trend": {"d7": points, "d28": -points}}}
    session.add(HealthScore(workspace_id="acme", account_id=key, **(row | columns)))
    session.flush()


def test_the_largest_moves_come_first_up_then_down(client: TestClient, session: Session) -> None:
    """Less than a point is no move; churned accounts have no score that could move."""
    for key, points in (("up", 3.0), ("upper", 9.0), ("down", -1.0), ("lower", -8.0)):
        moved(session, key, points)
    moved(session, "flat", 0.9)
    moved(session, "gone", -50.0, status="churned")
    session.commit()

    def listed(**params: Any) -> list[tuple[str, str, float]]:  # noqa: ANN401
        rows = get_movers(client, **params)
        return [(each["direction"], each["account_id"], each["points"]) for each in rows]

    assert listed() == [
        ("up", "upper", 9.0),
        ("up", "up", 3.0),
        ("down", "lower", -8.0),
        ("down", "down", -1.0),
    ]
    assert listed(limit=1) == [("up", "upper", 9.0), ("down", "lower", -8.0)]
    assert listed(days=28, limit=1) == [("up", "lower", 8.0), ("down", "upper", -9.0)]
    assert listed(days=90) == []
    assert get_movers(client)[0]["reason"] is None, "its score of then is unknown"
    assert client.get("/api/v1/reports/movers?days=8").status_code == 422


def test_an_owner_sees_own_accounts(client: TestClient, session: Session) -> None:
    moved(session, "a", 5.0, owner="kim")
    moved(session, "b", 6.0, owner="lee")
    session.commit()

    assert [each["account_id"] for each in get_movers(client, owner="kim")] == ["a"]


def scored_world(session: Session) -> None:
    """Score an account a week ago and today; in between it loses 9 of 10 end customers."""
    create_scored_account(session)
    score_account(session, AS_OF - WEEK)
    lose_end_customers(session)
    score_account(session, AS_OF)


def test_a_mover_has_its_main_reason_from_the_explanation_in_both_languages(
    client: TestClient, session: Session
) -> None:
    scored_world(session)

    [mover] = get_movers(client)

    path = f"/api/v1/accounts/{mover['account_id']}/health/explanation"
    days = {"from": str(AS_OF - WEEK), "to": str(AS_OF)}
    change = client.get(path, params=days).json()["change"]
    assert mover["direction"] == "down"
    assert mover["points"] == change["points"] < 0
    main = min(change["rows"], key=lambda row: row["points"])
    assert mover["reason"] == main["sentence"]
    assert mover["reason"].startswith("Reach fell")
    [chinese] = get_movers(client, lang="zh")
    assert chinese["reason"].startswith("触达")


def test_the_reason_is_none_if_the_score_of_then_cannot_be_computed_again(
    client: TestClient, session: Session
) -> None:
    scored_world(session)
    session.execute(
        update(HealthHistory)
        .where(HealthHistory.as_of == AS_OF - WEEK)
        .values(details=HealthHistory.details.op("-")("inputs"))
    )
    session.commit()

    [mover] = get_movers(client)

    assert mover["reason"] is None


def test_movers_take_two_statements(client: TestClient, session: Session) -> None:
    del client
    scored_world(session)
    session.execute(update(Account).values(owner="kim"))
    session.flush()
    session.expire_all()

    with recorded_statements() as statements:
        found = service.load_movers(
            session,
            "acme",
            days=7,
            owner="kim",
            limit=10,
            now=NOW,
            language=Language.EN,
        )

    assert [each.reason is None for each in found.movers] == [False]
    assert len(statements) == 2
