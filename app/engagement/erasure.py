"""Erase people's texts, ids and roles from engagement. Their tickets and answers still count."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

WHERE_USERS = "workspace_id = :workspace_id AND user_id = ANY(CAST(:user_ids AS text[]))"
ERASE = (
    text(
        "UPDATE ticket_moment m SET subject = NULL FROM ticket t"
        " WHERE t.workspace_id = :workspace_id AND t.user_id = ANY(CAST(:user_ids AS text[]))"
        " AND m.workspace_id = t.workspace_id AND m.ticket_id = t.ticket_id"
    ),
    text(f"UPDATE ticket SET user_id = :pseudonym, subject = NULL WHERE {WHERE_USERS}"),  # noqa: S608
    text(f"UPDATE survey_response SET user_id = :pseudonym, comment = NULL WHERE {WHERE_USERS}"),  # noqa: S608
    text(
        "UPDATE feedback_item SET user_id = :pseudonym, text = NULL, answer = NULL"  # noqa: S608
        f" WHERE {WHERE_USERS}"
    ),
    text(f"DELETE FROM person_role WHERE {WHERE_USERS}"),  # noqa: S608
)


def erase_people(
    session: Session, workspace_id: str, user_ids: Collection[str], *, pseudonym: str | None
) -> None:
    """Delete texts and roles of people, and replace their ids by ``pseudonym`` (None: no user)."""
    values = {"workspace_id": workspace_id, "user_ids": list(user_ids), "pseudonym": pseudonym}
    for statement in ERASE:
        session.execute(statement, values)
