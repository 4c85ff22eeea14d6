from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.orm import Session

from app.accounts.hierarchy import MOST_LEVELS, Rollup
from app.accounts.tables import Account
from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import keyset_ascending
from app.health.rollups.rollup import HierarchyAccount
from app.health.scoring.queries import ACCOUNT_HEALTH, HAS_CHILDREN

# OFFSET 0: for each parent a look into the index, never a pass over all that have a parent.
HIERARCHY = text("""
WITH RECURSIVE family AS (
    SELECT account_id, rollup, excluded, 0 AS level FROM account
    WHERE workspace_id = :workspace_id AND account_id = :account_id
    UNION ALL
    SELECT c.account_id, c.rollup, c.excluded, f.level + 1
    FROM family f, LATERAL (
        SELECT account_id, rollup, excluded FROM account a
        WHERE a.parent_id = f.account_id AND a.workspace_id = :workspace_id OFFSET 0
    ) AS c
    WHERE f.level < :most
)
SELECT f.account_id, h.score, coalesce(h.band, 'unknown') AS band,
       CASE WHEN f.excluded THEN 'excluded' ELSE coalesce(h.status, 'insufficient_data') END
           AS status,
       coalesce(h.mrr_cents, 0) AS mrr_cents, f.rollup,
       CASE WHEN f.level = 0 THEN h.details ->> 'card' END AS card
FROM family f
LEFT JOIN health_score h ON h.workspace_id = :workspace_id AND h.account_id = f.account_id
ORDER BY f.level, f.account_id
""")

CHILDREN = ACCOUNT_HEALTH.add_columns(HAS_CHILDREN).where(
    Account.workspace_id == bindparam("workspace_id"),
    Account.parent_id == bindparam("account_id"),
)


@dataclass(frozen=True, slots=True)
class AccountHierarchy:
    """An account with all accounts below it; ``card``: the one that judges it, if one has yet."""

    own: HierarchyAccount
    below: Sequence[HierarchyAccount]
    rollup: Rollup
    card: str | None


def get_hierarchy(session: Session, workspace_id: str, account_id: str) -> AccountHierarchy:
    asked = {"workspace_id": workspace_id, "account_id": account_id, "most": MOST_LEVELS}
    rows = session.execute(HIERARCHY, asked).all()
    if not rows:
        raise NotFoundError("account", account_id)
    own, *below = [HierarchyAccount(*row[:5]) for row in rows]
    return AccountHierarchy(own, below, Rollup(rows[0].rollup), rows[0].card)


def list_children(
    session: Session, workspace_id: str, account_id: str, paging: Paging
) -> RowPage[Row[Any]]:
    """Return the standings of the accounts right below one, in key order."""
    rows = keyset_ascending(
        CHILDREN, Account.account_id, after=paging.after(str), limit=paging.fetch_limit
    )
    asked = {"workspace_id": workspace_id, "account_id": account_id}
    found = session.execute(rows, asked).all()
    return RowPage(*paging.cut(found, lambda row: row.account_id))
