"""Every table with account or user ids is handled by erasures, renames and merges.

A new table fails here until it is decided what happens to its rows.
"""

from datetime import date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Column, Table, insert
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.lifecycle.account_tables import ERASED_TABLES, MOVED_TABLES, SCORE_TABLES
from app.tables import metadata
from tests import factories
from tests.conftest import NOW
from tests.lifecycle.id_changes import columns_mentioning, erase, move_account

ACCOUNT_COLUMNS, USER_COLUMNS = (
    {"account_id", "parent_id", "target_id"},
    {"user_id", "anonymous_id"},
)

ERASED_BY_OTHER_STEPS = {
    "event": "deleted in windows of time",
    "user": "users of this account only are deleted, others are detached",
    "account_alias": "deleted by the request; every old id gets a tombstone",
    "id_change": "finished moves lose the ids",
}
MOVED_BY_OTHER_STEPS = {
    "account": "copied to the new id or merged into the target; children move too",
    "user": "page by page",
    "subscription": "an id that the target has too gets a prefix",
    "event": "in windows of time",
    "daily_usage": "rows with the same key are added up",
    "daily_reach": "rows with the same key become one",
    "first_use": "the earlier day wins",
    "account_alias": "chains are flattened",
    "due": "the new account is marked due instead",
    "account_activity": "computed again for the new id",
    "account_deadline": "computed again for the new id",
    "parked_account": "the new account is marked due instead",
    "id_change": "records the move",
}
USER_TABLES = {
    "user": "deleted; an excluded user keeps a row under the pseudonym",
    "user_alias": "under pseudonyms",
    "daily_usage": "under a pseudonym",
    "daily_reach": "under a pseudonym",
    "onboarding_completion": "under a pseudonym",
    "event": "under a pseudonym, without properties",
    "unattributed_event": "deleted",
    "due_attribution": "deleted",
    "ticket": "under a pseudonym, without a subject",
    "engagement_fact": "under a pseudonym, without texts",
    "survey_response": "under a pseudonym, without a comment",
    "feedback_item": "under a pseudonym, without its text",
    "person_role": "deleted",
}


def tables_with(columns: set[str]) -> dict[str, Table]:
    return {
        table.name: table
        for table in metadata.sorted_tables
        if columns & {column.name for column in table.columns}
    }


def sample_value(column: Column[Any]) -> Any:  # noqa: ANN401
    """Return a valid value of a column."""
    kind = column.type.python_type
    values: dict[type, Any] = {
        date: NOW.date(),
        datetime: NOW,
        bytes: b"x",
        dict: {},
        list: [],
        bool: False,
        str: "x",
    }
    return values.get(kind, 1)


def insert_row(session: Session, table: Table, **named: str) -> None:
    """Insert a row with these ids and only the required columns."""
    row = {
        column.name: sample_value(column)
        for column in table.columns
        if not (column.nullable or column.server_default or column.identity)
    }
    known = {column.name for column in table.columns}
    row |= {name: text for name, text in named.items() if name in known}
    session.execute(insert(table), {**row, "workspace_id": "acme"})


@pytest.fixture
def full(client: TestClient, session: Session) -> TestClient:
    """Fill every table that has account or user ids with a row of one account and one user."""
    factories.account(session, "a1")
    for name, table in tables_with(ACCOUNT_COLUMNS | USER_COLUMNS).items():
        if name not in {"account_alias", "id_change", "tombstone"}:
            insert_row(
                session, table, account_id="zz-acme", user_id="zz-ada", anonymous_id="zz-anon"
            )
    session.commit()
    return client


def test_every_table_of_accounts_is_erased() -> None:
    handled = {table.__tablename__ for table in ERASED_TABLES}

    assert handled.isdisjoint(ERASED_BY_OTHER_STEPS)
    assert handled | set(ERASED_BY_OTHER_STEPS) == set(tables_with(ACCOUNT_COLUMNS))


def test_every_table_of_accounts_is_moved() -> None:
    handled = {table.__tablename__ for table in (*MOVED_TABLES, *SCORE_TABLES)}

    assert handled.isdisjoint(MOVED_BY_OTHER_STEPS)
    assert handled | set(MOVED_BY_OTHER_STEPS) == set(tables_with(ACCOUNT_COLUMNS))


def test_every_table_of_users_is_handled() -> None:
    assert set(USER_TABLES) == set(tables_with(USER_COLUMNS))


def test_an_erased_account_is_in_no_table(
    full: TestClient, sessions: SessionFactory, session: Session
) -> None:
    erase(full, sessions, "accounts/zz-acme")

    assert columns_mentioning(session, ["zz-acme", "zz-ada", "zz-anon"]) == set()


def test_an_erased_user_is_in_no_table(
    full: TestClient, sessions: SessionFactory, session: Session
) -> None:
    erase(full, sessions, "users/zz-ada")

    assert columns_mentioning(session, ["zz-ada", "zz-anon"]) == set()


@pytest.mark.parametrize("verb", ["rename", "merge"])
def test_an_old_id_is_only_in_the_tables_that_record_the_move(
    full: TestClient, sessions: SessionFactory, session: Session, verb: str
) -> None:
    body = {"account_id": "zz-new"} if verb == "rename" else {"into": "a1"}
    answers = {"survey_response", "feedback_item"}
    merged = {"account_before_merge", "health_history", "score_override", "subscription", *answers}

    move_account(full, sessions, "zz-acme", verb, **body)

    tables = {table for table, _ in columns_mentioning(session, ["zz-acme"])}
    records = {"account_alias", "id_change", "audit_entry"}
    assert tables == (records if verb == "rename" else records | merged)
