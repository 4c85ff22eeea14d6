from fastapi.testclient import TestClient


def test_training_is_enqueued_once_as_a_job(client: TestClient) -> None:
    first = client.post("/api/v1/churn-models")
    again = client.post("/api/v1/churn-models")

    assert first.status_code == 202
    assert (first.json()["kind"], first.json()["state"]) == ("train_model", "queued")
    assert again.json()["id"] == first.json()["id"]
    shown = client.get(f"/api/v1/jobs/{first.json()['id']}").json()
    assert shown == first.json()
