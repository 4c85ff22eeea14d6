from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.health.definition import scorecard_queries
from app.health.definition.scorecard import Scorecard
from app.health.versions import service
from app.tables import AuditEntry, Due, HealthHistory, HealthScore, Message
from app.tables import Scorecard as StoredScorecard
from app.workspaces.service import Actor
from tests import factories
from tests.health.crowd import NOW, crowd, name_events
from tests.lock_waits import wait_until_blocked

PATH = "/api/v1/scorecards"
REACH: dict[str, Any] = {
    "name": "reach",
    "source": {"metric": "reach"},
    "transform": {"kind": "percentile"},
}
ONLY_REACH = {"name": "Reach alone", "default": {"measures": [REACH]}}


def store_draft(client: TestClient, body: Any = ONLY_REACH) -> int:  # noqa: ANN401
    answer = client.post(PATH, json=body)
    assert (answer.status_code, answer.json()["state"]) == (201, "draft")
    return int(answer.json()["version"])


def versions(client: TestClient) -> list[tuple[int, str]]:
    items = client.get(PATH).json()["items"]
    return [(item["version"], item["state"]) for item in items]


def audit_entries(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(
        select(AuditEntry.action, AuditEntry.subject)
        .where(AuditEntry.action.like("scorecard.%"))
        .order_by(AuditEntry.id)
    )
    return [(action, subject) for action, subject in rows]


def refresh(client: TestClient, account_id: str = "a010") -> Any:  # noqa: ANN401
    return client.post(f"/api/v1/accounts/{account_id}/health/refresh").json()


def test_without_stored_versions_the_built_in_one_is_active(
    client: TestClient, session: Session
) -> None:
    factories.account(session, "a1")

    assert versions(client) == [(1, "active")]
    assert len(client.get(f"{PATH}/1").json()["scorecard"]["default"]["measures"]) == 4
    assert client.get(f"{PATH}/2").status_code == 404
    assert refresh(client, "a1")["scorecard_version"] == 1


def test_a_draft_is_stored_as_sent_and_scores_no_account(
    client: TestClient, session: Session
) -> None:
    crowd(session, range(1, 26))

    version = store_draft(client)

    assert version == 2
    assert versions(client) == [(2, "draft"), (1, "active")]
    found = client.get(f"{PATH}/2").json()
    assert found["scorecard"]["name"] == "Reach alone"
    assert found["scorecard"]["default"]["measures"][0]["source"] == {"metric": "reach"}
    assert (found["activated_at"], found["retired_at"]) == (None, None)
    assert refresh(client)["scorecard_version"] == 1


def test_an_activated_version_scores_all_accounts_from_then_on(
    client: TestClient, session: Session
) -> None:
    crowd(session, range(1, 26))
    session.commit()
    version = store_draft(client)

    found = client.post(f"{PATH}/{version}/activate").json()

    assert (found["state"], found["activated_at"]) == ("active", "2026-03-18T12:00:00Z")
    assert found["activated_by"].startswith("key:")
    assert versions(client) == [(2, "active"), (1, "retired")]
    assert session.scalar(select(func.count(Due.account_id.distinct()))) == 25
    health = refresh(client)
    assert health["scorecard_version"] == 2
    assert [measure["name"] for measure in health["measures"]] == ["reach"]
    assert audit_entries(session) == [("scorecard.drafted", "2"), ("scorecard.activated", "2")]


def test_activating_twice_has_the_effect_of_once(client: TestClient, session: Session) -> None:
    version = store_draft(client)

    first = client.post(f"{PATH}/{version}/activate").json()
    again = client.post(f"{PATH}/{version}/activate").json()

    assert again == first
    assert audit_entries(session) == [("scorecard.drafted", "2"), ("scorecard.activated", "2")]
    message = session.scalars(select(Message)).one()
    data = {"link": f"{PATH}/2", "version": 2, "previous_version": 1}
    assert (message.type, orjson.loads(message.body)["data"]) == ("scorecard.activated", data)


def test_a_retired_version_can_be_activated_again(client: TestClient, session: Session) -> None:
    client.post(f"{PATH}/{store_draft(client)}/activate")

    found = client.post(f"{PATH}/1/activate").json()

    assert (found["state"], found["retired_at"]) == ("active", None)
    assert versions(client) == [(2, "retired"), (1, "active")]
    assert audit_entries(session)[-1] == ("scorecard.activated", "1")


def test_a_discarded_draft_is_gone_and_its_number_is_not_reused(
    client: TestClient, session: Session
) -> None:
    """A client that has seen version 2 must not activate another version under that number."""
    store_draft(client)

    assert client.delete(f"{PATH}/2").status_code == 204

    for request in (client.get, client.delete):
        assert request(f"{PATH}/2").status_code == 404
    for verb in ("activate", "simulate"):
        assert client.post(f"{PATH}/2/{verb}").status_code == 404
    assert versions(client) == [(1, "active")]
    assert store_draft(client) == 3
    assert audit_entries(session)[1] == ("scorecard.discarded", "2")


@pytest.mark.parametrize("version", [1, 2])
def test_a_version_that_was_active_cannot_be_discarded(client: TestClient, version: int) -> None:
    client.post(f"{PATH}/{store_draft(client)}/activate")

    answer = client.delete(f"{PATH}/{version}")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_a_draft")


def test_versions_are_listed_newest_first_in_pages(client: TestClient) -> None:
    for _ in range(3):
        store_draft(client)

    first = client.get(PATH, params={"limit": 3}).json()
    second = client.get(PATH, params={"cursor": first["next_cursor"]}).json()

    assert [item["version"] for item in first["items"] + second["items"]] == [4, 3, 2, 1]
    assert second["next_cursor"] is None


def with_measure(**config: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"default": {"measures": [{**REACH, **config}]}}


STEPS = [{"at_least": 2, "score": 1}, {"at_least": 1, "score": 2}]
MEASURE = "/body/default/measures/0"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"default": {"measures": []}}, "/body/default/measures"),
        (with_measure(source={"metric": "nonsense"}), f"{MEASURE}/source/metric"),
        (with_measure(source={"events": []}), f"{MEASURE}/source/events"),
        (with_measure(source={}), f"{MEASURE}/source"),
        (with_measure(transform={"kind": "curve"}), f"{MEASURE}/transform"),
        (with_measure(transform={"kind": "thresholds", "steps": STEPS}), f"{MEASURE}/transform"),
        (
            with_measure(transform={"kind": "linear", "at_0": 1, "at_100": 1}),
            f"{MEASURE}/transform",
        ),
        (with_measure(weight=-1), f"{MEASURE}/weight"),
        ({"default": {"measures": [REACH, REACH]}}, "/body/default"),
        ({"default": {"watch_from": 60}}, "/body/default"),
        ({"window_days": 5}, "/body/window_days"),
        ({"color": "red"}, "/body/color"),
        (
            {
                "rules": [
                    {"name": "x", "when": {"field": "mrr", "op": "gt", "value": 1}, "card": {}}
                ]
            },
            "/body/rules/0/when/field",
        ),
    ],
)
def test_an_invalid_scorecard_is_rejected_with_a_pointer(
    client: TestClient,
    body: Any,  # noqa: ANN401
    pointer: str,
) -> None:
    answer = client.post(PATH, json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert versions(client) == [(1, "active")]


def test_a_simulation_lists_movers_and_writes_no_scores(
    client: TestClient, session: Session
) -> None:
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    session.commit()
    version = store_draft(client, {"default": {"measures": [{**REACH, "missing": 0}]}})

    found = client.post(f"{PATH}/{version}/simulate").json()

    assert (found["accounts"], found["scored_before"], found["scored_after"]) == (25, 25, 25)
    assert -1 <= found["spearman"] <= 1
    assert sum(sum(after.values()) for after in found["bands"].values()) == 25
    moves = [abs(mover["points"]) for mover in found["movers"]]
    assert moves == sorted(moves, reverse=True)
    assert session.scalar(select(func.count()).select_from(HealthScore)) == 0
    assert session.scalar(select(func.count()).select_from(HealthHistory)) == 0
    assert versions(client) == [(2, "draft"), (1, "active")]


def test_a_simulation_matches_the_activation(client: TestClient, session: Session) -> None:
    ids = crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    session.commit()
    before = {key: refresh(client, key)["value"] for key in ids}
    version = store_draft(client)

    movers = client.post(f"{PATH}/{version}/simulate").json()["movers"]
    client.post(f"{PATH}/{version}/activate")
    after = {key: refresh(client, key)["value"] for key in ids}

    assert {mover["account_id"]: mover["after"] for mover in movers} == {
        key: after[key] for key in ids if after[key] != before[key]
    }


def test_simulating_the_active_version_shows_no_change(
    client: TestClient, session: Session
) -> None:
    crowd(session, range(1, 26))
    name_events(session, "Export", "Share")
    session.commit()

    found = client.post(f"{PATH}/1/simulate").json()

    assert (found["movers"], found["mean_change"], found["spearman"]) == ([], 0, pytest.approx(1))


def test_the_later_of_two_concurrent_activations_is_active(committed: SessionFactory) -> None:
    with transaction(committed) as session:
        factories.account(session, "a1")
        for _ in range(2):
            service.draft(session, Actor("acme", "test", NOW), Scorecard())

    def activate(version: int) -> None:
        with transaction(committed) as session:
            by = Actor("acme", "test", NOW + timedelta(seconds=version))
            service.activate(session, by, version)

    with ThreadPoolExecutor(1) as threads, transaction(committed) as first:
        service.activate(first, Actor("acme", "test", NOW), 2)
        waiting = threads.submit(activate, 3)
        wait_until_blocked(first)
        first.commit()
        waiting.result(timeout=120)

    with committed() as session:
        rows = session.execute(
            select(StoredScorecard.version, StoredScorecard.state).order_by(StoredScorecard.version)
        ).all()
        assert [tuple(row) for row in rows] == [(1, "retired"), (2, "retired"), (3, "active")]
        assert scorecard_queries.get_active_scorecard(session, "acme")[0] == 3


def test_concurrent_drafts_get_different_numbers(committed: SessionFactory) -> None:
    with transaction(committed) as session:
        factories.workspace(session)

    def draft(_: int) -> int:
        with transaction(committed) as session:
            row = service.draft(session, Actor("acme", "test", NOW), Scorecard())
            return row.version

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(draft, range(8)))

    assert sorted(found) == list(range(2, 10))
