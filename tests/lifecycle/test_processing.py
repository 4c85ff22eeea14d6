"""A worker that is killed in the middle costs nothing but the page that it was at."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.lifecycle import processing
from app.lifecycle.kinds import IdChangeKind
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
    """Not an ``Exception``, as a signal is none."""


def live(client: TestClient) -> None:
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


def do_page_and_die(sessions: SessionFactory) -> None:
    with transaction(sessions) as session:
        processing._work(session, [], LATER)  # noqa: SLF001 - the point where it is killed
        raise KilledError


def killed_after_each_page(sessions: SessionFactory) -> int:
    """Let each page be done twice: first by a worker that dies just before it commits."""
    pages = 0
    while True:
        with pytest.raises(KilledError):
            do_page_and_die(sessions)
        if not processing.process_next_page(sessions, now=LATER):
            return pages
        pages += 1


@pytest.mark.parametrize("path", ["users/zz-ada", "accounts/zz-old"])
def test_an_erasure_goes_on_where_it_was(
    client: TestClient,
    sessions: SessionFactory,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    monkeypatch.setattr("app.lifecycle.steps.ROWS_AT_ONCE", 4)
    live(client)
    request_change(client, "DELETE", path)

    assert killed_after_each_page(sessions) > 7

    assert columns_mentioning(session, [path.partition("/")[2]]) == set()


def test_a_move_goes_on_where_it_was(
    client: TestClient, sessions: SessionFactory, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lifecycle.steps.ROWS_AT_ONCE", 4)
    live(client)
    [before] = features(session, "zz-old")
    request_change(client, "POST", "accounts/zz-old/rename", account_id="new")

    assert killed_after_each_page(sessions) > 10

    [after] = features(session, "new")
    assert (after.events, after.reached) == (before.events, before.reached) == (25, 25)


def test_a_change_that_fails_is_tried_again_later_and_holds_nobody_else_up(
    client: TestClient, sessions: SessionFactory, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(client)
    said = request_change(client, "DELETE", "users/zz-ada")
    with monkeypatch.context() as broken:
        broken.setitem(processing.STEPS, IdChangeKind.ERASE_USER, {})
        assert not processing.process_next_page(sessions, now=LATER)

    assert process_all(sessions, now=LATER) == 0
    assert process_all(sessions, now=LATER + processing.RETRY_DELAY) > 3
    assert client.get(f"/api/v1/erasures/{said['id']}").json()["state"] == "done"
    assert calls.count_rows(session, "id_change") == 1
