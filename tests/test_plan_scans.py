"""Statements that are limited to a workspace pass; statements that are not are found."""
# ruff: noqa: S608 - the statements are constants of this file

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.postgres import partitions
from tests.conftest import NOW
from tests.plan_scans import equalities, unbound_tables

MINE = "SELECT * FROM account WHERE workspace_id = 'acme'"
SAME = "s.workspace_id = a.workspace_id AND s.account_id = a.account_id"
BOTH = """
(SELECT workspace_id, account_id FROM account UNION ALL
 SELECT workspace_id, account_id FROM subscription) u
"""

WITH_WORKSPACE = {
    "a condition": MINE,
    "a condition that holds brackets": f"{MINE} AND name = 'a'') AND (b'",
    "a condition that uses no index": "SELECT * FROM event WHERE workspace_id || '' = 'acme'",
    "a key of the workspace itself": "SELECT * FROM workspace WHERE id = 'acme'",
    "an inner join": f"SELECT * FROM account a JOIN subscription s ON {SAME}"
    " WHERE s.workspace_id = 'acme'",
    "an outer join": f"SELECT * FROM account a LEFT JOIN subscription s ON {SAME}"
    " WHERE a.workspace_id = 'acme'",
    "an anti join": "SELECT * FROM account a WHERE workspace_id = 'acme'"
    f" AND NOT EXISTS (SELECT FROM subscription s WHERE {SAME})",
    "a correlated subquery": f"SELECT (SELECT max(seats) FROM subscription s WHERE {SAME})"
    " FROM account a WHERE workspace_id = 'acme'",
    "a lateral subquery": "SELECT * FROM account a, LATERAL (SELECT * FROM subscription s"
    f" WHERE {SAME} LIMIT 1) last WHERE a.workspace_id = 'acme'",
    "a CTE": f"WITH mine AS MATERIALIZED ({MINE}) SELECT * FROM mine a"
    f" JOIN subscription s ON {SAME}",
    "a union": f"SELECT * FROM {BOTH} WHERE workspace_id = 'acme'",
    "a union in a join": f"WITH mine AS MATERIALIZED ({MINE})"
    f" SELECT mine.name FROM {BOTH} JOIN mine USING (workspace_id, account_id)",
    "a recursion": "WITH RECURSIVE family AS ("
    " SELECT workspace_id, account_id FROM account WHERE workspace_id = 'acme'"
    " UNION SELECT a.workspace_id, a.account_id FROM account a JOIN family f"
    " ON f.workspace_id = a.workspace_id AND f.account_id = a.parent_id) SELECT * FROM family",
    "partitions": "SELECT * FROM event WHERE workspace_id = 'acme'",
    "partitions in a join": f"WITH mine AS MATERIALIZED ({MINE})"
    " SELECT e.name FROM mine JOIN event e USING (workspace_id, account_id)",
    "a function": "SELECT * FROM unnest(ARRAY['acme'], ARRAY['a']) AS due (w, a)"
    " JOIN account a ON a.workspace_id = due.w AND a.account_id = due.a",
    "an update": "UPDATE account SET name = 'A' WHERE workspace_id = 'acme'",
    "constant rows": "INSERT INTO workspace (id, name) SELECT 'new', 'New'",
    "tables of the database": "SELECT * FROM pg_class",
}

WITHOUT_WORKSPACE = {
    "no condition": ("SELECT * FROM account WHERE account_id = 'a'", {"account"}),
    "no condition on workspaces": ("SELECT * FROM workspace WHERE name = 'A'", {"workspace"}),
    "one of several workspaces": (
        "SELECT * FROM account WHERE workspace_id = ANY ('{acme,other}')",
        {"account"},
    ),
    "all but one workspace": ("SELECT * FROM account WHERE workspace_id <> 'acme'", {"account"}),
    "perhaps a workspace": (
        "SELECT * FROM account WHERE workspace_id = 'acme' OR name = 'A'",
        {"account"},
    ),
    "another column of the same name": (
        "SELECT * FROM account WHERE workspace_id = account_id",
        {"account"},
    ),
    "one side of a join": (
        (
            "SELECT * FROM account a JOIN subscription s USING (account_id)"
            " WHERE a.workspace_id = 'acme'"
        ),
        {"subscription"},
    ),
    "a join of what is not bound": (
        f"SELECT * FROM account a JOIN subscription s ON {SAME} WHERE a.name = 'A'",
        {"account", "subscription"},
    ),
    "the other side of an outer join": (
        f"SELECT * FROM account a LEFT JOIN subscription s ON {SAME} AND s.workspace_id = 'acme'",
        {"account"},
    ),
    "a full join": (
        (
            "SELECT * FROM account a FULL JOIN (SELECT * FROM subscription"
            " WHERE workspace_id = 'acme') s USING (workspace_id, account_id)"
        ),
        {"account"},
    ),
    "a subquery": (
        f"{MINE} AND name = (SELECT max(name) FROM product_feature)",
        {"product_feature"},
    ),
    "a subquery of several columns": (
        (
            f"{MINE} AND (workspace_id, account_id)"
            " NOT IN (SELECT workspace_id, account_id FROM subscription)"
        ),
        {"subscription"},
    ),
    "a CTE": (
        (
            "WITH largest AS MATERIALIZED (SELECT * FROM account ORDER BY employees LIMIT 5)"
            " SELECT * FROM largest WHERE workspace_id = 'acme'"
        ),
        {"account"},
    ),
    "one part of a union": (
        f"SELECT account_id FROM ({MINE}) a UNION SELECT account_id FROM subscription",
        {"subscription"},
    ),
    "one part of an intersection": (
        f"SELECT account_id FROM ({MINE}) a INTERSECT SELECT account_id FROM subscription",
        {"subscription"},
    ),
    "an update from another table": (
        (
            "UPDATE account a SET name = s.plan FROM subscription s"
            " WHERE s.account_id = a.account_id AND a.workspace_id = 'acme'"
        ),
        {"subscription"},
    ),
    "an insert from another table": (
        "INSERT INTO workspace (id, name) SELECT account_id, name FROM account",
        {"account"},
    ),
    "a function": (
        "SELECT * FROM unnest(ARRAY['a']) AS due (a) JOIN account ON account_id = due.a",
        {"account"},
    ),
}

PLANNERS = ("", "nestloop,mergejoin", "hashjoin,nestloop", "hashjoin,mergejoin,seqscan")
"""Planner methods to disable, so that each join method is tested."""


def tables_found(session: Session, statement: str, planner: str) -> set[str]:
    partitions.create_upcoming(session, today=NOW.date())
    for method in filter(None, planner.split(",")):
        session.execute(text(f"SET LOCAL enable_{method} = off"))
    plan = session.scalar(text(f"EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) {statement}"))
    return unbound_tables(plan[0]["Plan"])


@pytest.mark.parametrize("planner", PLANNERS)
def test_a_statement_with_a_workspace_reads_no_other(session: Session, planner: str) -> None:
    assert {
        name: tables_found(session, statement, planner)
        for name, statement in WITH_WORKSPACE.items()
    } == {name: set() for name in WITH_WORKSPACE}


@pytest.mark.parametrize("planner", PLANNERS)
def test_a_statement_without_a_workspace_is_found_with_its_tables(
    session: Session, planner: str
) -> None:
    assert {
        name: tables_found(session, statement, planner)
        for name, (statement, _) in WITHOUT_WORKSPACE.items()
    } == {name: tables for name, (_, tables) in WITHOUT_WORKSPACE.items()}


@pytest.mark.parametrize("planner", PLANNERS)
def test_every_partition_is_found(session: Session, planner: str) -> None:
    tables = tables_found(session, "SELECT * FROM event WHERE name = 'a'", planner)

    assert len(tables) > 2
    assert "event_default" in tables


def test_only_equalities_that_must_be_true_count() -> None:
    assert set(equalities("((a.x = 'b) AND (c') AND ((d.y = e.z) OR (f.x = 1)))")) == {
        ("a.x", "'b) AND (c'"),
        ("'b) AND (c'", "a.x"),
    }
