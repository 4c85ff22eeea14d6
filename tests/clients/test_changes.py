"""A follower of the change feed whose checkpoints are written with its work."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from customer_health import AsyncClient, Client, models
from sqlalchemy.orm import Session

from app.changes import queries
from app.changes.queries import NewChange
from tests.clients.conftest import RunAsync
from tests.conftest import NOW

PAGE = 2


class CrashError(Exception):
    pass


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The database of the caller: what it has made of the changes, and how far it is."""
    with closing(sqlite3.connect(tmp_path / "copy.db")) as database:
        database.execute("CREATE TABLE work (number INTEGER)")
        database.execute("CREATE TABLE checkpoint (cursor TEXT)")
        database.execute("INSERT INTO checkpoint VALUES (NULL)")
        database.commit()
        yield database


def record(session: Session, numbers: Sequence[int]) -> None:
    changes = [NewChange("score", "acme", {"value": number}) for number in numbers]
    queries.record_changes(session, "acme", changes, now=NOW)
    session.commit()


def apply(copy: sqlite3.Connection, page: models.ChangesOut, before: str | None) -> bool:
    """Do the work of a page and move the checkpoint, unless another follower was faster."""
    moved = copy.execute(
        "UPDATE checkpoint SET cursor = ? WHERE cursor IS ?", [page["next_cursor"], before]
    )
    if moved.rowcount == 0:
        return False
    rows = [(each["data"]["value"],) for each in page["items"]]
    copy.executemany("INSERT INTO work VALUES (?)", rows)
    return True


def checkpoint(copy: sqlite3.Connection) -> str | None:
    [[cursor]] = copy.execute("SELECT cursor FROM checkpoint")
    return None if cursor is None else str(cursor)


def work(copy: sqlite3.Connection) -> list[int]:
    return [number for [number] in copy.execute("SELECT number FROM work ORDER BY rowid")]


def follow(api: Client, copy: sqlite3.Connection, *, crash_after: int = 99) -> None:
    """Follow the feed; crash after some pages, when the work is done and nothing is committed."""
    cursor = checkpoint(copy)
    for number, page in enumerate(api.follow_changes(cursor, limit=PAGE)):
        with copy:
            apply(copy, page, cursor)
            if number == crash_after:
                raise CrashError
        cursor = page["next_cursor"]


def test_each_change_is_worked_on_once_wherever_the_follower_crashes(
    api: Client, session: Session, copy: sqlite3.Connection
) -> None:
    record(session, range(7))

    for crash_after in (0, 1, 0, 2):  # in the 1st page; in the 2nd; in the 2nd; in the 4th
        with pytest.raises(CrashError):
            follow(api, copy, crash_after=crash_after)
    assert work(copy) == [0, 1, 2, 3, 4, 5]
    follow(api, copy)
    record(session, [7])
    follow(api, copy)
    follow(api, copy)

    assert work(copy) == [*range(8)]


def test_of_two_followers_one_does_the_work_of_a_page(
    api: Client, session: Session, copy: sqlite3.Connection
) -> None:
    record(session, range(3))
    before = checkpoint(copy)
    first, second = (next(api.follow_changes(before, limit=PAGE)) for _ in range(2))

    assert apply(copy, first, before)
    assert not apply(copy, second, before)
    assert work(copy) == [0, 1]


def test_it_starts_now_or_at_the_oldest_change_and_selects_types(
    api: Client, session: Session
) -> None:
    record(session, range(3))
    [now], [oldest] = api.follow_changes(start="now"), api.follow_changes(start="oldest")
    record(session, [3])

    [later] = api.follow_changes(oldest["next_cursor"], start="now")
    pages = [now["items"], oldest["items"], later["items"]]
    assert [[each["data"]["value"] for each in page] for page in pages] == [[], [0, 1, 2], [3]]
    [alerts] = api.follow_changes(types="alert")
    assert alerts["items"] == []


def test_it_goes_on_with_changes_that_come_later(
    api: Client, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        record(session, [len(waits)])

    monkeypatch.setattr(api, "_sleep", wait)
    record(session, [0])
    feed = api.follow_changes(every=30)
    pages = [next(feed) for _ in range(3)]

    assert [each["data"]["value"] for page in pages for each in page["items"]] == [0, 1, 2]
    assert waits == [30, 30]


def test_the_asynchronous_client_follows_too(run_async: RunAsync[int], session: Session) -> None:
    record(session, range(5))

    async def count(api: AsyncClient) -> int:
        return sum([len(page["items"]) async for page in api.follow_changes(limit=PAGE)])

    assert run_async(count) == 5
