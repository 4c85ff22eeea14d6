from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session

from app.accounts.hierarchy import MOST_LEVELS
from app.accounts.tables import Account
from app.core.query_helpers import keyset_descending, same_account
from app.interventions import suggestion_statements as statements
from app.interventions.states import OPEN_STATES, InterventionState
from app.interventions.tables import Intervention


def load_case_rows(
    session: Session, workspace_id: str, account_ids: Sequence[str]
) -> Sequence[Row[Any]]:
    """What is known of accounts that have a score; those whose source is silent are left out."""
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids)}
    return session.execute(statements.CASES, values).all()


def load_fixed_feedback(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, since: datetime
) -> dict[str, tuple[str | None, datetime]]:
    """Return what was fixed last for accounts that had complained or asked: topic and instant."""
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids), "since": since}
    rows = session.execute(statements.FIXED_FEEDBACK, values)
    return {row.account_id: (row.topic, row.resolved_at) for row in rows}


def load_family_roots(
    session: Session, workspace_id: str, account_ids: Sequence[str]
) -> dict[str, str]:
    """Return the first account of each account's family: itself, where it has no parent."""
    values = {
        "workspace_id": workspace_id,
        "account_ids": list(account_ids),
        "most": MOST_LEVELS + 1,
    }
    return {row.account_id: row.at for row in session.execute(statements.FAMILY_ROOTS, values)}


def load_recent_interventions(
    session: Session, workspace_id: str, account_ids: Collection[str], *, since: datetime
) -> Sequence[Intervention]:
    """Return what is proposed, open, or was decided or done since an instant, oldest first."""
    return session.scalars(
        select(Intervention)
        .where(
            Intervention.workspace_id == workspace_id,
            Intervention.account_id.in_(account_ids),
            or_(
                Intervention.state.in_(
                    (InterventionState.SUGGESTED, InterventionState.LAPSED, *OPEN_STATES)
                ),
                Intervention.done_at > since,
                Intervention.decided_at > since,
            ),
        )
        .order_by(Intervention.created_at, Intervention.id)
        .execution_options(populate_existing=True)
    ).all()


def upsert_suggestions(
    session: Session, workspace_id: str, rows: Sequence[Mapping[str, Any]], *, now: datetime
) -> None:
    if rows:
        values = {
            "workspace_id": workspace_id,
            "now": now,
            "rows": orjson.dumps(rows).decode(),
        }
        session.execute(statements.UPSERT_SUGGESTIONS, values)


def list_suggestions(
    session: Session,
    workspace_id: str,
    *,
    account_id: str | None = None,
    playbook: str | None = None,
    owner: str | None = None,
    after: tuple[float, str] | None = None,
    limit: int,
) -> Sequence[Row[Intervention, str | None]]:
    """Return what is suggested, with the account's name, what is worth most first."""
    rows = (
        select(Intervention, Account.name)
        .join(Account, same_account(Account, Intervention))
        .where(
            Intervention.workspace_id == workspace_id,
            Intervention.state == InterventionState.SUGGESTED,
        )
    )
    if account_id is not None:
        rows = rows.where(Intervention.account_id == account_id)
    if playbook is not None:
        rows = rows.where(Intervention.playbook == playbook)
    if owner is not None:
        rows = rows.where(Account.owner == owner)
    place = (Intervention.value_cents, Intervention.id)
    return session.execute(keyset_descending(rows, *place, before=after, limit=limit)).all()
