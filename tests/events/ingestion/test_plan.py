"""The plan of the ingest statement looks up rows by their keys, whatever the statistics are."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

TO_ACCOUNT = {"event": "Export", "account_id": "acme", "user_id": "ada", "message_id": "m1"}
TO_USER = {"event": "Export", "user_id": "ada"}


@pytest.mark.parametrize("sent", [TO_ACCOUNT, TO_USER], ids=["plain", "looked up"])
def test_no_lookup_reads_all_accounts(
    client: TestClient, session: Session, sent: dict[str, str]
) -> None:
    """Without statistics, as on the first day, PostgreSQL would take the index of days."""
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

    session.execute(text("SET LOCAL enable_seqscan = off"))  # as if the tables were large
    session.execute(text("SET LOCAL enable_bitmapscan = off"))
    plan = session.scalars(text(f"EXPLAIN (GENERIC_PLAN, COSTS OFF) {query}"))

    used = {line.split(" using ")[1].split()[0] for line in plan if " using " in line}
    assert "first_use_pkey" in used
    assert "first_use_day_idx" not in used
