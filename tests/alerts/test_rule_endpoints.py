from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.alerts.rules import BUILT_IN_RULES
from app.tables import Account, AuditEntry, Due
from tests.alerts.scenario import create_accounts, refresh, sent_types, set_score, stored_alerts
from tests.conftest import NOW

RULES = "/api/v1/alert-rules"
LOW: dict[str, Any] = {
    "name": "Low",
    "signal": "health_score",
    "operator": "below",
    "fire_at": 40,
}


def put(client: TestClient, key: str = "low", **changes: Any) -> Any:  # noqa: ANN401
    return client.put(f"{RULES}/{key}", json=LOW | changes)


def test_a_new_workspace_has_rules(client: TestClient) -> None:
    items = client.get(RULES).json()["items"]

    assert [item["key"] for item in items] == sorted(BUILT_IN_RULES)
    assert {(item["version"], item["built_in"]) for item in items} == {(1, True)}


def test_a_change_adds_a_version_and_keeps_the_old_ones(
    client: TestClient, session: Session
) -> None:
    assert put(client).json()["version"] == 1
    assert put(client).json()["version"] == 1
    changed = put(client, fire_at=30).json()

    assert (changed["version"], changed["rule"]["fire_at"], changed["clear_at"]) == (2, 30, 35)
    versions = client.get(f"{RULES}/low/versions").json()["items"]
    assert [(row["version"], row["active"], row["rule"]["fire_at"]) for row in versions] == [
        (2, True, 30),
        (1, False, 40),
    ]
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == "low"))
    assert sorted(actions) == ["alert_rule.changed", "alert_rule.created"]


def test_the_default_clear_at_is_five_points_away_but_within_the_scale(client: TestClient) -> None:
    assert put(client, fire_at=98).json()["clear_at"] == 100
    assert put(client, signal="measure:depth", fire_at=98).json()["clear_at"] == 103
    assert put(client, operator="above", fire_at=3).json()["clear_at"] == 0


def test_a_built_in_rule_can_be_changed_but_not_deleted(client: TestClient) -> None:
    config = client.get(f"{RULES}/no_use").json()["rule"]

    disabled = client.put(f"{RULES}/no_use", json=config | {"enabled": False}).json()

    assert disabled["version"] == 2
    assert (disabled["built_in"], disabled["rule"]["enabled"]) == (True, False)
    response = client.delete(f"{RULES}/no_use")
    assert (response.status_code, response.json()["code"]) == (409, "built_in_rule")


def test_a_new_rule_makes_accounts_due_and_a_new_name_does_not(
    client: TestClient, session: Session
) -> None:
    create_accounts(session, "a1", "a2")
    session.commit()

    put(client)
    put(client, name="Very low", severity="low")

    assert len(session.scalars(select(Due)).all()) == 2


def test_deleting_a_rule_resolves_its_alerts(client: TestClient, session: Session) -> None:
    put(client)
    create_accounts(session, "a1", score=30)
    refresh(session, "a1")
    set_score(session, 35, "a1")
    refresh(session, "a1")
    session.commit()

    assert client.delete(f"{RULES}/low").status_code == 204

    [alert] = stored_alerts(session)
    assert (alert.resolution, alert.notify_after) == ("rule_ended", NOW.date())
    assert (alert.current, alert.last) == (30, 35)
    assert client.get(f"{RULES}/low").status_code == 404
    assert put(client).json()["version"] == 2


def test_a_preview_counts_covered_and_breaching_accounts(
    client: TestClient, session: Session
) -> None:
    create_accounts(session, "a1", "a2", score=30)
    for account_id in ("a3", "a4"):
        session.add(Account(workspace_id="acme", account_id=account_id))
    session.execute(update(Account).where(Account.account_id != "a2").values(owner="kim"))
    refresh(session, "a1", "a2", "a3", "a4")
    session.commit()

    preview = client.post(f"{RULES}/preview", json=LOW | {"filter": {"owner": "kim"}}).json()

    assert (preview["count"], preview["mrr_cents"], preview["looked_at"]) == (3, 100_00, 3)
    assert (preview["breaching"], preview["breaching_mrr_cents"]) == (1, 100_00)
    assert sent_types(session) == [], "a preview opens nothing"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"fire_at": None}, "/body"),
        ({"clear_at": 39}, "/body"),
        ({"operator": "above", "clear_at": 41}, "/body"),
        ({"operator": "absent_for"}, "/body"),
        ({"operator": "enters_band"}, "/body"),
        ({"operator": "enters_band", "band": "high"}, "/body"),
        ({"band": "at_risk"}, "/body"),
        ({"signal": "churn_risk", "operator": "drop_by"}, "/body"),
        ({"signal": "mood"}, "/body/signal"),
        ({"signal": "measure:"}, "/body/signal"),
        ({"signal": "measure:fitt"}, "/body/signal"),
        ({"signal": "signal:dormnt", "operator": "above", "fire_at": None}, "/body/signal"),
        ({"window_days": 30}, "/body/window_days"),
        ({"for_seconds": -1}, "/body/for_seconds"),
        ({"filter": {"colour": "red"}}, "/body/filter/colour"),
        ({"severity": "fatal"}, "/body/severity"),
        ({"fire_at": "40"}, "/body/fire_at"),
        ({"fire_at": True}, "/body/fire_at"),
        ({"keep_seconds": "60"}, "/body/keep_seconds"),
        ({"enabled": "true"}, "/body/enabled"),
        ({"fire_at": 0}, "/body/fire_at"),
        ({"operator": "above", "fire_at": 100}, "/body/fire_at"),
        ({"operator": "drop_by", "fire_at": 101}, "/body/fire_at"),
        ({"operator": "drop_vs_self", "fire_at": 101}, "/body/fire_at"),
        ({"signal": "churn_risk", "operator": "above", "fire_at": 60}, "/body/fire_at"),
        ({"signal": "signal:dormant", "operator": "above", "fire_at": 1}, "/body/fire_at"),
        ({"fire_at": 101}, "/body/clear_at"),
        ({"clear_at": 101}, "/body/clear_at"),
        ({"signal": "signal:dormant", "operator": "absent_for", "fire_at": 367}, "/body"),
        ({"signal": "signal:dormant", "operator": "absent_for", "fire_at": -1}, "/body"),
    ],
)
def test_an_inconsistent_rule_is_rejected_with_a_pointer(
    client: TestClient, changes: dict[str, Any], pointer: str
) -> None:
    response = put(client, **changes)

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"signal": "measure:dept"}, "There is no measure:dept. Did you mean measure:depth?"),
        (
            {"signal": "signal:dormnt", "operator": "above", "fire_at": None},
            "There is no signal:dormnt. Did you mean signal:dormant?",
        ),
        ({"signal": "measure:zzz"}, "There is no measure:zzz."),
        ({"operator": "drop_by", "fire_at": -5}, "fire_at must be 0 or more."),
    ],
)
def test_a_rule_on_an_unknown_signal_is_rejected_with_a_suggestion(
    client: TestClient, changes: dict[str, Any], sentence: str
) -> None:
    stored = put(client, **changes)
    previewed = client.post(f"{RULES}/preview", json=LOW | changes)

    for response in (stored, previewed):
        assert response.status_code == 422, response.text
        assert response.json()["errors"][0]["message"] == sentence
