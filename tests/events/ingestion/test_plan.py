"""Plans find first uses by indexes: that of an account by its key, that of a workspace by day."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from app.engagement.first_event import first_event_day

TO_ACCOUNT = {"event": "Export", "account_id": "acme", "user_id": "ada", "message_id": "m1"}
TO_USER = {"event": "Export", "user_id": "ada"}


def used_indexes(session: Session, query: str) -> set[str]:
    """Return the indexes that a query reads whatever its parameters are, if tables are large."""
    session.execute(text("SET LOCAL enable_seqscan = off"))
    session.execute(text("SET LOCAL enable_bitmapscan = off"))
    plan = session.scalars(text(f"EXPLAIN (GENERIC_PLAN, COSTS OFF) {query}"))
    return {line.split(" using ")[1].split()[0] for line in plan if " using " in line}


def test_the_first_event_of_a_workspace_is_found_by_the_index_of_days(session: Session) -> None:
    session.execute(
        text("""
            INSERT INTO first_use (workspace_id, account_id, known_on, day)
            SELECT 'w' || n % 9, n, '2026-01-01', date '2024-01-01' + n % 700
            FROM generate_series(1, 2000) AS n""")
    )
    session.execute(text("ANALYZE first_use"))
    query = f"SELECT {first_event_day('$2')}".replace(":workspace_id", "$1")

    assert used_indexes(session, query) == {"first_use_day_idx"}


@pytest.mark.parametrize("sent", [TO_ACCOUNT, TO_USER], ids=["plain", "looked up"])
@pytest.mark.parametrize("statistics", ["unknown", "of one account"])
def test_no_lookup_reads_all_accounts(
    client: TestClient, session: Session, sent: dict[str, str], statistics: str
) -> None:
    """On the first day all indexes cost the same to the planner."""
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *_rest: object) -> None:
        if "INSERT INTO first_use" in statement:
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert client.post("/api/v1/events", json=sent).status_code == 200
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    [statement] = statements
    names = dict.fromkeys(re.findall(r"%\((\w+)\)s", statement))
    numbers = {name: f"${number}" for number, name in enumerate(names, 1)}
    query = re.sub(r"%\((\w+)\)s", lambda name: numbers[name[1]], statement).replace(":", r"\:")

    if statistics == "of one account":
        session.execute(text("ANALYZE first_use"))
    used = used_indexes(session, query)
    assert "first_use_pkey" in used
    assert "first_use_day_idx" not in used
