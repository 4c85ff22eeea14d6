from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.interventions.playbooks.catalogue import shipped_playbooks
from app.tables import AuditEntry
from tests.interventions.scenario import create_account, refresh, suggested_playbooks

PLAYBOOKS = "/api/v1/playbooks"
OWN = shipped_playbooks()["right_size"].model_dump(mode="json") | {"owner_role": "sales"}


def audited(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(
        select(AuditEntry.action, AuditEntry.subject)
        .where(AuditEntry.action.startswith("playbook."))
        .order_by(AuditEntry.id)
    )
    return [(action, subject) for action, subject in rows]


def test_a_new_workspace_has_the_shipped_playbooks(client: TestClient) -> None:
    items = client.get(PLAYBOOKS).json()["items"]

    assert [item["key"] for item in items] == list(shipped_playbooks())
    assert {(item["origin"], item["version"]) for item in items} == {("shipped", 0)}


def test_the_list_is_paged(client: TestClient) -> None:
    client.put(f"{PLAYBOOKS}/a_new_one", json=OWN)
    first = client.get(PLAYBOOKS, params={"limit": 10}).json()

    second = client.get(PLAYBOOKS, params={"limit": 10, "cursor": first["next_cursor"]}).json()

    assert [item["key"] for item in first["items"] + second["items"]] == [
        *shipped_playbooks(),
        "a_new_one",
    ]
    assert second["next_cursor"] is None


def test_an_own_playbook_is_added_changed_and_deleted(client: TestClient, session: Session) -> None:
    created = client.put(f"{PLAYBOOKS}/a_new_one", json=OWN)
    repeated = client.put(f"{PLAYBOOKS}/a_new_one", json=OWN).json()
    changed = client.patch(f"{PLAYBOOKS}/a_new_one", json={"cooldown_days": 3}).json()
    deleted = client.delete(f"{PLAYBOOKS}/a_new_one")

    assert (created.status_code, created.json()["origin"]) == (200, "own")
    assert (repeated["version"], changed["version"]) == (1, 2)
    assert changed["playbook"] == OWN | {"cooldown_days": 3}
    assert deleted.status_code == 204
    assert client.get(f"{PLAYBOOKS}/a_new_one").status_code == 404
    assert [action for action, _ in audited(session)] == [
        "playbook.changed",
        "playbook.changed",
        "playbook.dropped",
    ]


def test_deleting_a_change_restores_the_shipped_version(client: TestClient) -> None:
    changed = client.patch(f"{PLAYBOOKS}/right_size", json={"cost_cents": 1}).json()
    client.delete(f"{PLAYBOOKS}/right_size")

    restored = client.get(f"{PLAYBOOKS}/right_size").json()

    assert (changed["origin"], changed["playbook"]["cost_cents"]) == ("changed", 1)
    assert (restored["origin"], restored["playbook"]["cost_cents"]) == ("shipped", 1000)
    assert client.delete(f"{PLAYBOOKS}/right_size").status_code == 404


def test_putting_the_shipped_version_changes_nothing(client: TestClient, session: Session) -> None:
    shipped = shipped_playbooks()["right_size"].model_dump(mode="json")

    assert client.put(f"{PLAYBOOKS}/right_size", json=shipped).json()["origin"] == "shipped"
    assert audited(session) == []


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"signals": ["nonsense"]}, "/body/signals/0"),
        ({"uplift": 2}, "/body/uplift"),
        ({"uplift": "0.2"}, "/body/uplift"),
        ({"cost_cents": "1000"}, "/body/cost_cents"),
        ({"cooldown_days": "7"}, "/body/cooldown_days"),
        ({"link": "{{ nonsense }}"}, "/body/link"),
        ({"faq": "{{ broken"}, "/body/faq"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_invalid_part_is_reported_with_a_pointer(
    client: TestClient, method: str, changes: dict[str, Any], pointer: str
) -> None:
    body = OWN | changes if method == "PUT" else changes

    response = client.request(method, f"{PLAYBOOKS}/right_size", json=body)

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_a_template_with_an_unavailable_placeholder_is_rejected(client: TestClient) -> None:
    texts = OWN["texts"]
    message = {"gets": "You use {{ idle }} seats.", "step": "Reply."}
    en = texts["en"] | {"messages": texts["en"]["messages"] | {"price_rise": message}}

    response = client.patch(f"{PLAYBOOKS}/right_size", json={"texts": {"en": en}})

    [error] = response.json()["errors"]
    assert error["pointer"] == "/body/texts/en/messages/price_rise/gets"
    assert error["message"].startswith("The placeholder idle is not available: use account, ")


def test_a_disabled_playbook_is_not_suggested(client: TestClient, session: Session) -> None:
    create_account(session, "a1", "price_rise")
    refresh(session)
    before = suggested_playbooks(session)
    client.patch(f"{PLAYBOOKS}/right_size", json={"enabled": False})

    refresh(session)

    assert (before, suggested_playbooks(session)) == (["right_size"], [])


def test_the_texts_of_an_own_playbook_are_used(client: TestClient, session: Session) -> None:
    message = {"gets": "Your price is {{ price }}.", "step": "Reply."}
    en = {"name": "Mine", "next_step": "Call {{ account }}.", "messages": {"default": message}}
    en["messages"] = {
        "default": {"gets": "You get a list.", "step": "Reply."},
        "price_rise": message,
    }
    client.put(f"{PLAYBOOKS}/mine", json=OWN | {"texts": {"en": en}, "uplift": 0.9})
    create_account(session, "a1", "price_rise", name="Acme Ltd")
    refresh(session)
    session.commit()

    [first, _] = client.get("/api/v1/accounts/a1/suggestions?lang=zh").json()["items"]

    assert (first["playbook"], first["title"]) == ("mine", "Mine")
    assert first["message"] == "Your price is 100 USD.\n\nReply."


def test_a_filter_limits_the_audience(client: TestClient, session: Session) -> None:
    audience = {**OWN["audience"], "filter": {"segment": "smb"}}
    client.patch(f"{PLAYBOOKS}/right_size", json={"audience": audience})
    create_account(session, "a1", "price_rise", segment="smb")
    create_account(session, "a2", "price_rise", segment="mid")

    refresh(session, "a1", "a2")

    assert (suggested_playbooks(session, "a1"), suggested_playbooks(session, "a2")) == (
        ["right_size"],
        [],
    )


def test_texts_by_a_tag_are_stored_by_their_language(client: TestClient) -> None:
    tagged = OWN | {"texts": {"en-GB": OWN["texts"]["en"], "zh_CN": OWN["texts"]["zh"]}}

    stored = client.put(f"{PLAYBOOKS}/a_new_one", json=tagged).json()

    assert stored["playbook"]["texts"] == OWN["texts"]


def test_texts_that_name_a_language_twice_are_refused(client: TestClient) -> None:
    twice = OWN | {"texts": OWN["texts"] | {"zh-CN": OWN["texts"]["zh"]}}

    refused = client.put(f"{PLAYBOOKS}/a_new_one", json=twice)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["message"] == (
        "zh and zh-CN are one language: send only zh."
    )
