from collections.abc import Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.accounts import queries
from app.accounts.due import Priority
from app.accounts.queries import ClaimedAccount
from tests import factories

RATES = "/api/v1/exchange-rates"
EURO = f"{RATES}/EUR/2026-01-01"


def put(client: TestClient, url: str, rate: object) -> Any:  # noqa: ANN401
    return client.put(url, json={"rate": rate})


def audited(client: TestClient) -> list[tuple[str, str]]:
    entries = client.get("/api/v1/audit-entries").json()["items"]
    return [(entry["action"], entry["subject"]) for entry in entries][:-2]  # less the set-up's


def test_a_rate_is_written_read_and_deleted(client: TestClient) -> None:
    made = put(client, EURO, 1.0842)

    said = {"currency": "EUR", "starts_on": "2026-01-01", "rate": 1.0842}
    assert (made.status_code, made.json()) == (200, said)
    assert client.get(EURO).json() == said
    assert client.get(RATES).json() == {"items": [said], "next_cursor": None}
    assert client.delete(EURO).status_code == 204
    assert client.get(EURO).status_code == client.delete(EURO).status_code == 404
    subject = "EUR 2026-01-01"
    assert audited(client) == [
        ("exchange_rate.deleted", subject),
        ("exchange_rate.created", subject),
    ]


def test_a_change_has_every_account_scored_again_and_the_same_again_does_not(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a1")
    session.commit()
    swept = [ClaimedAccount("acme", "a1", Priority.SWEEP, notify=False)]

    for rate, due in ((1.1, swept), (1.1, []), (1.2, swept)):
        put(client, EURO, rate)
        assert queries.claim_due(session, limit=9) == due
        session.commit()

    assert [action for action, _ in audited(client)] == [
        "exchange_rate.changed",
        "exchange_rate.created",
    ]


def test_rates_are_listed_by_currency_and_day_page_by_page(client: TestClient) -> None:
    said = [("EUR", "2025-12-01"), ("EUR", "2026-01-01"), ("GBP", "2025-11-01")]
    for currency, day in reversed(said):
        put(client, f"{RATES}/{currency}/{day}", 2)
    found, cursor = [], None
    while True:
        asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = client.get(RATES, params=asked).json()
        found += [(each["currency"], each["starts_on"]) for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert found == said
    of_pound = client.get(RATES, params={"currency": "GBP"}).json()["items"]
    assert [each["currency"] for each in of_pound] == ["GBP"]


@pytest.mark.parametrize("rate", [0, -1, None, "1.1", True, 1e-10, 1e7, [1]])
def test_what_can_be_no_rate_is_refused(client: TestClient, rate: object) -> None:
    assert put(client, EURO, rate).status_code == 422
    assert client.get(EURO).status_code == 404


@pytest.mark.parametrize("body", [b'{"rate": NaN}', b'{"rate": 1e999}', b"{}", b"[]"])
def test_a_body_without_a_finite_rate_is_refused(client: TestClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    assert client.put(EURO, content=body, headers=headers).status_code == 422


@pytest.mark.parametrize("place", ["eur/2026-01-01", "EURO/2026-01-01", "EUR/1", "EUR/2026-02-30"])
def test_a_currency_has_three_letters_and_a_day_is_one_of_the_calendar(
    client: TestClient, place: str
) -> None:
    assert put(client, f"{RATES}/{place}", 1.1).status_code == 422


def test_the_base_currency_has_no_rate(client: TestClient) -> None:
    answer = put(client, f"{RATES}/USD/2026-01-01", 1.1)

    assert (answer.status_code, answer.json()["code"]) == (409, "base_currency")


@pytest.mark.parametrize("params", [{"cursor": "W10"}, {"cursor": "WyJFVVIiLCJ4Il0"}])
def test_a_cursor_that_is_none_is_refused(client: TestClient, params: Mapping[str, str]) -> None:
    assert client.get(RATES, params=params).json()["code"] == "invalid_cursor"


def test_another_workspace_has_rates_of_its_own(client: TestClient, session: Session) -> None:
    key = factories.api_key(session, factories.workspace(session, "other"))
    session.commit()
    put(client, EURO, 1.1)
    theirs = {"Authorization": f"Bearer {key}"}

    assert client.get(EURO, headers=theirs).status_code == 404
    assert client.delete(EURO, headers=theirs).status_code == 404
    assert client.get(RATES, headers=theirs).json()["items"] == []
