"""Which statements the query watch checks, and what it reports."""

from pkgutil import resolve_name

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import claim_due
from app.core.query_helpers import find_row
from app.tables import ApiKey, Plan
from tests import factories
from tests.architecture_lists import CROSS_WORKSPACE_READERS
from tests.query_watch import QueryWatch, watch_queries


@pytest.mark.parametrize("name", sorted(CROSS_WORKSPACE_READERS))
def test_every_cross_workspace_reader_exists(name: str) -> None:
    assert callable(resolve_name(name))


def test_a_statement_without_a_workspace_fails_the_test_and_names_its_caller(
    session: Session,
) -> None:
    key = (factories.api_key(session, factories.workspace(session)),)

    with (
        pytest.raises(AssertionError, match="find_row reads all of api_key: SELECT"),
        watch_queries(QueryWatch()),
    ):
        find_row(session, ApiKey, key)


def test_a_statement_with_a_workspace_is_checked_once(session: Session) -> None:
    watch = QueryWatch()

    with watch_queries(watch):
        find_row(session, Plan, ("acme", "free"))
        find_row(session, Plan, ("acme", "team"))

    assert [caller for caller, _ in watch.checked] == ["app.core.query_helpers.find_row"]


def test_statements_of_tests_and_of_cross_workspace_readers_are_not_checked(
    session: Session,
) -> None:
    watch = QueryWatch()

    with watch_queries(watch):
        session.execute(text("SELECT * FROM account"))
        claim_due(session, limit=1)

    assert not watch.checked
