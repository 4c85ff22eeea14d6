"""Erase people's texts, ids and roles from engagement. Their tickets and answers still count."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from app.core.sql import load_sql

SQL = load_sql(__file__)
STATEMENTS = (
    SQL.erase_moments,
    SQL.erase_tickets,
    SQL.erase_responses,
    SQL.erase_feedback,
    SQL.erase_facts,
    SQL.erase_completions,
    SQL.erase_roles,
)


def erase_people(
    session: Session, workspace_id: str, user_ids: Collection[str], *, pseudonym: str | None
) -> None:
    """Delete texts and roles of people, and replace their ids by ``pseudonym`` (None: no user)."""
    values = {"workspace_id": workspace_id, "user_ids": list(user_ids), "pseudonym": pseudonym}
    for statement in STATEMENTS:
        session.execute(statement, values)
