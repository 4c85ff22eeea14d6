from collections.abc import Collection

from sqlalchemy import delete, text, tuple_
from sqlalchemy.orm import Session

from app.accounts.hierarchy import MOST_LEVELS
from app.accounts.tables import ExternalId

ANCESTORS = text("""
WITH RECURSIVE line AS (
    SELECT account_id, parent_id, 1 AS level FROM account
    WHERE workspace_id = :workspace_id AND account_id = :account_id
    UNION ALL
    SELECT a.account_id, a.parent_id, l.level + 1 FROM line l
    JOIN account a ON a.workspace_id = :workspace_id AND a.account_id = l.parent_id
    WHERE l.level <= :most
)
SELECT account_id FROM line ORDER BY level
""")

# OFFSET 0: for each parent a look into the index, never a pass over all that have a parent.
COUNT_LEVELS = text("""
WITH RECURSIVE family AS (
    SELECT CAST(:account_id AS text) COLLATE "C" AS account_id, 1 AS level
    UNION ALL
    SELECT c.account_id, f.level + 1
    FROM family f, LATERAL (
        SELECT account_id FROM account a
        WHERE a.parent_id = f.account_id AND a.workspace_id = :workspace_id OFFSET 0
    ) AS c
    WHERE f.level <= :most
)
SELECT max(level) FROM family
""")

LOCK_ACCOUNT_KEY = text("""
SELECT 1 FROM account WHERE workspace_id = :workspace_id AND account_id = :account_id
FOR KEY SHARE
""")


def lock_account_key(session: Session, workspace_id: str, account_id: str) -> bool:
    """Whether there is such an account; it cannot be deleted before this transaction ends."""
    asked = {"workspace_id": workspace_id, "account_id": account_id}
    return session.scalar(LOCK_ACCOUNT_KEY, asked) is not None


def list_ancestors(session: Session, workspace_id: str, account_id: str) -> list[str]:
    """Return an account, its parent, and so on up; not many more than there may be."""
    asked = {"workspace_id": workspace_id, "account_id": account_id, "most": MOST_LEVELS}
    return list(session.scalars(ANCESTORS, asked))


def count_levels(session: Session, workspace_id: str, account_id: str) -> int:
    """Count the levels of an account's family: one where it has no children."""
    asked = {"workspace_id": workspace_id, "account_id": account_id, "most": MOST_LEVELS}
    return int(session.scalar(COUNT_LEVELS, asked) or 0)


def delete_external_ids(
    session: Session, workspace_id: str, account_id: str, dropped: Collection[tuple[str, str]]
) -> None:
    """Forget pairs of system and id, where they are this account's."""
    session.execute(
        delete(ExternalId).where(
            ExternalId.workspace_id == workspace_id,
            ExternalId.account_id == account_id,
            tuple_(ExternalId.system, ExternalId.external_id).in_(sorted(dropped)),
        )
    )
