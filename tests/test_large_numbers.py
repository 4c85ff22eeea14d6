"""Numbers beyond 32 bits go through the whole pipeline, and a parked account says that it is."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import pipeline
from app.accounts.schemas import LARGEST_MRR_CENTS
from app.core.db import SessionFactory
from app.tables import Intervention, ParkedAccount, Workspace
from tests import factories
from tests.conftest import NOW

EMPLOYEES = 4_000_000_000
OUT_OF_RANGE = (
    "A value of the account is too large, or has a form that cannot be computed with."
    " The log of the worker has the DataError under account_parked."
)


def use(user: str, days_ago: int, **properties: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "event": "Export",
        "account_id": "a1",
        "user_id": user,
        "message_id": f"{user}-{days_ago}",
        "timestamp": (NOW - timedelta(days=days_ago)).isoformat(),
        "properties": properties,
    }


@pytest.mark.parametrize(
    "numbers",
    [(3 * 10**9, 5 * 10**9, 50_000), (2**53, 2**40, LARGEST_MRR_CENTS)],  # the largest accepted
)
def test_billions_of_seats_and_of_reach_are_scored_and_lead_to_a_suggestion(
    client: TestClient,
    session: Session,
    sessions: SessionFactory,
    numbers: tuple[int, int, int],
) -> None:
    """Seats give 100 points, half of the best reach gives 50: the score is their mean, 75."""
    seats, reached, mrr_cents = numbers
    measures = [
        {
            "name": name,
            "source": {"metric": name},
            "transform": {"kind": "linear_bounded", "at_0": 0, "at_100": best},
        }
        for name, best in (("seats", min(seats, 10**15)), ("reach", 2 * reached))
    ]
    factories.scorecard(session, {"default": {"measures": measures}})
    workspace = session.get_one(Workspace, "acme")
    workspace.reach, workspace.reach_property = "property", "recipients"
    session.commit()
    fields = {"name": "Acme", "employees": EMPLOYEES, "end_customers": EMPLOYEES}
    assert client.put("/api/v1/accounts/a1", json=fields).status_code == 200
    terms = {"account_id": "a1", "plan": "team", "mrr_cents": mrr_cents, "currency": "USD"}
    terms |= {"seats": seats, "starts_on": (NOW - timedelta(days=200)).date().isoformat()}
    assert client.put("/api/v1/subscriptions/main", json=terms).status_code == 200
    events = [use(user, day) for user in ("ada", "ben") for day in range(1, 101)]
    events[0] = use("ada", 1, recipients=reached)
    assert client.post("/api/v1/events", json=events).json()["quarantined"] == 0

    while pipeline.refresh_due(sessions, now=NOW):
        pass

    health = client.get("/api/v1/accounts/a1/health").json()
    reach = next(each for each in health["measures"] if each["name"] == "reach")
    assert (health["status"], health["parked"]) == ("ok", None)
    assert health["value"] == 75
    assert (health["seats"], reach["raw"]) == (seats, reached)
    assert health["entitlement"]["seats"]["bought"] == seats
    suggestions = client.get("/api/v1/accounts/a1/suggestions").json()["items"]
    assert suggestions
    assert session.query(Intervention).count() >= len(suggestions)
    assert client.get("/api/v1/parked-accounts").json()["items"] == []
    assert client.get("/api/v1/accounts/a1/review").status_code == 200


FAIL_FOR_A1 = """
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'value 4711 of a row' USING ERRCODE = '22003'; END $$;
CREATE TRIGGER spoil BEFORE UPDATE ON health_score FOR EACH ROW
    WHEN (NEW.account_id = 'a1') EXECUTE FUNCTION spoil()
"""


def parked_gauge(client: TestClient) -> float:
    families = text_string_to_metric_families(client.get("/metrics").text)
    return next(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "health_accounts_parked"
    )


def test_a_parked_account_says_so_with_the_reason_and_the_time(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    """Three refreshes fail with numeric_value_out_of_range; a2, two times failed, is still due."""
    for account_id in ("a1", "a2"):
        factories.account(session, account_id)
    twice = {"failures": 2, "error": "DataError", "failed_at": NOW}
    session.add(ParkedAccount(workspace_id="acme", account_id="a2", **twice))
    session.execute(text(FAIL_FOR_A1))
    session.commit()
    client.patch("/api/v1/accounts/a1", json={"name": "Acme"})
    for _ in range(3):
        assert parked_gauge(client) == 0
        pipeline.refresh_due(sessions, now=NOW)

    answer = client.get("/api/v1/parked-accounts")

    shown = {"reason": OUT_OF_RANGE, "failed_at": "2026-03-18T12:00:00Z"}
    assert answer.json()["items"] == [{**shown, "account_id": "a1", "failures": 3}]
    health = client.get("/api/v1/accounts/a1/health").json()
    assert (health["status"], health["parked"]) == ("insufficient_data", shown)
    assert client.get("/api/v1/accounts/a2/health").json()["parked"] is None
    listed = client.get("/api/v1/health-scores", params={"account_id": ["a1", "a2"]}).json()
    assert [item["parked"] for item in listed["items"]] == [shown, None]
    assert parked_gauge(client) == 1
    assert "4711" not in answer.text

    session.execute(text("DROP FUNCTION spoil CASCADE"))
    client.patch("/api/v1/accounts/a1", json={"name": "Acme Ltd"})
    pipeline.refresh_due(sessions, now=NOW)

    assert client.get("/api/v1/accounts/a1/health").json()["parked"] is None
    assert parked_gauge(client) == 0


def test_parked_accounts_are_paged(client: TestClient, session: Session) -> None:
    for account_id in ("a1", "a2", "a3"):
        factories.account(session, account_id)
        row = {"failures": 3, "error": "KeyError", "failed_at": NOW}
        session.add(ParkedAccount(workspace_id="acme", account_id=account_id, **row))
    session.commit()

    first = client.get("/api/v1/parked-accounts", params={"limit": 2}).json()
    query = {"limit": 2, "cursor": first["next_cursor"]}
    second = client.get("/api/v1/parked-accounts", params=query).json()
    bad = client.get("/api/v1/parked-accounts", params={"cursor": "nonsense"})

    found = [item["account_id"] for page in (first, second) for item in page["items"]]
    assert (found, second["next_cursor"]) == (["a1", "a2", "a3"], None)
    assert bad.json()["code"] == "invalid_cursor"
