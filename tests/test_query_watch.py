"""Who is heard to ask the database, and what of it is judged."""

from pkgutil import resolve_name

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.accounts.queries import claim_due
from app.core.query_helpers import find_row
from app.tables import ApiKey, Plan
from tests import factories
from tests.architecture_lists import CROSS_WORKSPACE_READERS
from tests.query_watch import QueryWatch, watch_queries


@pytest.mark.parametrize("name", sorted(CROSS_WORKSPACE_READERS))
def test_who_may_read_across_workspaces_still_exists(name: str) -> None:
    assert callable(resolve_name(name))


def test_a_statement_that_names_no_workspace_fails_the_test_with_who_asks_it(
    session: Session,
) -> None:
    key = (factories.api_key(session, factories.workspace(session)),)

    with (
        pytest.raises(AssertionError, match="find_row reads all of api_key: SELECT"),
        watch_queries(QueryWatch()),
    ):
        find_row(session, ApiKey, key)


def test_a_statement_that_names_one_is_judged_once(session: Session) -> None:
    watch = QueryWatch()

    with watch_queries(watch):
        find_row(session, Plan, ("acme", "free"))
        find_row(session, Plan, ("acme", "team"))

    assert [asker for asker, _ in watch.judged] == ["app.core.query_helpers.find_row"]


def test_what_tests_ask_and_what_may_be_asked_across_workspaces_is_not_judged(
    session: Session,
) -> None:
    watch = QueryWatch()

    with watch_queries(watch):
        session.execute(text("SELECT * FROM account"))
        claim_due(session, limit=1)

    assert not watch.judged
