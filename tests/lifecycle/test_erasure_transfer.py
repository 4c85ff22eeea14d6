"""A restored backup does not bring erased people back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, create_session_factory, transaction
from app.core.postgres.engines import open_engine
from app.lifecycle.erasure_transfer import (
    ErasureFileError,
    export_erasures,
    read_erasures,
    reapply_erasures,
)
from app.main import Storage, create_app
from tests import factories
from tests.conftest import NOW, SETTINGS, CreateDatabase
from tests.events.calls import counts, group, identify, ingest, track
from tests.lifecycle.id_changes import columns_mentioning, erase, process_all

RESTORED_AT = NOW + timedelta(hours=1)
Restore = Callable[[], SessionFactory]


@contextmanager
def served(sessions: SessionFactory, key: str) -> Iterator[TestClient]:
    app = create_app(Storage(sessions, sessions), SETTINGS, lambda: NOW)
    with TestClient(app, headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


@pytest.fixture
def restored(databases: CreateDatabase, committed: SessionFactory) -> Iterator[Restore]:
    """Return a function that makes a copy of the database, as a backup that is restored."""
    engines = []

    def copy() -> SessionFactory:
        committed.kw["bind"].dispose()
        engines.append(open_engine(databases("restored", template="committed"), pool_size=4))
        return create_session_factory(engines[-1])

    yield copy
    for engine in engines:
        engine.dispose()


def make_key(sessions: SessionFactory) -> str:
    with transaction(sessions) as session:
        return factories.api_key(session, factories.workspace(session))


def add_people(client: TestClient) -> None:
    ingest(
        client,
        group("g1", "acme-inc", userId="ayla"),
        group("g2", "gone-inc", userId="bob"),
        identify("i1", userId="ayla", anonymousId="ayla-phone", traits={"email": "ayla@x.example"}),
        track("m1", userId="ayla", context={"groupId": "acme-inc"}),
        track("m2", userId="bob", context={"groupId": "gone-inc"}),
        track("m3", userId="eve", context={"groupId": "acme-inc"}),
    )


def export(sessions: SessionFactory) -> list[bytes]:
    with transaction(sessions) as session:
        return list(export_erasures(session))


def test_erasures_since_the_backup_are_repeated_in_it(
    committed: SessionFactory, restored: Restore
) -> None:
    """Ayla and the account of Bob are in the backup. Zoe came and was erased after it."""
    key = make_key(committed)
    with served(committed, key) as client:
        add_people(client)
    backup = restored()
    with served(committed, key) as client:
        ingest(client, identify("i2", userId="zoe", traits={"email": "zoe@x.example"}))
        for path in ("users/ayla", "accounts/gone-inc", "users/zoe"):
            erase(client, committed, path)
    lines = export(committed)
    assert not any(name in b"".join(lines) for name in (b'"ayla"', b"gone-inc", b"zoe"))

    done = reapply_erasures(backup, read_erasures(lines), now=RESTORED_AT)
    process_all(backup, now=RESTORED_AT + timedelta(minutes=1))

    assert asdict(done) == {
        "known": 0,
        "repeated": 2,
        "refused": 1,
        "no_workspace": 0,
        "other_key": 0,
    }
    with transaction(backup) as session:
        assert columns_mentioning(session, ["ayla", "gone-inc", "zoe", "bob"]) <= {
            ("event", "message_id")
        }
    with served(backup, key) as client:
        late = [track(f"l-{name}", userId=name, context={}) for name in ("ayla", "zoe", "bob")]
        receipt = ingest(client, *late, track("l-eve", userId="eve"))
        assert (receipt["erased"], counts(receipt)) == (3, (1, 0, 0))
        states = [each["state"] for each in client.get("/api/v1/erasures").json()["items"]]
        assert states == ["done"] * 3


def test_a_second_run_changes_nothing(committed: SessionFactory, restored: Restore) -> None:
    key = make_key(committed)
    with served(committed, key) as client:
        add_people(client)
    backup = restored()
    with served(committed, key) as client:
        erase(client, committed, "users/ayla")
    erasures = read_erasures(export(committed))
    reapply_erasures(backup, erasures, now=RESTORED_AT)
    process_all(backup, now=RESTORED_AT + timedelta(minutes=1))
    before = state(backup)

    again = reapply_erasures(backup, erasures, now=RESTORED_AT + timedelta(days=1))

    assert (again.known, again.repeated, again.refused) == (1, 0, 0)
    assert state(backup) == before


def state(sessions: SessionFactory) -> list[tuple[object, ...]]:
    query = "SELECT id, state.* FROM (SELECT count(*) FROM tombstone) AS state, id_change"
    with transaction(sessions) as session:
        return [tuple(row) for row in session.execute(text(query))]


def test_an_erasure_of_another_workspace_or_key_is_reported(
    session: Session, sessions: SessionFactory
) -> None:
    factories.workspace(session)
    session.connection().exec_driver_sql("UPDATE workspace SET erasure_key = 'other'")
    session.commit()
    line = (
        b'{"workspace_id":"%s","key":"00","id":"er_1","kind":"erase_user","requested_by":"key:k",'
        b'"requested_at":"2026-03-01T00:00:00Z","tombstones":[{"kind":"user","hash":"00"}]}'
    )
    erasures = read_erasures([line % b"acme", line % b"unknown"])

    done = reapply_erasures(sessions, erasures, now=NOW)

    assert (done.other_key, done.no_workspace, done.refused) == (1, 1, 0)


@pytest.mark.parametrize("line", [b"", b"{}", b"[1]", b"not json"])
def test_another_file_is_refused_with_its_line(line: bytes) -> None:
    with pytest.raises(ErasureFileError, match="Line 1 is no erasure"):
        read_erasures([line])
