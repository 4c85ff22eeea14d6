"""A field that is not read because of its name is named in the verdict and in the statistics."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.events.sources import monitoring
from tests.events import calls
from tests.events.calls import NATIVE, group, identify, track, unattributed

UNIT = " It is the price of one month, in units of the currency and not in cents."


NAMES_OF_PRICES = [
    *("mrr_cents", "monthly_spend", "mrrCents", "ARR", "monthlyPrice", "mrr_in_cents", "$mrr_usd"),
    *("MRR (USD)", "amount_cents", "monthly_recurring_revenue_cents", "billing_amount", "net_mrr"),
]


def verdict(receipt: dict[str, Any]) -> dict[str, Any]:
    [found] = receipt["events"]
    return dict(found)


def unread(name: str, meant: str) -> str:
    return f"`{name}` is not read; did you mean `{meant}`?"


@pytest.mark.parametrize(
    ("trait", "meant"),
    [
        ("MRR", "mrr"),
        ("Name", "name"),
        ("Plan", "plan"),
        ("Renewal Date", "renewal_date"),
        ("EndCustomers", "end_customers"),
        ("employee_count", "employees"),
        ("seatCount", "seats"),
        ("parent", "parent_id"),
    ],
)
def test_a_trait_of_a_group_call_that_is_nearly_right_is_named(
    client: TestClient, trait: str, meant: str
) -> None:
    found = verdict(calls.ingest(client, group(traits={trait: "4711"})))

    assert (found["result"], found["warnings"]) == ("accepted", ["unread_field"])
    assert found["hints"] == [unread(trait, meant)]


@pytest.mark.parametrize("trait", NAMES_OF_PRICES)
def test_a_price_of_another_unit_says_which_unit_is_expected(
    client: TestClient, trait: str
) -> None:
    found = verdict(calls.ingest(client, group(traits={trait: 100})))

    assert found["hints"] == [unread(trait, "mrr") + UNIT]


def test_a_field_that_stands_beside_the_right_one_or_has_no_value_is_no_near_miss(
    client: TestClient,
) -> None:
    receipt = calls.ingest(
        client,
        group(traits={"mrr": 100, "MRR": 100, "Plan": None, "favourite": "x", "company_name": "A"}),
        identify(traits={"email": "a@x.com", "Email": "a@x.com", "first_name": None}),
        track("m2", properties={"company_id": "c1", "accountId": "c1"}),
    )

    assert receipt["events"] == []


@pytest.mark.parametrize(
    ("traits", "hint"),
    [
        ({"Email": "eve@x.com"}, unread("Email", "email")),
        ({"first_name": "Eve"}, unread("first_name", "firstName")),
        ({"jobTitle": "CEO"}, unread("jobTitle", "role")),
        ({"MRR": 5}, "`MRR` is not read; did you mean `mrr` of a `group` call?"),
        ({"plan": "team"}, "`plan` is not read; did you mean `plan` of a `group` call?"),
        ({"company_id": "c1"}, "`company_id` is not read; did you mean a `group` call?"),
        ({"accountId": "c1"}, "`accountId` is not read; did you mean a `group` call?"),
    ],
)
def test_a_trait_of_an_identify_call_is_named(
    client: TestClient, traits: dict[str, Any], hint: str
) -> None:
    found = verdict(calls.ingest(client, identify(traits=traits)))

    assert (found["warnings"], found["hints"]) == (["unread_field"], [hint])


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"properties": {"accountId": "a1"}}, ("properties.accountId", "properties.account_id")),
        ({"properties": {"company_id": "a1"}}, ("properties.company_id", "properties.account_id")),
        ({"context": {"group_id": "a1"}}, ("context.group_id", "context.groupId")),
        ({"context": {"accountID": "a1"}}, ("context.accountID", "context.groupId")),
        ({"groupId": "a1"}, ("groupId", "context.groupId")),
        ({"userId": None, "anonymousId": "v", "user_id": "ada"}, ("user_id", "userId")),
        ({"timestamp": None, "time": "2026-03-18T12:00:00Z"}, ("time", "timestamp")),
    ],
)
def test_an_event_without_an_account_names_the_field_that_may_hold_it(
    client: TestClient, fields: dict[str, Any], hint: tuple[str, str]
) -> None:
    found = verdict(calls.ingest(client, {**unattributed(), "context": {}, **fields}))

    assert (found["warnings"], found["hints"]) == (["unread_field"], [unread(*hint)])


@pytest.mark.parametrize(
    ("fields", "hints"),
    [
        ({"userId": "ada"}, [unread("userId", "user_id")]),
        ({"anonymous_id": "v", "accountId": "a1"}, [unread("accountId", "account_id")]),
        (
            {"anonymous_id": "v", "properties": {"company_id": "a1"}},
            [unread("properties.company_id", "account_id")],
        ),
        ({"user_id": "a", "account_id": "b", "occurredAt": 1}, [unread("occurredAt", "timestamp")]),
        ({"user_id": "a", "account_id": "b", "created_at": 1}, [unread("created_at", "timestamp")]),
        ({"user": "a", "account_id": "b"}, [unread("user", "user_id")]),
        ({"user_id": "a", "account": "b"}, [unread("account", "account_id")]),
        (
            {"user_id": "a", "properties": {"account_id": "b"}},
            [unread("properties.account_id", "account_id")],
        ),
        (
            {"user_id": "a", "context": {"account_id": "b"}},
            [unread("context.account_id", "account_id")],
        ),
        (
            {"type": "group", "account_id": "b", "mrr": 5, "created_at": "2026-01-01"},
            [unread("created_at", "timestamp"), unread("mrr", "traits.mrr")],
        ),
        (
            {"type": "group", "account_id": "b", "properties": {"plan": "pro"}},
            [unread("properties.plan", "traits.plan")],
        ),
        (
            {"type": "identify", "user_id": "a", "email": "eve@x.com"},
            [unread("email", "traits.email")],
        ),
    ],
)
def test_the_native_dialect_names_fields_of_other_spellings(
    client: TestClient, fields: dict[str, Any], hints: list[str]
) -> None:
    answer = client.post(NATIVE, json={"event": "Export", "message_id": "m1", **fields})

    assert verdict(answer.json())["hints"] == hints


def test_a_trait_beside_the_traits_of_a_segment_call_is_named(client: TestClient) -> None:
    """The plan is given twice: that of ``traits`` counts, and there is nothing to say."""
    call = group(traits={"plan": "pro"}, mrr=100, plan="pro", properties={"seats": 5})

    assert verdict(calls.ingest(client, call))["hints"] == [
        unread("mrr", "traits.mrr"),
        unread("properties.seats", "traits.seats"),
    ]


def test_a_price_property_of_a_subscription_event_is_named(client: TestClient) -> None:
    call = track(event="Subscription Started", properties={"MRR": 100, "start_date": "2026-01-01"})

    assert verdict(calls.ingest(client, call))["hints"] == [unread("MRR", "mrr")]


def test_an_invalid_trait_is_named_without_its_value(client: TestClient) -> None:
    found = verdict(calls.ingest(client, group(traits={"mrr": "eve@example.com"})))

    assert found["warnings"] == ["invalid_trait"]
    assert found["hints"] == ["`mrr` has a value that cannot be read; it was left out."]


def test_the_statistics_list_hints_by_key_and_sdk_before_and_after_aggregation(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    """Web sends MRR in 3 calls and one of them again, and Plan in 1; app sends MRR in 1."""
    web = {"context": {"library": {"name": "web", "version": "1"}}}
    app = {"context": {"library": {"name": "app", "version": "2"}}}
    batch = [{**group(f"g{n}", traits={"MRR": 4711}), **web} for n in range(3)]
    plan = {**group("g9", traits={"Plan": "team"}), **web}
    receipt = calls.ingest(client, *batch, plan, {**group("h1", traits={"MRR": 1}), **app})
    calls.ingest(client, batch[0])

    def hints() -> dict[str, Any]:
        senders = client.get("/api/v1/ingest/stats").json()["senders"]
        assert [sender["received"] for sender in senders] == [1, 5]
        assert [sender["quarantined_by_code"] for sender in senders] == [{}, {}]
        return {
            sender["sdk"]: [(each["hint"], each["events"]) for each in sender["hints"]]
            for sender in senders
        }

    assert receipt["warnings"] == 5
    mrr = unread("MRR", "mrr")
    expected = {"app/2": [(mrr, 1)], "web/1": [(mrr, 4), (unread("Plan", "plan"), 1)]}
    assert hints() == expected
    monitoring.aggregate_stats(sessions)
    assert hints() == expected
    assert "4711" not in str(session.execute(text("SELECT * FROM ingest_hour")).all())


def test_a_verdict_has_at_most_five_hints_and_a_batch_counts_the_most_frequent_twenty(
    client: TestClient,
) -> None:
    names = ["MRR", "Name", "Plan", "Seats", "Currency", "Industry", "Segment"]
    found = verdict(calls.ingest(client, group(traits=dict.fromkeys(names, "1"))))

    assert len(found["hints"]) == 5


def test_a_dry_run_gives_the_same_hints_and_counts_none(client: TestClient) -> None:
    answer = client.post(f"{NATIVE}/validate?dialect=segment", json=group(traits={"MRR": 1}))

    assert verdict(answer.json())["hints"] == [unread("MRR", "mrr")]
    assert client.get("/api/v1/ingest/stats").json()["senders"] == []
