"""The feed is complete and in order for a reader who polls while others write."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.changes.queries import NewChange, record_changes
from app.core.db import SessionFactory, create_session_factory, transaction
from app.core.postgres.engines import open_engine
from app.core.settings import Settings
from app.main import Storage, create_app
from tests import factories
from tests.conftest import NOW

WRITERS, TIMES = 8, 40


@pytest.fixture
def reader(committed: SessionFactory) -> Iterator[TestClient]:
    with transaction(committed) as session:
        key = factories.api_key(session, factories.workspace(session))
    engine = committed.kw["bind"]
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    alone = create_session_factory(open_engine(url, pool_size=2, autocommit=True))
    app = create_app(Storage(committed, alone), Settings(_env_file=None), lambda: NOW)
    with TestClient(app, headers={"Authorization": f"Bearer {key}"}) as reader:
        yield reader


def write(sessions: SessionFactory, *numbers: object) -> None:
    with transaction(sessions) as session:
        changes = [NewChange("score", f"a{number}", {"n": str(number)}) for number in numbers]
        record_changes(session, "acme", changes, now=NOW)


def poll(reader: TestClient, cursor: str | None, **query: Any) -> tuple[list[str], str]:  # noqa: ANN401
    params = {"limit": 7} | ({"cursor": cursor} if cursor else {}) | query
    answer = reader.get("/api/v1/changes", params=params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return [item["data"]["n"] for item in body["items"]], body["next_cursor"]


def test_a_change_is_not_returned_before_older_transactions_have_ended(
    committed: SessionFactory, reader: TestClient
) -> None:
    _, cursor = poll(reader, None)
    with transaction(committed) as older:
        record_changes(older, "acme", [NewChange("score", "a1", {"n": "older"})], now=NOW)
        write(committed, "younger")

        assert poll(reader, cursor)[0] == []

    assert poll(reader, cursor)[0] == ["older", "younger"]


def test_a_rolled_back_change_is_never_returned(
    committed: SessionFactory, reader: TestClient
) -> None:
    with committed() as session:
        record_changes(session, "acme", [NewChange("score", "a1", {"n": "lost"})], now=NOW)
        session.rollback()
    write(committed, "committed")

    assert poll(reader, None)[0] == ["committed"]


def test_a_poller_sees_every_change_of_eight_writers_exactly_once(
    committed: SessionFactory, reader: TestClient
) -> None:
    def writer(name: int) -> None:
        for time in range(TIMES):
            write(committed, f"{name}-{time}", f"{name}-{time}b")

    numbers: list[str] = []
    cursor: str | None = None
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(writer, name) for name in range(WRITERS)]
        while wait(writers, timeout=0).not_done:
            page, cursor = poll(reader, cursor)
            numbers += page
    numbers += read_rest(reader, cursor)

    sent = [
        f"{name}-{time}{part}"
        for name in range(WRITERS)
        for time in range(TIMES)
        for part in ("", "b")
    ]
    assert sorted(numbers) == sorted(sent)
    assert numbers == read_rest(reader, None)
    for name in range(WRITERS):
        own = [each for each in numbers if each.startswith(f"{name}-")]
        assert own == [each for each in sent if each.startswith(f"{name}-")]


def read_rest(reader: TestClient, cursor: str | None) -> list[str]:
    """Read to the end, after all writers have ended."""
    everything: list[str] = []
    while True:
        page, cursor = poll(reader, cursor)
        everything += page
        if not page:
            return everything


def test_a_reader_can_begin_at_this_moment(committed: SessionFactory, reader: TestClient) -> None:
    write(committed, "before")
    numbers, cursor = poll(reader, None, start="now")
    write(committed, "after")

    assert numbers == []
    assert poll(reader, cursor)[0] == ["after"]


def test_a_reader_that_begins_today_gets_what_is_committed_from_then_on(
    committed: SessionFactory, reader: TestClient
) -> None:
    """No change is at or after 12:01 yet. One being written comes later, the old one not."""
    write(committed, "old")
    with committed() as session:
        record_changes(session, "acme", [NewChange("score", "a1", {"n": "running"})], now=NOW)
        session.flush()
        numbers, cursor = poll(reader, None, since="2026-03-18T12:01:00Z")
        session.commit()
    write(committed, "new")

    assert numbers == []
    assert poll(reader, cursor)[0] == ["running", "new"]
