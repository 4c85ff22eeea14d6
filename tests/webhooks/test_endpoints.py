from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.jobs.runner import JobRunner
from app.webhooks import recovery
from app.webhooks.endpoint_secrets import EndpointSecrets
from app.webhooks.message_schemas import CATALOGUE
from tests.conftest import NOW
from tests.webhooks.delivery import ENCRYPTOR, get_endpoint, list_deliveries
from tests.webhooks.samples import publish, sample

URL = "https://crm.example/hook?token=s3cret"
API = "/api/v1/webhook-endpoints"


def create(client: TestClient, **values: Any) -> dict[str, Any]:  # noqa: ANN401
    answer = client.post(API, json={"url": URL, **values})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def path_of(endpoint: dict[str, Any], path: str = "") -> str:
    return f"{API}/{endpoint['id']}{path}"


def secrets(session: Session, endpoint: dict[str, Any]) -> EndpointSecrets:
    row = get_endpoint(session, endpoint["id"])
    return EndpointSecrets.open(ENCRYPTOR, "acme", row.id, row.encrypted)


def test_the_secret_is_returned_once_and_stored_encrypted(
    client: TestClient, session: Session
) -> None:
    endpoint = create(client, headers={"X-Token": "of-the-receiver"})

    assert endpoint["secret"].startswith("whsec_")
    assert "secret" not in client.get(path_of(endpoint)).json()
    stored = session.execute(text("SELECT CAST(e AS text) FROM webhook_endpoint e")).scalar_one()
    raw = session.execute(text("SELECT encrypted FROM webhook_endpoint")).scalar_one()
    for hidden in (endpoint["secret"], "of-the-receiver", "s3cret"):
        assert hidden not in stored
        assert hidden.encode() not in raw
    assert secrets(session, endpoint).valid(NOW) == [endpoint["secret"]]
    assert secrets(session, endpoint).headers == {"x-token": "of-the-receiver"}


def test_an_endpoint_is_returned_without_possible_secrets(client: TestClient) -> None:
    endpoint = create(client, headers={"X-Token": "t"}, types=["alert.opened"], name="CRM")
    slack = create(client, kind="slack", url="https://hooks.slack.com/services/T0/B0/xyz")

    shown = client.get(path_of(endpoint)).json()
    assert (shown["url"], shown["header_names"]) == ("https://crm.example/hook?…", ["x-token"])
    assert (shown["state"], shown["types"], shown["name"]) == ("active", ["alert.opened"], "CRM")
    assert client.get(path_of(slack)).json()["url"] == "https://hooks.slack.com/…"
    assert slack["secret"] is None
    listed = client.get(API).json()["items"]
    assert [each["id"] for each in listed] == sorted([endpoint["id"], slack["id"]])


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"url": "http://crm.example/hook"}, "/body/url"),
        ({"url": "https://127.0.0.1/"}, "/body/url"),
        ({"url": "https://0x7f.1/"}, "/body/url"),
        ({"url": "https://[64:ff9b::a9fe:a9fe]/"}, "/body/url"),
        ({"url": "https://ada:secret@crm.example/"}, "/body/url"),
        ({"url": "ftp://crm.example/"}, "/body/url"),
        ({"url": "https:///hook"}, "/body/url"),
        ({"url": "https://crm.example:99999/"}, "/body/url"),
        ({"url": "https://crm.example:0/"}, "/body/url"),
        ({"url": "https://crm.example:-1/"}, "/body/url"),
        ({"url": "https://xn--/"}, "/body/url"),
        ({"url": "https://crm example/"}, "/body/url"),
        ({"url": "https://crm..example/"}, "/body/url"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "/body/headers"),
        ({"headers": {"X-Token": " t"}}, "/body/headers/X-Token"),
        ({"headers": {"X-Token": "t "}}, "/body/headers/X-Token"),
        ({"types": ["alert.exploded"]}, "/body/types/0"),
        ({"filter": {"colour": "red"}}, "/body/filter/colour"),
        ({"headers": {"Host": "other.example"}}, "/body/headers"),
        ({"headers": {"webhook-id": "x"}}, "/body/headers"),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "/body/headers/X-A"),
        ({"colour": "red"}, "/body/colour"),
    ],
)
def test_an_invalid_endpoint_is_refused_with_a_pointer(
    client: TestClient, values: dict[str, Any], pointer: str
) -> None:
    answer = client.post(API, json={"url": URL, **values})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)


def test_a_patch_changes_the_given_fields_only(client: TestClient, session: Session) -> None:
    endpoint = create(client, headers={"X-Token": "t"}, types=["alert.opened"])

    answer = client.patch(path_of(endpoint), json={"paused": True, "url": "https://new.example/"})

    assert answer.json()["state"] == "paused"
    assert answer.json()["url"] == "https://new.example/"
    assert answer.json()["types"] == ["alert.opened"]
    stored = secrets(session, endpoint)
    assert (stored.url, stored.headers) == ("https://new.example/", {"x-token": "t"})
    assert stored.valid(NOW) == [endpoint["secret"]]
    assert client.patch(path_of(endpoint), json={"paused": False}).json()["state"] == "active"
    assert client.patch(path_of(endpoint), json={"url": "http://a.example"}).status_code == 422


def test_an_endpoint_is_deleted_with_its_deliveries(client: TestClient, session: Session) -> None:
    endpoint = create(client)
    publish(session, sample("alert.opened"))

    assert client.delete(path_of(endpoint)).status_code == 204
    assert client.get(path_of(endpoint)).status_code == 404
    assert list_deliveries(session) == []


def test_a_rotated_secret_also_signs_until_the_grace_ends(
    client: TestClient, session: Session
) -> None:
    endpoint = create(client)

    rotated = client.post(path_of(endpoint, "/rotate-secret"), json={"grace_seconds": 60}).json()

    both = [rotated["secret"], endpoint["secret"]]
    assert secrets(session, endpoint).valid(NOW) == both
    assert secrets(session, endpoint).valid(NOW + timedelta(seconds=59)) == both
    assert secrets(session, endpoint).valid(NOW + timedelta(seconds=60)) == [rotated["secret"]]


def test_at_most_two_secrets_sign(client: TestClient, session: Session) -> None:
    endpoint = create(client)

    rotated = [client.post(path_of(endpoint, "/rotate-secret")).json()["secret"] for _ in range(3)]

    assert secrets(session, endpoint).valid(NOW) == [rotated[2], rotated[1]]


def test_a_slack_endpoint_has_no_secret_to_rotate(client: TestClient) -> None:
    endpoint = create(client, kind="slack")

    answer = client.post(path_of(endpoint, "/rotate-secret"))

    assert (answer.status_code, answer.json()["code"]) == (409, "not_signed")


def test_a_test_message_goes_to_one_endpoint_whatever_its_types(client: TestClient) -> None:
    endpoint, _ = create(client, types=["alert.opened"]), create(client)

    answer = client.post(path_of(endpoint, "/test"))

    assert answer.status_code == 202
    [delivery] = client.get(path_of(endpoint, "/deliveries")).json()["items"]
    assert delivery == answer.json()
    assert delivery["state"] == "pending"
    [message] = client.get("/api/v1/messages").json()["items"]
    assert message["data"] == {"link": None, "endpoint_id": endpoint["id"]}


def test_nothing_is_sent_to_a_disabled_endpoint_until_it_is_enabled(
    client: TestClient, session: Session
) -> None:
    endpoint = create(client)
    row = get_endpoint(session, endpoint["id"])
    row.state, row.reason, row.failures = "disabled", "failing", 12
    session.commit()

    refused = client.post(path_of(endpoint, "/test"))
    assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_not_active")
    enabled = client.post(path_of(endpoint, "/enable")).json()

    assert (enabled["state"], enabled["reason"], enabled["failures"]) == ("active", None, 0)
    assert client.post(path_of(endpoint, "/test")).status_code == 202


def test_a_workspace_has_at_most_fifty_endpoints(client: TestClient) -> None:
    for _ in range(50):
        create(client)

    answer = client.post(API, json={"url": URL})

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_endpoints")


def test_a_replayed_delivery_starts_over(client: TestClient, session: Session) -> None:
    endpoint = create(client)
    [message_id] = publish(session, sample("alert.opened"))
    [delivery] = list_deliveries(session)
    delivery.state, delivery.attempts, delivery.finished_at = "failed", 10, NOW
    session.commit()

    answer = client.post(path_of(endpoint, f"/deliveries/{message_id}/replay"))

    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["attempts"]) == ("pending", 0)
    assert client.post(path_of(endpoint, "/deliveries/msg_0/replay")).status_code == 404


def test_a_message_is_replayed_to_all_endpoints_that_want_it_now(
    client: TestClient, session: Session
) -> None:
    [message_id] = publish(session, sample("alert.opened"))
    session.commit()
    create(client, types=["alert.opened"])
    create(client, types=["data.stopped"])

    answer = client.post(f"/api/v1/messages/{message_id}/replay")

    assert (answer.status_code, answer.json()) == (202, {"deliveries": 1})


def test_a_time_range_is_recovered_by_a_job(
    client: TestClient, session: Session, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "PAGE_SIZE", 2)
    ids = publish(session, *[sample("alert.opened") for _ in range(5)], sample("data.stopped"))
    endpoint = create(client, types=["alert.opened"])
    session.commit()
    hour = timedelta(hours=1)

    span = {"since": (NOW - hour).isoformat(), "until": (NOW + hour).isoformat()}
    job = client.post(path_of(endpoint, "/recover"), json=span).json()
    runner = JobRunner(sessions, {recovery.KIND: recovery.recover_page})
    while runner.step(NOW):
        pass

    done = client.get(f"/api/v1/jobs/{job['id']}").json()
    assert (done["state"], done["progress"]) == ("done", {"messages": 6, "deliveries": 5})
    assert [each.message_id for each in list_deliveries(session)] == list(ids[:5])
    again = client.post(path_of(endpoint, "/recover"), json=span).json()
    while runner.step(NOW):
        pass
    assert client.get(f"/api/v1/jobs/{again['id']}").json()["progress"]["deliveries"] == 0


def test_messages_outside_of_the_range_are_not_recovered(
    client: TestClient, session: Session, sessions: SessionFactory
) -> None:
    publish(session, sample("alert.opened"))
    endpoint = create(client)
    before, second = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)

    for since, until in ((before, NOW), (second, second + timedelta(days=1))):
        span = {"since": since.isoformat(), "until": until.isoformat()}
        assert client.post(path_of(endpoint, "/recover"), json=span).status_code == 202
    runner = JobRunner(sessions, {recovery.KIND: recovery.recover_page})
    while runner.step(NOW):
        pass

    assert list_deliveries(session) == []
    wrong = {"since": NOW.isoformat(), "until": before.isoformat()}
    assert client.post(path_of(endpoint, "/recover"), json=wrong).status_code == 422


def test_messages_are_listed_newest_first_by_type_and_account(
    client: TestClient, session: Session
) -> None:
    ids = publish(
        session, sample("alert.opened", "a"), sample("alert.opened", "b"), sample("data.stopped")
    )
    session.commit()

    def list_ids(**query: str) -> list[str]:
        return [each["id"] for each in client.get("/api/v1/messages", params=query).json()["items"]]

    assert list_ids() == list(reversed(ids))
    assert list_ids(type="alert.opened", account_id="b") == [ids[1]]
    page = client.get("/api/v1/messages", params={"limit": 2}).json()
    assert list_ids(cursor=page["next_cursor"]) == [ids[0]]


def test_every_type_is_listed_with_its_schema(client: TestClient) -> None:
    types = {each["type"]: each for each in client.get("/api/v1/message-types").json()["items"]}
    document = client.get("/openapi.json").json()

    assert set(types) == set(CATALOGUE) == set(document["webhooks"])
    assert "drivers" in types["alert.opened"]["data_schema"]["properties"]
    assert types["alert.opened"]["description"] == "A rule fired for an account."
    body = document["webhooks"]["alert.opened"]["post"]["requestBody"]["content"]
    name = body["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert set(document["components"]["schemas"][name]["properties"]) == {
        "type",
        "timestamp",
        "data",
    }
