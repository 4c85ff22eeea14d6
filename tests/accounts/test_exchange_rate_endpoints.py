from collections.abc import Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import ClaimedAccount, Priority, claim_due
from tests import factories

RATES = "/api/v1/exchange-rates"
EURO = f"{RATES}/EUR/2026-01-01"


def put(client: TestClient, url: str, rate: object) -> Any:  # noqa: ANN401
    return client.put(url, json={"rate": rate})


def audited(client: TestClient) -> list[tuple[str, str]]:
    entries = client.get("/api/v1/audit-entries").json()["items"]
    return [(entry["action"], entry["subject"]) for entry in entries][
        :-2
    ]  # without those of the fixture


def test_a_rate_is_written_read_and_deleted(client: TestClient) -> None:
    created = put(client, EURO, 1.0842)

    expected = {"currency": "EUR", "starts_on": "2026-01-01", "rate": 1.0842}
    assert (created.status_code, created.json()) == (200, expected)
    assert client.get(EURO).json() == expected
    assert client.get(RATES).json() == {"items": [expected], "next_cursor": None}
    assert client.delete(EURO).status_code == 204
    assert client.get(EURO).status_code == client.delete(EURO).status_code == 404
    subject = "EUR 2026-01-01"
    assert audited(client) == [
        ("exchange_rate.deleted", subject),
        ("exchange_rate.created", subject),
    ]


def test_a_change_queues_every_account_and_the_same_rate_again_does_not(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a1")
    session.commit()
    swept = [ClaimedAccount("acme", "a1", Priority.SWEEP, notify=False)]

    for rate, due in ((1.1, swept), (1.1, []), (1.2, swept)):
        put(client, EURO, rate)
        assert claim_due(session, limit=9) == due
        session.commit()

    assert [action for action, _ in audited(client)] == [
        "exchange_rate.changed",
        "exchange_rate.created",
    ]


def test_rates_are_listed_by_currency_and_day_page_by_page(client: TestClient) -> None:
    rates = [("EUR", "2025-12-01"), ("EUR", "2026-01-01"), ("GBP", "2025-11-01")]
    for currency, day in reversed(rates):
        put(client, f"{RATES}/{currency}/{day}", 2)
    found, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = client.get(RATES, params=params).json()
        found += [(each["currency"], each["starts_on"]) for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert found == rates
    of_pound = client.get(RATES, params={"currency": "GBP"}).json()["items"]
    assert [each["currency"] for each in of_pound] == ["GBP"]


@pytest.mark.parametrize("rate", [0, -1, None, "1.1", True, 1e-10, 1e7, [1]])
def test_an_impossible_rate_is_rejected(client: TestClient, rate: object) -> None:
    assert put(client, EURO, rate).status_code == 422
    assert client.get(EURO).status_code == 404


@pytest.mark.parametrize("body", [b'{"rate": NaN}', b'{"rate": 1e999}', b"{}", b"[]"])
def test_a_body_without_a_finite_rate_is_rejected(client: TestClient, body: bytes) -> None:
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
def test_an_invalid_cursor_is_rejected(client: TestClient, params: Mapping[str, str]) -> None:
    assert client.get(RATES, params=params).json()["code"] == "invalid_cursor"


def test_another_workspace_has_its_own_rates(client: TestClient, session: Session) -> None:
    key = factories.api_key(session, factories.workspace(session, "other"))
    session.commit()
    put(client, EURO, 1.1)
    theirs = {"Authorization": f"Bearer {key}"}

    assert client.get(EURO, headers=theirs).status_code == 404
    assert client.delete(EURO, headers=theirs).status_code == 404
    assert client.get(RATES, headers=theirs).json()["items"] == []
