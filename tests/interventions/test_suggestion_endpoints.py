"""The routes that list suggestions."""

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.interventions.scenario import create_account, refresh


def test_the_suggestions_of_an_account_are_returned_in_either_language(
    client: TestClient, session: Session
) -> None:
    create_account(session, "a1", "champion_inactive", "price_rise", name="Acme Ltd")
    refresh(session)
    session.commit()

    english = client.get("/api/v1/accounts/a1/suggestions").json()["items"]
    chinese = client.get("/api/v1/accounts/a1/suggestions", params={"lang": "zh"}).json()["items"]

    assert [item["playbook"] for item in english] == ["find_next_champion", "right_size"]
    assert [item["rank"] for item in english] == [1, 2]
    assert english[0]["next_step"].startswith("Find out at Acme Ltd")
    assert chinese[0]["next_step"].startswith("了解 Acme Ltd")
    assert english[0]["effect"]["n"] == 0
    assert english[0]["severity"] == "medium"
    assert client.get("/api/v1/accounts/nobody/suggestions").status_code == 404


def test_the_suggestions_of_all_are_listed_by_value_in_pages(
    client: TestClient, session: Session
) -> None:
    for number in range(5):
        create_account(
            session, f"a{number}", "champion_inactive", mrr_cents=100_00 * (number + 1), owner="kim"
        )
    refresh(session, *(f"a{number}" for number in range(5)))
    session.commit()

    ids, cursor = [], None
    while True:
        params: dict[str, str | int] = {"limit": 2, "owner": "kim"}
        params |= {"cursor": cursor} if cursor else {}
        page = client.get("/api/v1/suggestions", params=params).json()
        ids += [item["account_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert ids == ["a4", "a3", "a2", "a1", "a0"]
    assert client.get("/api/v1/suggestions?owner=lee").json()["items"] == []
    assert client.get("/api/v1/suggestions?playbook=right_size").json()["items"] == []
