"""The health envelope of accounts: everything that it shows, in one statement."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ARRAY, Row, Text, any_, bindparam
from sqlalchemy.orm import Session

from app.accounts.tables import Account
from app.churn.tables import ChurnRisk
from app.core.errors import NotFoundError
from app.core.query_helpers import same_account
from app.events.sources.queries import SILENT_SINCE
from app.health.scoring.queries import ACCOUNT_HEALTH, HAS_CHILDREN
from app.portfolio.revenue_at_risk_queries import KNOWN_REVENUE_AT_RISK, REVENUE_BASIS

Envelope = Row[*tuple[Any, ...]]
"""A row of account health with ``has_children``, ``silent_since``, ``revenue_at_risk_cents``,
``revenue_basis`` and ``ChurnRisk`` (None: no risk yet)."""

ENVELOPES = (
    ACCOUNT_HEALTH.add_columns(
        HAS_CHILDREN,
        SILENT_SINCE,
        KNOWN_REVENUE_AT_RISK.label("revenue_at_risk_cents"),
        REVENUE_BASIS.label("revenue_basis"),
        ChurnRisk,
    )
    .outerjoin(ChurnRisk, same_account(ChurnRisk, Account))
    .where(
        Account.workspace_id == bindparam("workspace_id"),
        Account.account_id == any_(bindparam("account_ids", type_=ARRAY(Text))),
    )
    .order_by(Account.account_id)
)


def get_envelope(session: Session, workspace_id: str, account_id: str) -> Envelope:
    rows = load_envelopes(session, workspace_id, [account_id])
    if not rows:
        raise NotFoundError("account", account_id)
    return rows[0]


def load_envelopes(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> Sequence[Envelope]:
    """Return the envelopes of accounts in key order; unknown ids are left out."""
    values = {"workspace_id": workspace_id, "account_ids": [*account_ids]}
    return session.execute(ENVELOPES, values).all()
