"""A table that names accounts or people is gone through by every erasure, rename and merge.

A new one fails here until somebody has decided what becomes of its rows.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Column, Table, insert
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.lifecycle import account_moves, erasure
from app.tables import metadata
from tests import factories
from tests.conftest import NOW
from tests.lifecycle.id_changes import columns_mentioning, erase, move_account

OF_ACCOUNTS, OF_PEOPLE = {"account_id", "parent_id", "target_id"}, {"user_id", "anonymous_id"}

ERASED_APART = {
    "event": "the account's rows are deleted in windows of time",
    "user": "people of this account only are deleted, others are let go",
    "account_alias": "dropped with the request; every old id gets a tombstone",
    "id_change": "moves that are over lose the names",
}
MOVED_APART = {
    "account": "the row is written under the new id, gaps of the target are filled; children too",
    "user": "page by page",
    "subscription": "an id that the target has too is prefixed",
    "event": "in windows of time",
    "daily_usage": "what meets on a key is added up",
    "daily_reach": "what meets on a key is one",
    "first_use": "the earlier day stands",
    "account_alias": "chains are flattened",
    "due": "the new account is marked instead",
    "account_activity": "added up anew under the new id",
    "parked_account": "the new account is marked instead",
    "id_change": "tells that the account was moved",
}
OF_PERSON = {
    "user": "deleted; an excluded person keeps a row under the pseudonym",
    "user_alias": "under pseudonyms",
    "daily_usage": "under a pseudonym",
    "event": "under a pseudonym, without properties",
    "unattributed_event": "deleted",
    "due_binding": "deleted",
    "ticket": "under a pseudonym, without a subject",
    "survey_response": "under a pseudonym, without a comment",
    "feedback_item": "under a pseudonym, without its words",
    "person_role": "deleted",
}


def naming(columns: set[str]) -> dict[str, Table]:
    return {
        table.name: table
        for table in metadata.sorted_tables
        if columns & {column.name for column in table.columns}
    }


def value(column: Column[Any]) -> Any:  # noqa: ANN401
    """Make any value that a column takes."""
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


def fill(session: Session, table: Table, **named: str) -> None:
    """Write one row that names somebody, and nothing else that need not be."""
    row = {
        column.name: value(column)
        for column in table.columns
        if not (column.nullable or column.server_default or column.identity)
    }
    known = {column.name for column in table.columns}
    row |= {name: text for name, text in named.items() if name in known}
    session.execute(insert(table), {**row, "workspace_id": "acme"})


@pytest.fixture
def full(client: TestClient, session: Session) -> Iterator[TestClient]:
    """A workspace in which an account and a person stand in every table that can name them."""
    factories.account(session, "a1")
    for name, table in naming(OF_ACCOUNTS | OF_PEOPLE).items():
        if name not in {"account_alias", "id_change", "tombstone"}:
            fill(session, table, account_id="zz-acme", user_id="zz-ada", anonymous_id="zz-anon")
    session.commit()
    return client


def test_every_table_of_accounts_is_erased() -> None:
    handled = {table.__tablename__ for table in erasure.ACCOUNT_TABLES}

    assert handled.isdisjoint(ERASED_APART)
    assert handled | set(ERASED_APART) == set(naming(OF_ACCOUNTS))


def test_every_table_of_accounts_is_moved() -> None:
    handled = {
        table.__tablename__ for table in (*account_moves.MOVED_TABLES, *account_moves.SCORE_TABLES)
    }

    assert handled.isdisjoint(MOVED_APART)
    assert handled | set(MOVED_APART) == set(naming(OF_ACCOUNTS))


def test_every_table_of_people_is_gone_through() -> None:
    assert set(OF_PERSON) == set(naming(OF_PEOPLE))


def test_an_account_that_is_erased_stands_in_no_table(
    full: TestClient, sessions: SessionFactory, session: Session
) -> None:
    erase(full, sessions, "accounts/zz-acme")

    assert columns_mentioning(session, ["zz-acme", "zz-ada", "zz-anon"]) == set()


def test_a_person_who_is_erased_stands_in_no_table(
    full: TestClient, sessions: SessionFactory, session: Session
) -> None:
    erase(full, sessions, "users/zz-ada")

    assert columns_mentioning(session, ["zz-ada", "zz-anon"]) == set()


@pytest.mark.parametrize("verb", ["rename", "merge"])
def test_an_old_id_stands_in_no_table_but_those_that_tell_of_the_move(
    full: TestClient, sessions: SessionFactory, session: Session, verb: str
) -> None:
    body = {"account_id": "zz-new"} if verb == "rename" else {"into": "a1"}
    of_the_score = set() if verb == "rename" else {"health_history", "score_override"}

    move_account(full, sessions, "zz-acme", verb, **body)

    found = {table for table, _ in columns_mentioning(session, ["zz-acme"])}
    assert found == {"account_alias", "id_change", "audit_entry"} | of_the_score
