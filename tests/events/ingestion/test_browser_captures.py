"""Requests recorded from SDKs in a browser: ``context.traits`` are the person's, in every call."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from tests import factories
from tests.events import calls

FOLDER = Path(__file__).parents[2] / "data" / "captures" / "browser"
GROUP_WITHOUT_TRAITS = "rudderstack-analytics-js-3.34.1-group-without-traits"
RECORDED = datetime(2026, 11, 29, 21, 0, tzinfo=UTC)


def replay_all(client: TestClient, name: str) -> list[dict[str, Any]]:
    """Send the recorded requests again; return their receipts."""
    exchanges = json.loads((FOLDER / f"{name}.json").read_text())["exchanges"]
    requests = [exchange["request"] for exchange in exchanges]
    return [
        calls.checked_receipt(client.post(each["path"], json=each["body_decoded"]), 1)
        for each in requests
    ]


def test_a_group_call_without_traits_gives_the_account_nothing_of_the_person(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    with calls.client_at_time(sessions, client, RECORDED) as then:
        receipts = replay_all(then, GROUP_WITHOUT_TRAITS)

    assert [calls.counts(receipt) for receipt in receipts] == [(1, 0, 0)] * 3
    account = "SELECT account_id, name, plan, traits FROM account"
    assert calls.one_row(session, account) == ("acme-rud-grp", None, None, {})
    assert calls.count_rows(session, "subscription") == 0
    person = 'SELECT account_id, name, email, traits FROM "user"'
    assert calls.one_row(session, person) == (
        *("acme-rud-grp", "Ada Person", "person@example.org"),
        {"plan": "persons-plan", "mrr": 77},
    )


def test_a_group_call_without_traits_keeps_the_name_of_the_account(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    factories.account(session, "acme-rud-grp", name="Acme", plan="pro", traits={"region": "emea"})
    session.commit()

    with calls.client_at_time(sessions, client, RECORDED) as then:
        replay_all(then, GROUP_WITHOUT_TRAITS)

    account = "SELECT name, plan, traits FROM account"
    assert calls.one_row(session, account) == ("Acme", "pro", {"region": "emea"})
