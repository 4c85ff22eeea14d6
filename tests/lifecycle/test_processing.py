"""A worker that is killed loses only the page that it was processing."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.lifecycle import processing
from app.lifecycle.tables import IdChangeKind
from tests.events import calls
from tests.events.calls import group, track
from tests.lifecycle.id_changes import (
    LATER,
    columns_mentioning,
    features,
    process_all,
    request_change,
)


class KilledError(BaseException):
    """Not an ``Exception``: like a signal, nothing catches it."""


def create_events(client: TestClient) -> None:
    calls.ingest(
        client,
        group("g1", "zz-old", userId="zz-ada"),
        *(
            track(
                f"m{n}",
                userId="zz-ada",
                event=f"Do {n % 7}",
                context={"groupId": "zz-old"},
                properties={"end_customer_id": f"c{n}"},
            )
            for n in range(25)
        ),
    )


def process_page_and_die(sessions: SessionFactory) -> None:
    with transaction(sessions) as session:
        processing._process(session, [], LATER)  # noqa: SLF001 - the worker is killed here
        raise KilledError


def kill_worker_on_each_page(sessions: SessionFactory) -> int:
    """Process each page twice: first by a worker that dies just before its commit."""
    pages = 0
    while True:
        with pytest.raises(KilledError):
            process_page_and_die(sessions)
        if not processing.process_next_page(sessions, now=LATER):
            return pages
        pages += 1


@pytest.mark.parametrize("path", ["users/zz-ada", "accounts/zz-old"])
def test_an_erasure_continues_where_it_stopped(
    client: TestClient,
    sessions: SessionFactory,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    monkeypatch.setattr("app.lifecycle.steps.ROWS_PER_PAGE", 4)
    create_events(client)
    request_change(client, "DELETE", path)

    assert kill_worker_on_each_page(sessions) > 7

    assert columns_mentioning(session, [path.partition("/")[2]]) == set()


def test_a_move_continues_where_it_stopped(
    client: TestClient, sessions: SessionFactory, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lifecycle.steps.ROWS_PER_PAGE", 4)
    create_events(client)
    [before] = features(session, "zz-old")
    request_change(client, "POST", "accounts/zz-old/rename", account_id="new")

    assert kill_worker_on_each_page(sessions) > 10

    [after] = features(session, "new")
    assert (after.events, after.reached) == (before.events, before.reached) == (25, 25)


def test_a_failing_change_is_retried_later(
    client: TestClient, sessions: SessionFactory, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_events(client)
    record = request_change(client, "DELETE", "users/zz-ada")
    with monkeypatch.context() as broken:
        broken.setitem(processing.STEPS, IdChangeKind.ERASE_USER, {})
        assert not processing.process_next_page(sessions, now=LATER)

    assert process_all(sessions, now=LATER) == 0
    assert process_all(sessions, now=LATER + processing.RETRY_DELAY) > 3
    assert client.get(f"/api/v1/erasures/{record['id']}").json()["state"] == "done"
    assert calls.count_rows(session, "id_change") == 1
