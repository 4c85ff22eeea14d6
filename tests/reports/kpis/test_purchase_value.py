"""The value of purchases over the API: what was known then, whose purchases count, months."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import Event, UserAlias
from tests import factories
from tests.conftest import NOW
from tests.reports.kpis.test_revenue import get_report

ORDER = "Order Completed"


def order(session: Session, day: str, revenue: float, **columns: Any) -> None:  # noqa: ANN401
    at = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    row = {
        "workspace_id": "acme",
        "client_at": at,
        "message_id": f"{day}-{revenue}",
        "occurred_at": at,
        "received_at": at,
        "kind": "track",
        "name": ORDER,
        "account_id": "shop",
        "user_id": "buyer",
        "key_id": "k",
        "fingerprint": 0,
        "properties": {"revenue": revenue},
    }
    session.add(Event(**(row | columns)))


def value(client: TestClient, until: str = "2026-02-15") -> Any:  # noqa: ANN401
    return get_report(client, "purchase-value", until=until, margin=1, months=1)["clv"]["value"]


def test_a_late_event_does_not_change_a_past_figure(client: TestClient, session: Session) -> None:
    """50 was known on 15 February; 500 of January came on 10 March."""
    factories.workspace(session)
    order(session, "2026-01-01", 50)
    order(session, "2026-01-20", 500, received_at=datetime(2026, 3, 10, tzinfo=UTC))
    session.commit()

    assert value(client) == 50
    assert value(client, until="2026-03-10") == 550


def test_imported_history_is_known_on_its_own_day(client: TestClient, session: Session) -> None:
    factories.workspace(session)
    known = {"received_at": NOW, "known_on": date(2026, 1, 1)}
    order(session, "2026-01-01", 50, **known)
    session.commit()

    assert value(client) == 50


def test_purchases_of_excluded_people_do_not_count(client: TestClient, session: Session) -> None:
    """Of 50, 300 by a colleague, and 400 by that colleague before signing in, only 50 counts."""
    workspace = factories.workspace(session)
    workspace.internal_domains = ["us.example"]
    session.commit()
    people = {"userId": "colleague", "traits": {"email": "kim@us.example"}}
    call = {"type": "identify", "timestamp": "2026-01-01T00:00:00Z", **people}
    assert client.post("/v1/batch", json={"batch": [call]}).status_code == 200
    session.add(
        UserAlias(
            workspace_id="acme",
            anonymous_id="visitor",
            user_id="colleague",
            known_on=date(2026, 1, 3),
        )
    )
    order(session, "2026-01-01", 50)
    order(session, "2026-01-02", 300, user_id="colleague")
    order(session, "2026-01-03", 400, user_id=None, anonymous_id="visitor")
    session.commit()

    assert value(client) == 50


@pytest.mark.parametrize("dialect", ["segment", "native"])
def test_purchases_of_impersonated_people_do_not_count(client: TestClient, dialect: str) -> None:
    """50 by the customer, 700 by a colleague who acted as the customer."""
    for number, revenue, impersonated in ((1, 50, False), (2, 700, True)):
        at = f"2026-01-1{number}T00:00:00Z"
        properties = {"revenue": revenue}
        if dialect == "segment":
            call: dict[str, Any] = {
                "type": "track",
                "event": ORDER,
                "userId": "u",
                "messageId": str(number),
            }
            call |= {"timestamp": at, "properties": properties}
            call["context"] = {"groupId": "shop", "impersonated": impersonated}
            sent = client.post("/v1/batch", json={"batch": [call]})
        else:
            event: dict[str, Any] = {
                "event": ORDER,
                "user_id": "u",
                "account_id": "shop",
                "timestamp": at,
            }
            event |= {"properties": properties, "impersonated": impersonated}
            sent = client.post("/api/v1/events", json={"events": [event]})
        assert sent.status_code == 200, sent.text

    assert value(client, until="2026-03-18") == 50


def test_a_month_of_age_is_a_calendar_month(client: TestClient, session: Session) -> None:
    """The first purchase is on 31 January, so month 1 begins on 28 February and has both others."""
    factories.workspace(session)
    order(session, "2025-01-31", 10)
    order(session, "2025-02-27", 20)
    order(session, "2025-02-28", 40)
    order(session, "2025-03-30", 80)
    order(session, "2025-03-31", 160)
    session.commit()

    found = get_report(client, "purchase-value", since="2025-01-01", months=3, margin=1)

    assert [month["amount"] for month in found["months"]] == [30, 120, 160]


def test_excluded_accounts_that_bought_are_counted(client: TestClient, session: Session) -> None:
    factories.account(session, "ours", excluded=True)
    order(session, "2026-01-01", 50)
    order(session, "2026-01-02", 60, account_id="ours")
    session.commit()

    found = get_report(client, "purchase-value", margin=1, months=1)["clv"]

    assert (found["value"], found["exclusions"]) == (50, {"excluded": 1})
