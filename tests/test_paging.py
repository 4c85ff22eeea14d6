"""Every list that is read one row at a time has the rows of the whole list, each once."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Column, Engine, Table, insert, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.postgres.engines import open_engine
from app.tables import metadata
from tests.conftest import CreateDatabase, client_of
from tests.other_tenant import OtherTenant, create_other_tenant, request
from tests.query_watch import QueryWatch, watch_queries
from tests.test_openapi import API, OPERATIONS

LISTS = [
    name
    for name in API
    if name.startswith("GET ")
    and "cursor" in {each["name"] for each in OPERATIONS[name].get("parameters", [])}
]
OWN_PARENTS = {
    "GET /api/v1/imports/{import_id}/errors",
    "GET /api/v1/notes/{note_id}/versions",
    "GET /api/v1/webhook-endpoints/{endpoint_id}/deliveries",
    "GET /api/v1/webhook-endpoints/{endpoint_id}/deliveries/{message_id}/attempts",
}
"""Lists below an id that the service generates: their cursors are whole keys below that id."""
FEED = "GET /api/v1/changes"
"""Its cursor is a place in the order of commits."""
SHIFTS: dict[type, Any] = {str: "2", int: 1000, float: 1.0}


@pytest.fixture(scope="module")
def tenant(
    databases: CreateDatabase, migrated: str, app: FastAPI, watch: QueryWatch
) -> Iterator[OtherTenant]:
    """A tenant that has one of every resource."""
    engine = open_engine(databases("paging", template=migrated), pool_size=20)
    with watch_queries(watch):
        key = create_other_tenant(engine, app)
    yield OtherTenant(engine, key)
    engine.dispose()


@pytest.fixture
def engine(tenant: OtherTenant) -> Engine:
    return tenant.engine


def multiply_rows(session: Session) -> None:
    """Copy each row with another value in one column of its key: the other columns are ties."""
    for table in metadata.sorted_tables:
        if "workspace_id" in table.columns:
            for column in table.primary_key.columns:
                copy_rows(session, table, column)


def copy_rows(session: Session, table: Table, changed: Column[Any]) -> None:
    if changed.name == "workspace_id":
        return
    columns = [column for column in table.columns if not column.identity or column is changed]
    kind = changed.type.python_type
    shift = SHIFTS.get(kind)
    if changed.identity:
        columns.remove(changed)
    elif kind is date:
        shift = -1
    values = [
        (column + literal(shift)) if column is changed and shift is not None else column
        for column in columns
    ]
    rows = select(*values).where(table.columns.workspace_id == "other").limit(3)
    try:
        with session.begin_nested():
            session.execute(insert(table).from_select([each.name for each in columns], rows))
    except DBAPIError:
        return  # a key that refers to another row, or a time


def read_all(client: TestClient, name: str, limit: int) -> list[Any]:
    items: list[Any] = []
    cursor: str | None = None
    while True:
        params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = request(client, name, params=params)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        items += body["items"]
        cursor = body["next_cursor"]
        if cursor is None:
            return items


@pytest.mark.parametrize("name", sorted({*LISTS} - OWN_PARENTS - {FEED}))
def test_each_row_comes_once(
    client: TestClient, session: Session, tenant: OtherTenant, name: str
) -> None:
    multiply_rows(session)
    session.commit()
    theirs = client_of(client, tenant.key)

    assert read_all(theirs, name, 1) == read_all(theirs, name, 100)
