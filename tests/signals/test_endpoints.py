from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.tables import AuditEntry, Due
from tests import factories
from tests.conftest import NOW

OF_A1, ALL, SETTINGS = "/api/v1/accounts/a1/signals", "/api/v1/signals", "/api/v1/signal-settings"


@pytest.fixture
def api(client: TestClient, session: Session) -> TestClient:
    """Two open signals of a1 and a cleared one; one open signal of a2."""
    for account_id in ("a1", "a2"):
        factories.account(session, account_id)
        factories.signal(session, account_id)
    factories.signal(session, signal="dormant", severity="high", evidence={"days": 31})
    factories.signal(session, severity="low", cleared_at=NOW)
    session.commit()
    return client


def names(answer: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    return [(each["account_id"], each["signal"]) for each in answer.json()["items"]]


def test_open_signals_of_an_account_are_listed_with_a_sentence_each(
    api: TestClient,
) -> None:
    answer = api.get(OF_A1)

    assert names(answer) == [("a1", "dormant"), ("a1", "seats_idle")]
    assert answer.json()["items"][1] | {"id": 0} == {
        "id": 0,
        "account_id": "a1",
        "signal": "seats_idle",
        "key": "",
        "severity": "low",
        "since": "2025-01-01",
        "sentence": "8 of 10 seats are idle.",
        "evidence": {"seats": 10, "active": 2, "idle": 8},
        "opened_at": "2025-01-01T00:00:00Z",
        "changed_at": "2025-01-01T00:00:00Z",
        "cleared_at": None,
    }


def test_cleared_signals_are_listed_in_pages(api: TestClient) -> None:
    first = api.get(OF_A1, params={"all": True, "limit": 2})
    rest = api.get(OF_A1, params={"all": True, "limit": 2, "cursor": first.json()["next_cursor"]})

    assert [each["cleared_at"] is None for each in first.json()["items"]] == [False, True]
    assert names(rest) == [("a1", "seats_idle")]
    assert rest.json()["next_cursor"] is None


@pytest.mark.parametrize(
    "options", [{"params": {"lang": "zh"}}, {"headers": {"Accept-Language": "zh"}}]
)
def test_sentences_are_available_in_chinese(api: TestClient, options: dict[str, Any]) -> None:
    answer = api.get(OF_A1, **options)

    assert answer.json()["items"][1]["sentence"] == "10 个席位中有 8 个闲置。"


def test_open_signals_of_all_accounts_are_filtered_by_name_and_severity(
    api: TestClient,
) -> None:
    every = [("a1", "seats_idle"), ("a1", "dormant"), ("a2", "seats_idle")]

    assert names(api.get(ALL)) == every
    assert names(api.get(ALL, params={"signal": "dormant"})) == [("a1", "dormant")]
    assert names(api.get(ALL, params={"signal": ["dormant", "seats_idle"]})) == every
    assert names(api.get(ALL, params={"severity": "low"})) == [every[0], every[2]]
    assert names(api.get(ALL, params={"signal": "none_such"})) == []


def test_the_list_continues_after_the_last_item_of_a_page(api: TestClient) -> None:
    listed, cursor = [], None
    for _ in range(3):
        answer = api.get(ALL, params={"limit": 1} | ({"cursor": cursor} if cursor else {}))
        listed += names(answer)
        cursor = answer.json()["next_cursor"]

    assert cursor is None
    assert listed == names(api.get(ALL))


@pytest.mark.parametrize(
    "params", [{"severity": "grave"}, {"lang": "fr"}, {"limit": 0}, {"signal": "a\x00"}]
)
def test_invalid_parameters_are_refused(api: TestClient, params: dict[str, Any]) -> None:
    assert api.get(ALL, params=params).status_code == 422


def test_an_unknown_account_has_no_signals(client: TestClient) -> None:
    assert client.get(OF_A1).status_code == 404


def test_settings_are_the_defaults_until_they_are_set(client: TestClient) -> None:
    answer = client.get(SETTINGS).json()

    assert answer["thresholds"]["dormant_days"] == [14, 30, 90]
    assert (answer["off"], answer["changed_at"]) == ([], None)


def test_new_settings_replace_the_old_ones_and_queue_all_accounts(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a1")
    session.commit()
    client.put(SETTINGS, json={"off": ["dormant"]})

    answer = client.put(
        SETTINGS,
        json={"thresholds": {"price_share": 0.2}, "key_actions": ["Exported"]},
    )

    assert answer.status_code == 200
    assert answer.json()["off"] == []
    assert client.get(SETTINGS).json() == answer.json()
    assert answer.json()["thresholds"]["price_share"] == 0.2
    assert answer.json()["changed_by"].startswith("key:")
    assert session.query(Due).filter_by(account_id="a1").count() == 2
    entries = session.query(AuditEntry).filter_by(action="signal_settings.changed").all()
    assert entries[-1].details == {
        "thresholds": {"price_share": 0.2},
        "key_actions": ["Exported"],
    }


def test_the_same_settings_again_change_nothing(client: TestClient, session: Session) -> None:
    first = client.put(SETTINGS, json={"off": ["dormant"]}).json()

    assert client.put(SETTINGS, json={"off": ["dormant"]}).json() == first
    assert session.query(AuditEntry).filter_by(action="signal_settings.changed").count() == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"off": ["none_such"]}, "/body/off"),
        ({"thresholds": {"price_share": 2}}, "/body/thresholds/price_share"),
        ({"thresholds": {"dormant_days": [14]}}, "/body/thresholds/dormant_days"),
        ({"thresholds": {"unknown": 1}}, "/body/thresholds/unknown"),
        ({"key_actions": ["a\x00b"]}, "/body/key_actions/0"),
        ({"on": []}, "/body/on"),
    ],
)
def test_invalid_settings_are_refused(
    client: TestClient, body: dict[str, Any], pointer: str
) -> None:
    answer = client.put(SETTINGS, json=body)

    assert answer.status_code == 422
    assert pointer in {each["pointer"] for each in answer.json()["errors"]}
