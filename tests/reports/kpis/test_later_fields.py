"""A segment or a start that changes later moves no figure of a past day, or is named.

``big`` pays 900 in the segment ``mid``, ``small`` pays 100 in the segment ``smb``.
"""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.imports.kinds import ImportKind
from app.imports.plan import ImportPlan
from app.tables import Account, AccountBeforeMerge
from tests import factories
from tests.conftest import NOW
from tests.events import calls
from tests.imports.files import run_import
from tests.lifecycle.id_changes import move_account
from tests.reports.kpis.test_changed_by import changes
from tests.reports.kpis.test_kpis import buy
from tests.reports.kpis.test_revenue import add_subscription, get_report

PAST, TODAY = "2026-03-10", "2026-03-18"
CREATED = datetime(2025, 6, 1, tzinfo=UTC)
WAYS = ("patch", "put", "import", "group")


@pytest.fixture(autouse=True)
def _accounts(session: Session) -> None:
    for account_id, segment, cents in (("big", "mid", 900_00), ("small", "smb", 100_00)):
        started_on = date(2026, 1, 2)
        factories.account(
            session, account_id, segment=segment, started_on=started_on, created_at=CREATED
        )
        add_subscription(session, account_id, cents, starts_on=date(2026, 1, 10))
        buy(session, account_id, "2026-01-12")
    session.commit()


def change(client: TestClient, sessions: SessionFactory, way: str, segment: str | None) -> None:
    """Set the segment of ``small``; its start stays as it is."""
    fields = {"segment": segment, "started_on": "2026-01-02"}
    if way == "group":
        traits = {"segment": segment}
        calls.ingest(client, calls.group(f"to-{segment}", "small", traits=traits))
    elif way == "import":
        rows = f"account_id,segment\nsmall,{segment or ''}\n"
        assert run_import(sessions, ImportPlan(ImportKind.ACCOUNTS), rows.encode()).state == "done"
    elif way == "put":
        assert client.put("/api/v1/accounts/small", json=fields).status_code == 200
    else:
        answer = client.patch("/api/v1/accounts/small", json={"segment": segment})
        assert answer.status_code == 200


def segments(client: TestClient, until: str) -> dict[str, float]:
    """Segment to the monthly price of its paying accounts."""
    found = get_report(client, "lifetime-value", until=until, margin=1)["segments"]
    return {each["segment"]: each["monthly_cents"] for each in found}


def reports(client: TestClient) -> dict[str, Any]:
    queries: dict[str, dict[str, Any]] = {
        "lifetime-value": {},
        "revenue-retention": {"since": "2026-01-11"},
        "cohorts": {"since": "2026-01-01"},
        "time-to-first-value": {"events": "Order Completed", "since": "2025-12-01"},
        "churn-causes": {"since": "2026-01-01"},
        "arr-at-risk": {},
        "distribution": {},
    }
    return {
        name: get_report(client, name, **(query | {"until": PAST}))
        for name, query in queries.items()
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_segment_that_is_set_today_moves_no_past_figure(
    client: TestClient, sessions: SessionFactory, way: str
) -> None:
    before = reports(client)

    change(client, sessions, way, "mid")

    assert reports(client) == before
    assert segments(client, PAST) == {"": 500_00, "mid": 900_00, "smb": 100_00}
    assert segments(client, TODAY) == {"": 500_00, "mid": 500_00}


@pytest.mark.parametrize("way", WAYS)
def test_a_first_segment_of_an_older_account_counts_from_its_day(
    client: TestClient, sessions: SessionFactory, session: Session, way: str
) -> None:
    session.get_one(Account, ("acme", "small")).segment = None
    session.commit()

    change(client, sessions, way, "smb")

    assert segments(client, PAST) == {"": 500_00, "mid": 900_00}
    assert segments(client, TODAY) == {"": 500_00, "mid": 900_00, "smb": 100_00}


@pytest.mark.parametrize("way", ["patch", "put", "import"])
def test_a_removed_segment_stays_in_the_past(
    client: TestClient, sessions: SessionFactory, way: str
) -> None:
    change(client, sessions, way, None)

    assert segments(client, PAST)["smb"] == 100_00
    assert segments(client, TODAY) == {"": 500_00, "mid": 900_00}


def test_of_several_changes_on_one_day_the_value_before_the_first_is_the_past(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    for way, segment in zip(WAYS, ("a", "b", "c", "mid"), strict=True):
        change(client, sessions, way, segment)

    assert session.query(AccountBeforeMerge).count() == 1
    assert segments(client, PAST)["smb"] == 100_00


def test_the_same_segment_again_is_no_change(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    for way in WAYS:
        change(client, sessions, way, "smb")

    assert session.query(AccountBeforeMerge).count() == 0


def test_a_change_and_a_merge_on_one_day_leave_the_past(
    client: TestClient, sessions: SessionFactory
) -> None:
    before = reports(client)
    change(client, sessions, "patch", "mid")

    move_account(client, sessions, "small", "merge", into="big")

    after = reports(client)
    for name in ("lifetime-value", "revenue-retention", "cohorts", "distribution"):
        assert after[name] == before[name]
    assert changes(after["time-to-first-value"]) == {"merges": 1}


def test_a_rename_keeps_the_past_segment(client: TestClient, sessions: SessionFactory) -> None:
    change(client, sessions, "patch", "mid")

    move_account(client, sessions, "small", "rename", account_id="tiny")

    assert segments(client, PAST) == {"": 500_00, "mid": 900_00, "smb": 100_00}


def test_a_start_that_is_corrected_today_moves_no_past_figure(
    client: TestClient, session: Session
) -> None:
    """Both started on 2 January and bought on the 12th: 10 days. Small is set to the 10th."""
    before = reports(client)
    assert before["time-to-first-value"]["value"] == 10

    answer = client.patch("/api/v1/accounts/small", json={"started_on": "2026-01-10"})

    assert answer.status_code == 200
    assert reports(client) == before
    assert session.get_one(Account, ("acme", "small")).started_on == date(2026, 1, 10)


def test_a_change_on_the_day_of_creation_counts_for_all_days_and_is_named(
    client: TestClient, sessions: SessionFactory, session: Session
) -> None:
    session.get_one(Account, ("acme", "small")).created_at = NOW
    session.commit()

    change(client, sessions, "patch", "mid")

    found = reports(client)
    assert segments(client, PAST) == {"": 500_00, "mid": 500_00}
    for name in ("lifetime-value", "time-to-first-value", "churn-causes"):
        assert changes(found[name]) == {"account_changes": 1}
    for name in ("revenue-retention", "cohorts", "arr-at-risk"):
        assert changes(found[name]) == {}, f"{name} has no segments"
    today = get_report(client, "lifetime-value", until=TODAY)
    assert changes(today) == {}
