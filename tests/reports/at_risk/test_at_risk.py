"""The at-risk list: its accounts, their order, and what each item contains."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.health.scoring import service
from app.tables import Alert, ChurnRisk, DailyReach, DailyUsage, Intervention
from tests.conftest import NOW
from tests.health.crowd import crowd, name_events
from tests.portfolio.account_lists import add_scored_account

QUIET = ("a003", "a010", "a020")


@pytest.fixture
def company(session: Session) -> None:
    """Create 25 accounts; account n pays $100 n a month; three are no longer used."""
    ids = crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    for table in (DailyUsage, DailyReach):
        session.execute(delete(table).where(table.account_id.in_(QUIET)))
    service.refresh(session, "acme", ids, as_of=NOW.date(), now=NOW)
    session.commit()


def get_at_risk(client: TestClient, **params: Any) -> Any:  # noqa: ANN401
    answer = client.get("/api/v1/accounts/at-risk", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def quiet(client: TestClient, **params: Any) -> list[Any]:  # noqa: ANN401
    return [item for item in get_at_risk(client, **params)["items"] if item["account_id"] in QUIET]


@pytest.mark.usefixtures("company")
def test_accounts_are_ordered_by_revenue_at_risk(client: TestClient) -> None:
    items = get_at_risk(client)["items"]
    money = [item["revenue_at_risk_cents"] for item in items]

    assert {item["band"] for item in items} == {"at_risk"}
    assert money == sorted(money, reverse=True)
    found = quiet(client)
    assert [item["account_id"] for item in found] == ["a020", "a010", "a003"]
    assert found[0]["revenue_at_risk_cents"] == 12 * 600_00  # 30 % of 2,000 a month
    assert {item["revenue_basis"] for item in items} == {"assumed"}


@pytest.mark.usefixtures("company")
def test_a_high_churn_risk_is_listed_and_its_probability_weights_the_revenue(
    client: TestClient, session: Session
) -> None:
    session.add_all([risk(key, p) for key, p in (("a020", 0.5), ("a010", 0.9), ("a005", 0.1))])
    session.commit()

    items = {x["account_id"]: x for x in get_at_risk(client)["items"]}

    assert [key for key in items if key in {"a020", "a010", "a005"}] == ["a020", "a010", "a005"]
    assert items["a020"]["revenue_at_risk_cents"] == 12 * 2000_00 // 2
    assert items["a010"]["revenue_at_risk_cents"] == 12 * 900_00
    assert items["a005"]["band"] != "at_risk"
    assert {items[key]["revenue_basis"] for key in ("a020", "a010", "a005")} == {"probability"}
    assert items["a003"]["revenue_basis"] == "assumed"


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
def test_pages_together_give_the_whole_list(client: TestClient) -> None:
    all_ids = [item["account_id"] for item in get_at_risk(client)["items"]]
    found, cursor = [], None
    while page := get_at_risk(client, limit=1, **({"cursor": cursor} if cursor else {})):
        found += [item["account_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert found == all_ids


@pytest.mark.usefixtures("company")
def test_the_top_driver_is_the_measure_that_misses_the_most_points(client: TestClient) -> None:
    [english] = [x for x in quiet(client) if x["account_id"] == "a020"]
    [chinese] = [x for x in quiet(client, lang="zh") if x["account_id"] == "a020"]

    driver = english["top_driver"]
    assert driver["measure"] in {"breadth", "depth", "reach"}
    assert driver["points_missed"] == pytest.approx(200 / 7, abs=0.01)
    assert chinese["top_driver"]["sentence"] != driver["sentence"]


@pytest.mark.usefixtures("company")
def test_an_account_has_its_most_severe_alert_and_first_suggestion(
    client: TestClient, session: Session
) -> None:
    session.add_all(
        [
            *(alert(f"al_{n}", severity) for n, severity in enumerate(("low", "high", "medium"))),
            *(proposal(f"iv_{rank}", rank) for rank in (2, 1)),
        ]
    )
    session.commit()

    items = {item["account_id"]: item for item in quiet(client)}

    assert items["a020"]["open_alert"]["id"] == "al_1"
    assert items["a020"]["open_alert"]["severity"] == "high"
    assert items["a020"]["suggestion"] == {"id": "iv_1", "playbook": "wake"}
    assert (items["a010"]["open_alert"], items["a010"]["suggestion"]) == (None, None)


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
def test_the_list_supports_etags_and_csv(client: TestClient) -> None:
    first = client.get("/api/v1/accounts/at-risk")
    again = client.get("/api/v1/accounts/at-risk", headers={"If-None-Match": first.headers["etag"]})
    table = client.get("/api/v1/accounts/at-risk", headers={"Accept": "text/csv"})

    assert again.status_code == 304
    assert table.headers["content-type"].startswith("text/csv")
    assert "revenue_at_risk_cents" in table.text.splitlines()[0]
    assert len(table.text.splitlines()) == 1 + len(first.json()["items"])


def test_an_owner_sees_the_own_accounts_on_every_page_and_in_csv(
    client: TestClient, session: Session
) -> None:
    for number, owner in enumerate(("kim", "lee", "kim", None, "kim")):
        add_scored_account(
            session, f"o{number}", owner=owner, band="at_risk", mrr_cents=1000 - number
        )
    path = "/api/v1/accounts/at-risk"
    query: dict[str, str | int] = {"owner": "kim", "limit": 2}

    first = client.get(path, params=query).json()
    rest = client.get(path, params=query | {"cursor": first["next_cursor"]}).json()
    table = client.get(path, params={"owner": "kim"}, headers={"Accept": "text/csv"}).text

    ids = [item["account_id"] for item in first["items"] + rest["items"]]
    assert (ids, rest["next_cursor"]) == (["o0", "o2", "o4"], None)
    assert [line.split(",")[0] for line in table.splitlines()[1:]] == ids
    assert client.get(path, params={"owner": "nobody"}).json()["items"] == []
    assert client.get(path, params={"owner": "a\x00"}).status_code == 422
