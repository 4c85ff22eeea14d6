from fastapi.testclient import TestClient


def test_head_answers_like_get_without_the_body(client: TestClient) -> None:
    answer = client.head("/api/v1/plans")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == client.get("/api/v1/plans").headers["etag"]
    assert client.head("/api/v1/accounts/nobody").status_code == 404
