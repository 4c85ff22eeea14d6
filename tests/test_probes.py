"""Health checks, metrics and the start page; what the API logs while its database is away."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from app import pipeline
from app.accounts.refresh_queue import mark_due
from app.core.db import SessionFactory
from app.core.postgres import migrations
from app.core.settings import VERSION
from app.jobs import service as jobs
from app.main import Storage, attach
from app.probes import FIRST_PAGE
from app.tables import Delivery, Due, Message, WebhookEndpoint
from app.workspaces.keys import generate_key
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import NOW, SETTINGS, shared_app
from tests.test_docs import ROOT, rows
from tests.webhooks.delivery import create_endpoint

AWAY = "postgresql://user:secret@127.0.0.1:1/health"


@pytest.fixture
def client_without_database(running_app: TestClient) -> Iterator[TestClient]:
    storage = Storage.open(AWAY, pool_size=2)
    settings = SETTINGS.model_copy(update={"database_url": SecretStr(AWAY)})
    attach(shared_app(), storage, settings, lambda: NOW)
    yield running_app
    for sessions in (storage.sessions, storage.autocommit):
        sessions.kw["bind"].dispose()


def samples(client: TestClient) -> dict[tuple[str, str], float]:
    """Return the metrics by name and queue."""
    page = client.get("/metrics").text
    return {
        (sample.name, sample.labels.get("queue", "")): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_the_start_leads_browsers_to_the_page(client: TestClient) -> None:
    answer = client.get("/", headers={"Accept": "text/html,*/*;q=0.8"}, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (307, FIRST_PAGE)
    assert (
        client.get("/", headers={"Accept": "text/html"})
        .headers["content-type"]
        .startswith("text/html")
    )


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_the_start_tells_other_clients_where_the_documentation_is(
    client: TestClient, accept: str
) -> None:
    answer = client.get("/", headers={"Accept": accept})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "service": "Customer Health",
        "version": VERSION,
        "docs": "/docs",
        "openapi": "/openapi.json",
        "ready": "/health/ready",
    }
    for address in ("docs", "openapi"):
        assert client.get(answer.json()[address]).status_code == 200


def test_empty_queues_are_zero(client: TestClient) -> None:
    found = samples(client)

    for queue in ("refresh_live", "refresh_silent", "refresh_sweep", "deliveries", "jobs"):
        assert found["health_queue_entries", queue] == 0
        assert found["health_queue_oldest_seconds", queue] == 0


def test_queues_have_their_length_and_the_age_of_their_oldest_entry(
    client: TestClient, session: Session
) -> None:
    """Three marks, the oldest live one from 90 s ago; a delivery due 30 s ago; a job of 50 s."""
    for priority, account_id in ((0, "a1"), (0, "a2"), (2, "a3")):
        session.add(Due(priority=priority, workspace_id="acme", account_id=account_id, notify=True))
    session.flush()
    session.execute(
        text(
            "UPDATE due SET marked_at = clock_timestamp() - interval '90 s' WHERE account_id = 'a1'"
        )
    )
    create_deliveries(session, ["active", "disabled"])
    jobs.enqueue(session, Actor("acme", "test", NOW - timedelta(seconds=50)), "import", {})
    session.commit()

    found = samples(client)

    assert {
        queue: found["health_queue_entries", queue]
        for queue in ("refresh_live", "refresh_silent", "refresh_sweep", "deliveries", "jobs")
    } == {
        "refresh_live": 2,
        "refresh_silent": 0,
        "refresh_sweep": 1,
        "deliveries": 1,
        "jobs": 1,
    }
    assert found["health_queue_oldest_seconds", "refresh_live"] >= 90
    assert found["health_queue_oldest_seconds", "refresh_sweep"] < 90
    assert found["health_queue_oldest_seconds", "deliveries"] == 30
    assert found["health_queue_oldest_seconds", "jobs"] == 50


def create_deliveries(session: Session, states: Sequence[str]) -> None:
    """Create, to an endpoint of each state, a delivery that is due for 30 s and a future one."""
    for message_id in ("due", "later"):
        session.add(
            Message(
                workspace_id="acme", id=message_id, type="alert.opened", body=b"", created_at=NOW
            )
        )
    for state in states:
        endpoint_id, _ = create_endpoint(session)
        session.get_one(WebhookEndpoint, ("acme", endpoint_id)).state = state
        for message_id, seconds in (("due", -30), ("later", 30)):
            session.add(
                Delivery(
                    workspace_id="acme",
                    endpoint_id=endpoint_id,
                    message_id=message_id,
                    state="pending",
                    due_at=NOW + timedelta(seconds=seconds),
                )
            )
    session.flush()


def test_the_version_and_the_schema_are_a_metric(client: TestClient) -> None:
    page = client.get("/metrics").text

    assert f'health_build_info{{schema="{migrations.HEAD}",version="{VERSION}"}} 1.0' in page


def test_metrics_are_only_at_their_own_port_if_they_have_one(client: TestClient) -> None:
    app = shared_app()
    app.state.serves_metrics = False

    answer = client.get("/metrics")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "HEALTH_METRICS_PORT" in answer.json()["detail"]


def test_every_metric_is_documented_and_no_other(client: TestClient) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    families = text_string_to_metric_families(client.get("/metrics").text)
    exposed = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in families
        if family.name.startswith("health_") and not family.name.endswith("_created")
    }

    assert set(rows(page, "Health and metrics")) == exposed


def test_metrics_without_a_database_lack_only_the_queues(
    client_without_database: TestClient,
) -> None:
    answer = client_without_database.get("/metrics")

    assert answer.status_code == 200
    assert "health_build_info" in answer.text
    assert "health_requests_total" in answer.text
    assert "health_queue_entries" not in answer.text


def test_what_is_answered_503_is_logged_once_with_host_and_reason(
    client_without_database: TestClient,
) -> None:
    headers = {"Authorization": f"Bearer {generate_key().text}"}
    with capture_logs() as lines:
        for _ in range(4):
            answer = client_without_database.get("/api/v1/plans", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
        for _ in range(3):
            assert client_without_database.get("/health/ready").status_code == 503

    found = [line for line in lines if line["event"] == "answered_503"]
    assert [line["code"] for line in found] == ["storage_unavailable", "not_ready"]
    assert {line["host"] for line in found} == {"127.0.0.1:1/health"}
    assert all(re.search("port 1 failed: Connection refused", line["reason"]) for line in found)
    assert "secret" not in str(lines)


def test_refreshes_are_counted_and_looks_at_an_empty_queue_are_none(
    session: Session, sessions: SessionFactory
) -> None:
    """Two accounts in one set, then three looks: one refresh more, two accounts more."""
    factories.workspace(session)
    for account_id in ("a1", "a2"):
        factories.account(session, account_id)
    mark_due(session, "acme", ["a1", "a2"])
    session.commit()
    before = counted("health_refresh_seconds_count"), counted("health_refreshed_accounts_total")

    done = [pipeline.refresh_due(sessions, now=NOW) for _ in range(4)]

    assert done == [2, 0, 0, 0]
    assert counted("health_refresh_seconds_count") == before[0] + 1
    assert counted("health_refreshed_accounts_total") == before[1] + 2


def counted(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0
