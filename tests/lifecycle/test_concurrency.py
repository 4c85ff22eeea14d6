"""Events that arrive while an account is moved or erased are neither lost nor left behind."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.accounts.past_fields import keep_before_changes
from app.core.db import SessionFactory, transaction
from app.core.settings import Settings
from app.events.ingestion import service
from app.events.ingestion.event_names import KnownEventNames
from app.events.ingestion.queries import BatchOrigin
from app.events.reading import native
from app.events.reading.batch import Batch
from app.events.reading.canonical import EventRules
from app.lifecycle import processing
from app.lifecycle.service import merge_accounts
from app.main import Storage, create_app
from app.tables import Account, AccountBeforeMerge
from app.workspaces.service import Actor
from tests import factories
from tests.conftest import NOW
from tests.lifecycle.id_changes import LATER, process_all, request_change
from tests.lock_waits import wait_until_blocked

WRITERS, BATCHES, SIZE = 3, 12, 10


@pytest.fixture
def acme(committed: SessionFactory) -> Iterator[TestClient]:
    with transaction(committed) as session:
        key = factories.api_key(session, factories.workspace(session))
    app = create_app(Storage(committed, committed), Settings(_env_file=None), lambda: NOW)
    with TestClient(app, headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


def write(committed: SessionFactory, writer: int, begun: Signal, requested: Signal) -> int:
    """Send batches of one user, half of them without an account; return the accepted events.

    The last batch is sent when the change has been requested and has begun.
    """
    store = service.IngestTarget(committed, committed, KnownEventNames())
    policy = service.IngestPolicy(EventRules(), "USD", NOW.replace(year=2020))
    accepted = 0
    for batch in range(BATCHES):
        if batch == BATCHES - 1:
            requested.wait(timeout=120)
        events = [
            {
                "event": "Export",
                "message_id": f"{writer}-{batch}-{n}",
                "timestamp": NOW.isoformat(),
                "user_id": f"u{writer}",
                "end_customer_id": f"c{batch}",
                **({"account_id": "old"} if batch % 2 == 0 else {}),
            }
            for n in range(SIZE)
        ]
        origin = BatchOrigin("acme", "key", NOW)
        receipt = service.ingest_batch(
            store, origin, Batch(events), native.parse_call, policy, request_id=""
        )
        accepted += receipt.accepted
        begun.set()
    return accepted


def next_step(committed: SessionFactory) -> str | None:
    """Return the current step of the only change."""
    with transaction(committed) as session:
        step: str | None = session.scalar(text("SELECT step FROM id_change"))
        return step


def count(committed: SessionFactory, query: str) -> int:
    with transaction(committed) as session:
        return int(session.scalar(text(query)) or 0)


@pytest.mark.parametrize("verb", ["rename", "merge"])
def test_events_during_a_move_are_all_counted(
    committed: SessionFactory, acme: TestClient, verb: str
) -> None:
    acme.put("/api/v1/accounts/old", json={})
    for writer in range(WRITERS):
        acme.put(f"/api/v1/users/u{writer}", json={"account_id": "old"})
    if verb == "merge":
        acme.put("/api/v1/accounts/new", json={})
    begun, requested = Signal(), Signal()
    with ThreadPoolExecutor(WRITERS) as threads:
        written = [threads.submit(write, committed, n, begun, requested) for n in range(WRITERS)]
        begun.wait()
        body = {"account_id": "new"} if verb == "rename" else {"into": "new"}
        request_change(acme, "POST", f"accounts/old/{verb}", **body)
        processing.process_next_page(committed, now=LATER)
        requested.set()
        while not all(each.done() for each in written):
            processing.process_next_page(committed, now=LATER)
        accepted = sum(each.result() for each in written)
    process_all(committed)

    assert accepted == WRITERS * BATCHES * SIZE
    assert count(committed, "SELECT count(*) FROM id_change WHERE step IS NOT NULL") == 0
    where = "WHERE account_id = 'new'"
    assert count(committed, f"SELECT count(*) FROM event {where}") == accepted  # noqa: S608
    assert count(committed, f"SELECT sum(events) FROM daily_usage {where}") == accepted  # noqa: S608
    reached = "SELECT count(DISTINCT end_customer_id) FROM daily_reach"
    assert count(committed, f"{reached} {where}") == BATCHES
    assert count(committed, f'SELECT count(*) FROM "user" {where}') == WRITERS  # noqa: S608
    assert count(committed, "SELECT count(*) FROM account WHERE account_id = 'old'") == 0


def test_events_during_an_erasure_leave_nothing_behind(
    committed: SessionFactory, acme: TestClient
) -> None:
    acme.put("/api/v1/accounts/old", json={})
    for writer in range(WRITERS):
        acme.put(f"/api/v1/users/u{writer}", json={"account_id": "old"})
    begun, requested = Signal(), Signal()
    with ThreadPoolExecutor(WRITERS) as threads:
        written = [threads.submit(write, committed, n, begun, requested) for n in range(WRITERS)]
        begun.wait()
        request_change(acme, "DELETE", "accounts/old")
        processing.process_next_page(committed, now=LATER)
        requested.set()
        while not all(each.done() for each in written):
            processing.process_next_page(committed, now=LATER)
        accepted = sum(each.result() for each in written)
    process_all(committed)

    assert accepted < WRITERS * BATCHES * SIZE
    assert count(committed, "SELECT count(*) FROM id_change WHERE step IS NOT NULL") == 0
    for table in ("event", "daily_usage", "daily_reach", '"user"', "account", "unattributed_event"):
        assert count(committed, f"SELECT count(*) FROM {table}") == 0, table  # noqa: S608


def test_a_change_waits_for_transactions_that_began_before_it(
    committed: SessionFactory, acme: TestClient
) -> None:
    acme.put("/api/v1/accounts/old", json={})
    record = request_change(acme, "POST", "accounts/old/rename", account_id="new")
    with committed.begin() as slow:
        slow.execute(text("SELECT 1"))
        assert processing.process_next_page(committed, now=LATER), "the fence is set"
        assert not processing.process_next_page(committed, now=LATER), (
            "a transaction began before the fence"
        )
        assert acme.get(f"/api/v1/account-moves/{record['id']}").json()["state"] == "running"

    assert processing.process_next_page(committed, now=LATER)


def test_an_erasure_waits_for_transactions_that_began_while_it_ran(
    committed: SessionFactory, acme: TestClient
) -> None:
    """Such a transaction may have read the id and write it again."""
    acme.put("/api/v1/users/ada", json={})
    record = request_change(acme, "DELETE", "users/ada")
    while next_step(committed) != "usage":
        assert processing.process_next_page(committed, now=LATER)
    with committed.begin() as slow:
        slow.execute(text("SELECT 1"))
        process_all(committed)
        assert next_step(committed) == "finish"
        assert acme.get(f"/api/v1/erasures/{record['id']}").json()["state"] == "running"

    process_all(committed)
    assert acme.get(f"/api/v1/erasures/{record['id']}").json()["state"] == "done"


def test_of_two_merges_into_each_other_only_one_succeeds(
    committed: SessionFactory, acme: TestClient
) -> None:
    acme.put("/api/v1/accounts/a1", json={})
    acme.put("/api/v1/accounts/a2", json={})
    with ThreadPoolExecutor(2) as threads:
        answers = list(
            threads.map(
                lambda pair: (
                    acme.post(
                        f"/api/v1/accounts/{pair[0]}/merge", json={"into": pair[1]}
                    ).status_code
                ),
                [("a1", "a2"), ("a2", "a1")],
            )
        )
    process_all(committed)

    assert answers.count(202) == 1
    assert count(committed, "SELECT count(*) FROM account") == 1


def test_a_merge_waits_for_a_change_of_a_segment_and_the_change_does_not_wait_for_it(
    committed: SessionFactory,
) -> None:
    """The change notes the old segment before it locks the account, and so does the merge."""
    with transaction(committed) as session:
        factories.account(session, "old", segment="smb")
        factories.account(session, "new")

    def merge() -> None:
        with transaction(committed) as session:
            merge_accounts(session, Actor("acme", "kim", NOW), "old", "new")

    with ThreadPoolExecutor(1) as pool:
        with transaction(committed) as session:
            changes = [("old", {"segment": "mid"})]
            keep_before_changes(session, "acme", changes, today=NOW.date())
            merged = pool.submit(merge)
            wait_until_blocked(session)
            session.get_one(Account, ("acme", "old"), with_for_update=True).segment = "mid"
        merged.result()

    with transaction(committed) as session:
        rows = session.query(AccountBeforeMerge).order_by(AccountBeforeMerge.account_id).all()
        assert [(row.account_id, row.segment, row.is_source) for row in rows] == [
            ("new", None, False),
            ("old", "smb", True),
        ]
        assert session.get_one(Account, ("acme", "new")).segment == "mid"
