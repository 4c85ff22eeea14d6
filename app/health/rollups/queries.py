"""The accounts below an account, with their newest scores."""

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

# OFFSET 0 forces one index look-up for each parent instead of a scan of all accounts with a parent.
HIERARCHY = text("""
WITH RECURSIVE hierarchy AS (
    SELECT account_id, rollup, excluded, 0 AS level FROM account
    WHERE workspace_id = :workspace_id AND account_id = :account_id
    UNION ALL
    SELECT c.account_id, c.rollup, c.excluded, p.level + 1
    FROM hierarchy p, LATERAL (
        SELECT account_id, rollup, excluded FROM account a
        WHERE a.parent_id = p.account_id AND a.workspace_id = :workspace_id OFFSET 0
    ) AS c
    WHERE p.level < :max_levels
)
SELECT p.account_id, h.score, coalesce(h.band, 'unknown') AS band,
       CASE WHEN p.excluded THEN 'excluded' ELSE coalesce(h.status, 'insufficient_data') END
           AS status,
       coalesce(h.mrr_cents, 0) AS mrr_cents, p.rollup,
       CASE WHEN p.level = 0 THEN h.details ->> 'card' END AS card
FROM hierarchy p
LEFT JOIN health_score h ON h.workspace_id = :workspace_id AND h.account_id = p.account_id
ORDER BY p.level, p.account_id
""")

CHILDREN = ACCOUNT_HEALTH.add_columns(HAS_CHILDREN).where(
    Account.workspace_id == bindparam("workspace_id"),
    Account.parent_id == bindparam("account_id"),
)


@dataclass(frozen=True, slots=True)
class AccountHierarchy:
    """An account and all accounts below it. ``card``: the card of its score, if it has one."""

    own: HierarchyAccount
    below: Sequence[HierarchyAccount]
    rollup: Rollup
    card: str | None


def get_hierarchy(session: Session, workspace_id: str, account_id: str) -> AccountHierarchy:
    """Return an account with the accounts below it. Raises ``NotFoundError``."""
    values = {"workspace_id": workspace_id, "account_id": account_id, "max_levels": MOST_LEVELS}
    rows = session.execute(HIERARCHY, values).all()
    if not rows:
        raise NotFoundError("account", account_id)
    own, *below = [HierarchyAccount(*row[:5]) for row in rows]
    return AccountHierarchy(own, below, Rollup(rows[0].rollup), rows[0].card)


def list_children(
    session: Session, workspace_id: str, account_id: str, paging: Paging
) -> RowPage[Row[Any]]:
    """Return the accounts directly below an account with their newest scores, in key order."""
    statement = keyset_ascending(
        CHILDREN, Account.account_id, after=paging.position(str), limit=paging.fetch_limit
    )
    values = {"workspace_id": workspace_id, "account_id": account_id}
    rows = session.execute(statement, values).all()
    return RowPage(*paging.cut(rows, lambda row: row.account_id))
