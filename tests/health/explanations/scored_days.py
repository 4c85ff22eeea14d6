"""An account that is scored on two days, and its explanation from the API."""

import re
from datetime import date, datetime, timedelta
from typing import Any

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
    """Score an account as the worker does on a day."""
    now = datetime.combine(day, NOW.timetz())
    service.refresh(session, "acme", [account_id], as_of=day, now=now)
    session.commit()


def get_explanation(client: TestClient, **params: Any) -> Any:  # noqa: ANN401
    """Return the explanation of the account, after checking that its rows add up."""
    answer = client.get(PATH, params=DAYS | params)
    assert answer.status_code == 200, answer.text
    explanation = answer.json()
    change = explanation["change"]
    if change["status"] == "comparable":
        difference = explanation["after"]["value"] - explanation["before"]["value"]
        assert change["points"] == round(difference, 4)
        check_that_rows_add_up(explanation)
    return explanation


POINTS = re.compile(r"([+−][\d,.]+) points\.$")


def check_that_rows_add_up(explanation: Any) -> None:  # noqa: ANN401
    """Check that the rows add up to the difference as shown, in JSON and in English sentences."""
    rows, change = explanation["change"]["rows"], explanation["change"]
    assert round(sum(row["points"] for row in rows), 4) == change["points"]
    if explanation["language"] == "en":
        shown = shown_tenths(change["sentence"])
        assert sum(shown_tenths(row["sentence"]) for row in rows) == shown


def shown_tenths(sentence: str) -> int:
    found = POINTS.search(sentence)
    text = found[1].replace("−", "-").replace(",", "") if found else "0"
    return round(10 * float(text))


def effect_kinds(explanation: Any) -> set[str]:  # noqa: ANN401
    return {row["kind"] for row in explanation["change"]["rows"]}


def sentences_of_kind(explanation: Any, kind: str) -> list[str]:  # noqa: ANN401
    return [row["sentence"] for row in explanation["change"]["rows"] if row["kind"] == kind]


def lose_end_customers(session: Session) -> None:
    session.execute(
        delete(DailyReach).where(
            DailyReach.account_id == "a010",
            DailyReach.day > EARLIER,
            DailyReach.end_customer_id != "c0",
        )
    )


def repeat_benchmark(session: Session) -> None:
    """Use the benchmark of February in March too, so that only one thing changes."""
    [february] = session.scalars(select(Benchmark)).all()
    session.add(
        Benchmark(
            workspace_id="acme",
            id="2026-03-same",
            month=date(2026, 3, 1),
            ranking_digest=february.ranking_digest,
            config=february.config,
            provisional=False,
            current=True,
            computed_at=NOW,
        )
    )
    session.flush()


def create_scored_account(session: Session) -> Session:
    """Create twenty-five accounts and score a010 as of twenty days ago."""
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    score_account(session, EARLIER)
    return session
