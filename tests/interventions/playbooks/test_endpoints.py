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


def test_what_is_shipped_holds_until_it_is_changed(client: TestClient) -> None:
    found = client.get(PLAYBOOKS).json()["items"]

    assert [item["key"] for item in found] == list(shipped_playbooks())
    assert {(item["origin"], item["version"]) for item in found} == {("shipped", 0)}


def test_lists_go_on_where_a_page_ended(client: TestClient) -> None:
    client.put(f"{PLAYBOOKS}/a_new_one", json=OWN)
    first = client.get(PLAYBOOKS, params={"limit": 10}).json()

    second = client.get(PLAYBOOKS, params={"limit": 10, "cursor": first["next_cursor"]}).json()

    assert [item["key"] for item in first["items"] + second["items"]] == [
        *shipped_playbooks(),
        "a_new_one",
    ]
    assert second["next_cursor"] is None


def test_one_is_added_changed_and_removed(client: TestClient, session: Session) -> None:
    made = client.put(f"{PLAYBOOKS}/a_new_one", json=OWN)
    again = client.put(f"{PLAYBOOKS}/a_new_one", json=OWN).json()
    changed = client.patch(f"{PLAYBOOKS}/a_new_one", json={"cooldown_days": 3}).json()
    dropped = client.delete(f"{PLAYBOOKS}/a_new_one")

    assert (made.status_code, made.json()["origin"]) == (200, "own")
    assert (again["version"], changed["version"]) == (1, 2)
    assert changed["playbook"] == OWN | {"cooldown_days": 3}
    assert dropped.status_code == 204
    assert client.get(f"{PLAYBOOKS}/a_new_one").status_code == 404
    assert [action for action, _ in audited(session)] == [
        "playbook.changed",
        "playbook.changed",
        "playbook.dropped",
    ]


def test_the_shipped_version_holds_again_when_a_change_is_dropped(client: TestClient) -> None:
    changed = client.patch(f"{PLAYBOOKS}/right_size", json={"cost_cents": 1}).json()
    client.delete(f"{PLAYBOOKS}/right_size")

    found = client.get(f"{PLAYBOOKS}/right_size").json()

    assert (changed["origin"], changed["playbook"]["cost_cents"]) == ("changed", 1)
    assert (found["origin"], found["playbook"]["cost_cents"]) == ("shipped", 1000)
    assert client.delete(f"{PLAYBOOKS}/right_size").status_code == 404


def test_saying_what_is_shipped_changes_nothing(client: TestClient, session: Session) -> None:
    plain = shipped_playbooks()["right_size"].model_dump(mode="json")

    assert client.put(f"{PLAYBOOKS}/right_size", json=plain).json()["origin"] == "shipped"
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
def test_what_is_wrong_is_said_with_its_place(
    client: TestClient, method: str, changes: dict[str, Any], pointer: str
) -> None:
    body = OWN | changes if method == "PUT" else changes

    answer = client.request(method, f"{PLAYBOOKS}/right_size", json=body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_template_that_cannot_be_filled_is_refused(client: TestClient) -> None:
    texts = OWN["texts"]
    message = {"gets": "You use {{ idle }} seats.", "step": "Reply."}
    en = texts["en"] | {"messages": texts["en"]["messages"] | {"price_rise": message}}

    answer = client.patch(f"{PLAYBOOKS}/right_size", json={"texts": {"en": en}})

    [error] = answer.json()["errors"]
    assert error["pointer"] == "/body/texts/en/messages/price_rise/gets"
    assert error["message"] == "There is no placeholder idle here."


def test_one_that_is_turned_off_suggests_nothing(client: TestClient, session: Session) -> None:
    create_account(session, "a1", "price_rise")
    refresh(session)
    before = suggested_playbooks(session)
    client.patch(f"{PLAYBOOKS}/right_size", json={"enabled": False})

    refresh(session)

    assert (before, suggested_playbooks(session)) == (["right_size"], [])


def test_own_words_are_what_is_said(client: TestClient, session: Session) -> None:
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


def test_a_filter_says_whose_accounts_it_is_for(client: TestClient, session: Session) -> None:
    audience = {**OWN["audience"], "filter": {"segment": "smb"}}
    client.patch(f"{PLAYBOOKS}/right_size", json={"audience": audience})
    create_account(session, "a1", "price_rise", segment="smb")
    create_account(session, "a2", "price_rise", segment="mid")

    refresh(session, "a1", "a2")

    assert (suggested_playbooks(session, "a1"), suggested_playbooks(session, "a2")) == (
        ["right_size"],
        [],
    )
