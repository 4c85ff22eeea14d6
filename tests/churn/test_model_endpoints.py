from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.churn.registry.test_store import insert_model


def test_models_are_listed_newest_first_in_pages(client: TestClient, session: Session) -> None:
    for _ in range(3):
        insert_model(session, state="shadow")
    session.commit()

    page = client.get("/api/v1/churn-models?limit=2").json()
    rest = client.get(f"/api/v1/churn-models?cursor={page['next_cursor']}").json()

    assert [item["version"] for item in page["items"]] == [3, 2]
    assert [item["version"] for item in rest["items"]] == [1]
    assert rest["next_cursor"] is None
    assert "card" not in page["items"][0]


def test_getting_a_model_returns_its_card(client: TestClient, session: Session) -> None:
    insert_model(session)
    session.commit()

    shown = client.get("/api/v1/churn-models/1").json()

    assert (shown["state"], shown["stage"], shown["horizon_days"]) == ("active", "trusted", 30)
    assert shown["card"] == {"data": {"rows": 4, "churned_rows": 1}}
    assert client.get("/api/v1/churn-models/2").status_code == 404
    assert client.get("/api/v1/churn-models/0").status_code == 422


def test_a_shadow_can_be_promoted_and_rolled_back(client: TestClient, session: Session) -> None:
    insert_model(session)
    insert_model(session, state="shadow")
    session.commit()

    promoted = client.post("/api/v1/churn-models/2/promote").json()
    states = [item["state"] for item in client.get("/api/v1/churn-models").json()["items"]]
    back = client.post("/api/v1/churn-models/rollback").json()
    rules = client.post("/api/v1/churn-models/rollback").json()
    nothing = client.post("/api/v1/churn-models/rollback")

    assert (promoted["state"], promoted["activated_by"][:4]) == ("active", "key:")
    assert states == ["active", "retired"]
    assert back["active"]["version"] == 1
    assert rules == {"active": None}
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_roll_back")


def test_promoting_the_active_model_changes_nothing(client: TestClient, session: Session) -> None:
    insert_model(session)
    session.commit()

    before = client.get("/api/v1/churn-models/1").json()

    assert client.post("/api/v1/churn-models/1/promote").json().items() <= before.items()
    assert client.post("/api/v1/churn-models/9/promote").status_code == 404


def test_promoting_an_unusable_model_is_a_conflict(client: TestClient, session: Session) -> None:
    insert_model(session, state="shadow").sha256 = "of something else"
    session.commit()

    answer = client.post("/api/v1/churn-models/1/promote")

    assert (answer.status_code, answer.json()["code"]) == (409, "model_unfit")


def test_training_is_enqueued_once_as_a_job(client: TestClient) -> None:
    first = client.post("/api/v1/churn-models")
    again = client.post("/api/v1/churn-models")

    assert first.status_code == 202
    assert (first.json()["kind"], first.json()["state"]) == ("train_model", "queued")
    assert again.json()["id"] == first.json()["id"]
    shown = client.get(f"/api/v1/jobs/{first.json()['id']}").json()
    assert shown == first.json()
