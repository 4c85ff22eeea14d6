"""The list of accounts at risk: who is on it, in which order, and what is said of each."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.health.scoring import service
from app.tables import Alert, ChurnRisk, DailyReach, DailyUsage, Intervention
from tests.conftest import NOW
from tests.health.crowd import crowd, name_events

QUIET = ("a003", "a010", "a020")


@pytest.fixture
def company(session: Session) -> None:
    """25 accounts; account n pays $100 n a month; three are not used any more."""
    ids = crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    for table in (DailyUsage, DailyReach):
        session.execute(delete(table).where(table.account_id.in_(QUIET)))
    service.refresh(session, "acme", ids, as_of=NOW.date(), now=NOW)
    session.commit()


def ask(client: TestClient, **params: Any) -> Any:  # noqa: ANN401
    answer = client.get("/api/v1/accounts/at-risk", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def quiet(client: TestClient, **params: Any) -> list[Any]:  # noqa: ANN401
    return [item for item in ask(client, **params)["items"] if item["account_id"] in QUIET]


@pytest.mark.usefixtures("company")
def test_the_most_revenue_comes_first(client: TestClient) -> None:
    items = ask(client)["items"]
    money = [item["revenue_at_risk_cents"] for item in items]

    assert {item["band"] for item in items} == {"at_risk"}
    assert money == sorted(money, reverse=True)
    found = quiet(client)
    assert [item["account_id"] for item in found] == ["a020", "a010", "a003"]
    assert found[0]["revenue_at_risk_cents"] == 12 * 2000_00
    assert {item["revenue_basis"] for item in items} == {"arr"}


@pytest.mark.usefixtures("company")
def test_a_probability_weighs_the_revenue_and_a_high_risk_alone_is_enough(
    client: TestClient, session: Session
) -> None:
    session.add_all([risk(key, p) for key, p in (("a020", 0.5), ("a010", 0.9), ("a005", 0.1))])
    session.commit()

    told = {x["account_id"]: x for x in ask(client)["items"]}

    assert [key for key in told if key in {"a020", "a010", "a005"}] == ["a020", "a010", "a005"]
    assert told["a020"]["revenue_at_risk_cents"] == 12 * 2000_00 // 2
    assert told["a010"]["revenue_at_risk_cents"] == 12 * 900_00
    assert told["a005"]["band"] != "at_risk"
    assert {told[key]["revenue_basis"] for key in ("a020", "a010", "a005")} == {"probability"}
    assert told["a003"]["revenue_basis"] == "arr"


def risk(account_id: str, probability: float) -> ChurnRisk:
    mrr_cents = int(account_id[1:]) * 100_00
    return ChurnRisk(
        workspace_id="acme",
        account_id=account_id,
        as_of=NOW.date(),
        status="ok",
        level="high",
        probability=probability,
        risk=probability,
        stage="trusted",
        horizon_days=90,
        mrr_cents=mrr_cents,
        revenue_at_risk_cents=round(12 * mrr_cents * probability),
        details={},
        computed_at=NOW,
    )


@pytest.mark.usefixtures("company")
def test_pages_follow_each_other(client: TestClient) -> None:
    everybody = [item["account_id"] for item in ask(client)["items"]]
    found, cursor = [], None
    while page := ask(client, limit=1, **({"cursor": cursor} if cursor else {})):
        found += [item["account_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert found == everybody


@pytest.mark.usefixtures("company")
def test_the_measure_that_leaves_out_the_most_points_is_told(client: TestClient) -> None:
    [english] = [x for x in quiet(client) if x["account_id"] == "a020"]
    [chinese] = [x for x in quiet(client, lang="zh") if x["account_id"] == "a020"]

    driver = english["top_driver"]
    assert driver["measure"] in {"breadth", "depth", "reach"}
    assert driver["points_missed"] == pytest.approx(200 / 7, abs=0.01)
    assert chinese["top_driver"]["sentence"] != driver["sentence"]


@pytest.mark.usefixtures("company")
def test_what_is_open_and_proposed_stands_beside_it(client: TestClient, session: Session) -> None:
    session.add_all(
        [
            *(alert(f"al_{n}", severity) for n, severity in enumerate(("low", "high", "medium"))),
            *(proposal(f"iv_{rank}", rank) for rank in (2, 1)),
        ]
    )
    session.commit()

    told = {item["account_id"]: item for item in quiet(client)}

    assert told["a020"]["open_alert"]["id"] == "al_1"
    assert told["a020"]["open_alert"]["severity"] == "high"
    assert told["a020"]["suggestion"] == {"id": "iv_1", "playbook": "wake"}
    assert (told["a010"]["open_alert"], told["a010"]["suggestion"]) == (None, None)


def alert(alert_id: str, severity: str) -> Alert:
    return Alert(
        workspace_id="acme",
        id=alert_id,
        account_id="a020",
        rule_key=alert_id,
        rule_version=1,
        rule_name="r",
        signal="health_score",
        severity=severity,
        episode=1,
        sequence=1,
        opened_at=NOW,
        condition="below",
        direction="down",
    )


def proposal(proposal_id: str, rank: int) -> Intervention:
    return Intervention(
        workspace_id="acme",
        id=proposal_id,
        account_id="a020",
        playbook="wake",
        state="suggested",
        rank=rank,
        value_cents=1,
        details={},
        created_at=NOW,
        changed_at=NOW,
    )


@pytest.mark.usefixtures("company")
def test_a_filter_and_a_saved_segment_narrow_the_list(client: TestClient) -> None:
    large = '{"field": "mrr_cents", "op": "gte", "value": 100000}'
    client.put("/api/v1/segments/small", json={"name": "Small", "filter": {"account_id": "a003"}})

    assert [x["account_id"] for x in quiet(client, filter=large)] == ["a020", "a010"]
    assert [x["account_id"] for x in quiet(client, segment_key="small")] == ["a003"]
    wrong = client.get("/api/v1/accounts/at-risk", params={"filter": '{"nothing": 1}'})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_filter")


@pytest.mark.usefixtures("company")
def test_a_tool_that_polls_gets_304_and_csv(client: TestClient) -> None:
    first = client.get("/api/v1/accounts/at-risk")
    again = client.get("/api/v1/accounts/at-risk", headers={"If-None-Match": first.headers["etag"]})
    table = client.get("/api/v1/accounts/at-risk", headers={"Accept": "text/csv"})

    assert again.status_code == 304
    assert table.headers["content-type"].startswith("text/csv")
    assert "revenue_at_risk_cents" in table.text.splitlines()[0]
    assert len(table.text.splitlines()) == 1 + len(first.json()["items"])
