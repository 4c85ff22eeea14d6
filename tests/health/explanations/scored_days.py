"""Days that were really scored, and asking what lies between them."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.health.scoring import service
from app.tables import Benchmark, DailyReach
from tests.health.builders import AS_OF
from tests.health.crowd import NOW, crowd, name_events

EARLIER = AS_OF - timedelta(days=20)
PATH = "/api/v1/accounts/a010/health/explanation"
DAYS = {"from": str(EARLIER), "to": str(AS_OF)}


def score_account(session: Session, day: date, account_id: str = "a010") -> None:
    """Score as the worker does on a day."""
    now = datetime.combine(day, NOW.timetz())
    service.refresh(session, "acme", [account_id], as_of=day, now=now)
    session.commit()


def get_explanation(client: TestClient, **asked: Any) -> Any:  # noqa: ANN401
    """Ask, and hold the answer to what all must keep: the rows add up."""
    answer = client.get(PATH, params=DAYS | asked)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    change = found["change"]
    if change["status"] == "comparable":
        difference = found["after"]["value"] - found["before"]["value"]
        assert sum(row["points"] for row in change["rows"]) == pytest.approx(difference, abs=0.01)
        assert change["points"] == pytest.approx(difference, abs=0.001)
    return found


def effect_kinds(found: Any) -> set[str]:  # noqa: ANN401
    return {row["kind"] for row in found["change"]["rows"]}


def sentences_of_kind(found: Any, kind: str) -> list[str]:  # noqa: ANN401
    return [row["sentence"] for row in found["change"]["rows"] if row["kind"] == kind]


def lose_end_customers(session: Session) -> None:
    session.execute(
        delete(DailyReach).where(
            DailyReach.account_id == "a010",
            DailyReach.day > EARLIER,
            DailyReach.end_customer_id != "c0",
        )
    )


def repeat_benchmark(session: Session) -> None:
    """Let the benchmark of February hold in March too, so that only one thing changes."""
    [february] = session.scalars(select(Benchmark)).all()
    session.add(
        Benchmark(
            workspace_id="acme",
            id="2026-03-same",
            month=date(2026, 3, 1),
            meaning=february.meaning,
            config=february.config,
            provisional=False,
            current=True,
            computed_at=NOW,
        )
    )
    session.flush()


def create_scored_account(session: Session) -> Session:
    """Twenty-five accounts; a010 was scored twenty days ago."""
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    score_account(session, EARLIER)
    return session
