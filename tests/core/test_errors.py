from fastapi.testclient import TestClient


def test_a_wrong_method_is_told_every_right_one(client: TestClient) -> None:
    answer = client.post("/api/v1/plans/pro")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "DELETE, GET, PUT"
