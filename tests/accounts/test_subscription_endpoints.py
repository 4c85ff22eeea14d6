from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import claim_due
from tests import factories

SUBSCRIPTIONS = "/api/v1/subscriptions"
TODAY = "2026-03-18"


Answer = tuple[int, dict[str, Any]]
"""Status and body."""


def put(client: TestClient, subscription_id: str = "main", **fields: object) -> Answer:
    body = {"account_id": "a1", "mrr_cents": 10_000, **fields}
    answer = client.put(f"{SUBSCRIPTIONS}/{subscription_id}", json=body)
    return answer.status_code, answer.json()


def end(client: TestClient, **fields: object) -> Answer:
    answer = client.post(f"{SUBSCRIPTIONS}/main/end", json={"account_id": "a1", **fields})
    return answer.status_code, answer.json()


def mrr(client: TestClient, **params: str) -> dict[str, int]:
    answer = client.get("/api/v1/accounts/a1/mrr", params=params)
    assert answer.status_code == 200
    cents: dict[str, int] = answer.json()["mrr_cents"]
    return cents


def spans(answer: Answer) -> list[tuple[str, str | None, int]]:
    status, body = answer
    assert status == 200, body
    return [(p["starts_on"], p["ends_on"], p["mrr_cents"]) for p in body["periods"]]


def test_terms_start_today_in_the_base_currency_by_default(
    client: TestClient, session: Session
) -> None:
    _, body = put(client, seats=5, plan="pro")

    period = body["periods"][0]
    assert (period["starts_on"], period["known_on"], period["currency"]) == (TODAY, TODAY, "USD")
    assert (period["seats"], period["plan"], period["source"]) == (5, "pro", "api")
    assert mrr(client) == {"USD": 10_000}
    assert mrr(client, on="2026-03-17") == {}
    assert [account.account_id for account in claim_due(session, limit=9)] == ["a1"]


def test_new_terms_end_the_running_period_and_the_past_is_not_rewritten(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a1")
    factories.subscription(session, "a1", mrr_cents=5_000)
    session.commit()

    answer = put(client, mrr_cents=20_000, starts_on="2026-03-01")

    assert spans(answer) == [("2025-01-01", "2026-03-01", 5_000), ("2026-03-01", None, 20_000)]
    assert mrr(client, on="2026-03-10") == {"USD": 20_000}
    assert mrr(client, on="2026-03-10", known_on="2026-03-17") == {"USD": 5_000}


def test_the_same_terms_again_queue_nothing(client: TestClient, session: Session) -> None:
    put(client)
    claim_due(session, limit=9)
    session.commit()

    assert spans(put(client)) == [(TODAY, None, 10_000)]
    assert claim_due(session, limit=9) == []


def test_ending_a_subscription_twice_changes_nothing(client: TestClient) -> None:
    put(client, starts_on="2026-01-01")

    for _ in range(2):
        answer = end(client, ends_on="2026-04-01", reason="price")
        assert spans(answer) == [("2026-01-01", "2026-04-01", 10_000)]
        assert answer[1]["periods"][0]["end_reason"] == "price"
    assert mrr(client, on="2026-03-31") == {"USD": 10_000}
    assert mrr(client, on="2026-04-01") == {}


def test_a_subscription_ends_today_by_default(client: TestClient) -> None:
    put(client, starts_on="2026-01-01")

    assert spans(end(client)) == [("2026-01-01", TODAY, 10_000)]


def test_a_later_end_does_not_extend_an_ended_subscription(client: TestClient) -> None:
    put(client, starts_on="2026-01-01", ends_on="2026-02-01")

    status, body = end(client, ends_on="2026-04-01")

    assert (status, body["code"]) == (409, "already_ended")
    assert spans(put(client, starts_on="2026-01-01", ends_on="2026-04-01")) == [
        ("2026-01-01", "2026-04-01", 10_000)
    ]


def test_an_unknown_subscription_cannot_end(client: TestClient) -> None:
    assert end(client)[0] == 404
    put(client, "other")
    assert end(client)[0] == 404


@pytest.mark.parametrize("ends_on", ["2026-03-01", "2026-02-01"])
def test_terms_that_end_before_they_start_are_rejected(client: TestClient, ends_on: str) -> None:
    status, body = put(client, starts_on="2026-03-01", ends_on=ends_on)

    assert (status, body["code"]) == (409, "empty_period")


@pytest.mark.parametrize(
    "wrong",
    [
        {"mrr_cents": -1},
        {"mrr_cents": "100"},
        {"mrr_cents": 10**15},
        {"currency": "usd"},
        {"seats": 1.5},
        {"starts_on": 20260301},
        {"account_id": ""},
        {"price": 5},
    ],
)
def test_invalid_terms_are_rejected(client: TestClient, wrong: dict[str, Any]) -> None:
    status, body = put(client, **wrong)

    assert status == 422
    assert [error["pointer"] for error in body["errors"]] == [f"/body/{next(iter(wrong))}"]


def test_the_list_has_the_periods_of_a_day_as_known_on_another(client: TestClient) -> None:
    put(client, starts_on="2026-01-01", ends_on="2026-03-01")
    put(client, "addon", mrr_cents=500, starts_on="2026-02-01")
    put(client, account_id="a2", starts_on="2026-02-15")

    def listed(**params: str) -> list[tuple[str, str]]:
        items = client.get(SUBSCRIPTIONS, params=params).json()["items"]
        return [(item["account_id"], item["subscription_id"]) for item in items]

    assert listed() == [("a1", "addon"), ("a2", "main")]
    assert listed(on="2026-02-20") == [("a1", "addon"), ("a1", "main"), ("a2", "main")]
    assert listed(on="2026-02-20", account_id="a2") == [("a2", "main")]
    assert listed(on="2026-02-20", known_on="2026-03-17") == []


def test_the_next_page_starts_after_the_previous_one(client: TestClient) -> None:
    for account_id in ("a1", "a2", "a3"):
        put(client, account_id=account_id)

    first = client.get(SUBSCRIPTIONS, params={"limit": 2}).json()
    rest = client.get(SUBSCRIPTIONS, params={"cursor": first["next_cursor"]}).json()

    assert [item["account_id"] for item in first["items"]] == ["a1", "a2"]
    assert [item["account_id"] for item in rest["items"]] == ["a3"]
    assert rest["next_cursor"] is None


def test_the_notice_period_is_stored_with_its_terms(client: TestClient) -> None:
    _, body = put(client, renewal_on="2026-12-31", notice_days=60)
    assert body["periods"][0]["notice_days"] == 60

    _, body = put(client, renewal_on="2026-12-31", notice_days=90)
    assert [period["notice_days"] for period in body["periods"]] == [90]

    for wrong in (-1, 4000, "sixty", 1.5):
        assert put(client, notice_days=wrong)[0] == 422


BILLING = ("billing_period_months", "term_months", "auto_renews", "discount_share")


def billing(period: dict[str, Any]) -> tuple[object, ...]:
    return tuple(period[name] for name in BILLING)


def test_billing_is_stored_with_its_terms_and_is_unknown_if_it_is_not_sent(
    client: TestClient,
) -> None:
    sent = (12, 24, False, 0.15)

    fields: dict[str, Any] = dict(zip(BILLING, sent, strict=True))
    _, body = put(client, **fields)
    [listed] = client.get(SUBSCRIPTIONS).json()["items"]
    assert (billing(body["periods"][0]), billing(listed)) == (sent, sent)

    _, body = put(client, account_id="a2")
    assert [billing(period) for period in body["periods"]] == [(None,) * 4]


def test_a_change_of_billing_alone_starts_no_period_and_counts_from_the_day_it_is_known(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a1")
    factories.subscription(session, "a1", billing_period_months=1, auto_renews=True)
    session.commit()

    answer = put(client, billing_period_months=12, auto_renews=False)

    assert spans(answer) == [("2025-01-01", None, 10_000)]
    params = {"on": "2026-03-10"}
    known = [
        client.get(SUBSCRIPTIONS, params=params | {"known_on": day}).json()["items"]
        for day in ("2026-03-17", TODAY)
    ]
    assert [billing(period) for [period] in known] == [
        (1, None, True, None),
        (12, None, False, None),
    ]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(("billing_period_months", each) for each in (0, 121, 1.5, "12", True)),
        *(("term_months", each) for each in (0, -1, 121)),
        *(("auto_renews", each) for each in (1, "true")),
        *(("discount_share", each) for each in (-0.01, 1.01, "0.1", True)),
    ],
)
def test_impossible_billing_is_refused(client: TestClient, name: str, wrong: object) -> None:
    fields: dict[str, Any] = {name: wrong}
    status, body = put(client, **fields)

    assert status == 422
    assert [error["pointer"] for error in body["errors"]] == [f"/body/{name}"]
