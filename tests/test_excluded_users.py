"""A colleague who tries the product in a customer's account changes no figure.

The customer starts on 1 March. The colleague uses everything from that day on, answers a survey,
gives feedback, opens a ticket and completes a step. The customer uses the product from 16 March on.
"""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import pipeline
from app.churn.model.horizon import Horizon, HorizonBasis
from app.churn.training import queries as churn
from app.features.queries import list_default_product_features, load_account_features
from app.features.table import TableSpec
from app.features.table_queries import load_feature_table
from app.features.values import EventCount, FeatureMap, FeatureSpec, ReachSource
from tests.conftest import NOW
from tests.engagement.semantic_calls import TODAY, engagement_of
from tests.events.calls import identify, ingest, track
from tests.reports.kpis.test_revenue import get_report

ORDER = "Order Completed"
COLLEAGUE, CUSTOMER = "colleague", "ada"
PRODUCT = FeatureMap([(ORDER, "orders")])


def day(number: int) -> str:
    return datetime(2026, 3, number, 9, tzinfo=UTC).isoformat()


def call(n: int, name: str, user_id: str, on: int, **properties: Any) -> dict[str, Any]:  # noqa: ANN401
    person = {"anonymousId": user_id, "userId": None} if user_id == "visitor" else {}
    named = {"userId": user_id} | person
    message_id = f"{user_id}-{name}-{on}-{n}"
    return track(message_id, event=name, timestamp=day(on), properties=properties, **named)


def uses(user_id: str, *days: int) -> list[dict[str, Any]]:
    return [
        call(n, ORDER, user_id, on, end_customer_id=f"{user_id}{n}", revenue=700)
        for on in days
        for n in range(3)
    ]


def customer_uses(client: TestClient) -> None:
    ingest(
        client,
        *uses(CUSTOMER, 16),
        call(1, "NPS Submitted", CUSTOMER, 16, score=9),
        call(1, "Ticket Created", CUSTOMER, 16, ticket_id="t0"),
        call(1, "Feedback Submitted", CUSTOMER, 16, kind="request", topic="export"),
    )


def colleague_uses(client: TestClient) -> None:
    ingest(
        client,
        *uses(COLLEAGUE, 1, 2, 3, 17),
        *uses("visitor", 1, 4),
        call(1, "NPS Submitted", COLLEAGUE, 2, score=0),
        call(1, "Feedback Submitted", COLLEAGUE, 2, kind="complaint", topic="export"),
        call(1, "Ticket Created", COLLEAGUE, 2, ticket_id="t1"),
        call(1, "Onboarding Step Completed", COLLEAGUE, 2, step="kickoff"),
        identify("i9", userId=COLLEAGUE, anonymousId="visitor", traits={"role": "champion"}),
    )


def exclude_colleague(client: TestClient, how: str) -> None:
    """Exclude the colleague: by the e-mail address, or later by the API."""
    client.patch("/api/v1/workspace", json={"internal_domains": ["vendor.example"]})
    if how == "by domain":
        ingest(client, identify("i1", userId=COLLEAGUE, traits={"email": "b@vendor.example"}))
    if how == "by the API":
        client.put(f"/api/v1/users/{COLLEAGUE}", json={"account_id": "a1", "excluded": True})


def configure(client: TestClient) -> None:
    """Another account sent an event before: what is older than the first one is unknown."""
    first = {"timestamp": "2026-02-20T09:00:00Z", "context": {"groupId": "other"}}
    ingest(client, track("first", event="Ping", userId="zed", **first))
    put = {
        "accounts/a1": {"started_on": "2026-03-01", "name": "One"},
        "subscriptions/main": {"account_id": "a1", "starts_on": "2026-03-01", "mrr_cents": 100_00},
        "onboarding-steps/order": {"position": 1, "event_names": [ORDER]},
        "onboarding-steps/kickoff": {"position": 2},
        "product-features/orders": {"event_names": [ORDER], "name": "Orders"},
        "loyalty-tiers/gold": {"position": 1, "metric": "reach", "threshold": 100, "name": "Gold"},
        "goals/g1": {
            "account_id": "a1",
            "title": "Orders",
            "metric": "events",
            "baseline": 0,
            "target": 100,
            "due_on": "2026-12-01",
            "starts_on": "2026-03-01",
        },
    }
    for path, body in put.items():
        answer = client.put(f"/api/v1/{path}", json=body)
        assert answer.status_code < 300, (path, answer.text)


def figures(client: TestClient, session: Session, reach: ReachSource) -> dict[str, Any]:
    """Return every figure of the account that is counted from what people did."""
    ids, table_days = ["a1"], [("a1", TODAY), ("a1", date(2026, 3, 10))]
    pipeline.refresh(session, "acme", ids, as_of=TODAY, now=NOW)
    session.commit()
    counts = (EventCount((ORDER,), 7), EventCount((ORDER,), 30))
    spec = FeatureSpec(PRODUCT, reach, "USD", 28, counts=counts, engagement=True)
    engagement = engagement_of(session)
    table_spec = TableSpec(PRODUCT, reach, "USD", (ORDER,), silence_days=28)
    table = load_feature_table(session, "acme", table_days, spec=table_spec)
    found: dict[str, Any] = {
        "features": load_account_features(session, "acme", ids, as_of=TODAY, spec=spec),
        "table": {name: str(column) for name, column in zip(table.names, table.x.T, strict=True)},
        "default features": list_default_product_features(
            session, "acme", as_of=TODAY, window_days=28
        ),
        "engagement": engagement,
        "churn horizon": churn.load_horizon(session, "acme", as_of=TODAY, days=None),
        "can churn": churn.list_active_accounts(
            session, "acme", day=date(2026, 3, 31), horizon=Horizon(15, HorizonBasis.SILENCE)
        ),
    }
    reports: dict[str, dict[str, Any]] = {
        "time-to-first-value": {"events": ORDER},
        "repurchase-rate": {"within_days": 1},
        "purchase-value": {"months": 1},
        "nps": {},
        "feedback": {},
        "churn-causes": {},
        "lifetime-value": {"margin": 1},
    }
    for name, params in reports.items():
        period = {"since": "2026-02-01", "until": str(TODAY)}
        report = get_report(client, name, **period | params)
        found[name] = without(without(report, "exclusions"), "changed_by")
    for path in ("health", "signals", "onboarding", "goals", "review"):
        answer = client.get(f"/api/v1/accounts/a1/{path}")
        assert answer.status_code == 200, answer.text
        found[path] = without(answer.json(), "id")
    for signal in found["signals"]["items"]:
        del signal["since"]  # it never gets later once the signal is open
    return found


def without(answer: Any, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Leave a key out at any depth: ids of rows, what was left out, and that it changed."""
    if isinstance(answer, dict):
        return {key: without(value, name) for key, value in answer.items() if key != name}
    return [without(each, name) for each in answer] if isinstance(answer, list) else answer


@pytest.mark.parametrize("how", ["by domain", "by the API"])
@pytest.mark.parametrize("reach", ["ids", "property", "events"])
def test_an_excluded_user_changes_no_figure(
    client: TestClient, session: Session, reach: str, how: str
) -> None:
    configure(client)
    customer_uses(client)
    exclude_colleague(client, "by domain" if how == "by domain" else "")
    source = ReachSource(reach, (ORDER,) if reach == "events" else ())
    before = figures(client, session, source)

    colleague_uses(client)
    if how == "by the API":
        assert figures(client, session, source) != before, "they count until they are excluded"
        exclude_colleague(client, how)

    assert figures(client, session, source) == before


def test_the_figures_are_those_of_the_customer(client: TestClient, session: Session) -> None:
    """Three orders to three end customers on one day, 15 days after the start."""
    configure(client)
    exclude_colleague(client, "by domain")
    colleague_uses(client)
    customer_uses(client)

    found = figures(client, session, ReachSource())

    assert found["time-to-first-value"]["value"] == 15
    assert (found["repurchase-rate"]["numerator"], found["repurchase-rate"]["denominator"]) == (
        0,
        1,
    )
    assert found["nps"]["n"] == 1
    [features] = found["features"]
    assert (features.reached, features.active_users, features.events) == (3, 1, 6)
    assert features.first_used_on == date(2026, 3, 16)
    steps = {step["key"]: step["done_at"] for step in found["onboarding"]["steps"]}
    assert steps["order"][:10] == "2026-03-16"
    assert steps["kickoff"] is None
    assert found["engagement"].champions == []
    assert [each.ticket_id for each in found["engagement"].open_tickets] == ["t0"]
    [topic] = found["feedback"]["topics"]
    assert (topic["kind"], topic["items"]) == ("request", 1)


def test_a_step_of_a_user_who_is_excluded_later_is_done_by_the_next_one(
    client: TestClient, session: Session
) -> None:
    configure(client)
    colleague_uses(client)
    customer_uses(client)
    pipeline.refresh(session, "acme", ["a1"], as_of=TODAY, now=NOW)
    assert step_days(session)["order"] == date(2026, 3, 1)

    exclude_colleague(client, "by the API")
    pipeline.refresh(session, "acme", ["a1"], as_of=TODAY, now=NOW)

    assert step_days(session) == {"order": date(2026, 3, 16), "kickoff": None}


def test_the_answer_about_a_ticket_is_that_of_its_author(
    client: TestClient, session: Session
) -> None:
    """The agent who closes the ticket reports the answer of the customer."""
    exclude_colleague(client, "by domain")
    ingest(client, call(1, "Ticket Created", CUSTOMER, 16, ticket_id="t1"))
    ingest(client, call(1, "Ticket Closed", COLLEAGUE, 17, ticket_id="t1", csat=4))
    ingest(client, call(1, "Ticket Created", COLLEAGUE, 16, ticket_id="t2"))
    ingest(client, call(1, "Ticket Closed", COLLEAGUE, 17, ticket_id="t2", csat=1))

    assert engagement_of(session).csat.mean == 4


@pytest.mark.parametrize("name", ["NPS Submitted", "Onboarding Step Completed"])
def test_an_impersonated_person_gives_no_answer_and_completes_no_step(
    client: TestClient, session: Session, name: str
) -> None:
    configure(client)
    ingest(client, call(1, name, CUSTOMER, 16, score=0, step="kickoff", impersonated=True))

    assert not engagement_of(session).nps.responses
    assert step_days(session)["kickoff"] is None


def step_days(session: Session) -> dict[str, date | None]:
    progress = engagement_of(session).onboarding
    assert progress is not None
    return {step.key: step.done_at.date() if step.done_at else None for step in progress.steps}
