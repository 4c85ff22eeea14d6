"""Queries of the accounts that need something now."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, union_all
from sqlalchemy.orm import Session

from app.accounts.tables import Account
from app.alerts.queries import SAME_RULE
from app.alerts.state_machine import Phase
from app.alerts.tables import Alert, AlertState
from app.changes.snapshots import ListSnapshot
from app.changes.sort_change_queries import list_first_rows, list_stable_rows, stable_position
from app.churn.tables import ChurnRisk
from app.collaboration.tables import Task
from app.core.pagination import Paging
from app.core.query_helpers import same_account
from app.core.sql import load_sql
from app.health.tables import KNOWN_MRR_CENTS, HealthScore
from app.interventions.states import InterventionState
from app.interventions.tables import Intervention
from app.portfolio.account_queries import HIDDEN_STATUSES
from app.portfolio.revenue_at_risk_queries import (
    KNOWN_REVENUE_AT_RISK,
    REVENUE_AT_RISK,
    REVENUE_BASIS,
)
from app.signals.detect import SIGNALS

SQL = load_sql(__file__)


def list_accounts(
    session: Session,
    workspace_id: str,
    *,
    owner: str | None,
    paging: Paging,
    now: datetime,
) -> tuple[list[Row[*tuple[Any, ...]]], ListSnapshot | None]:
    """Return the accounts that need something, the largest revenue at risk first.

    ``owner``: only accounts of this person, and those on which a task of this person is due. The
    last two columns of a row are the sort value and the account id. Return the snapshot too.
    """
    rows = (
        select(
            Account.account_id,
            Account.name,
            Account.owner,
            HealthScore.score,
            func.coalesce(HealthScore.band, "unknown").label("band"),
            (12 * KNOWN_MRR_CENTS).label("arr_cents"),
            HealthScore.renewal_on,
            HealthScore.notice_on,
            KNOWN_REVENUE_AT_RISK.label("revenue_at_risk_cents"),
            REVENUE_BASIS.label("revenue_basis"),
        )
        .join_from(Account, HealthScore, same_account(HealthScore, Account), isouter=True)
        .join(ChurnRisk, same_account(ChurnRisk, Account), isouter=True)
        .where(
            Account.workspace_id == workspace_id,
            func.coalesce(HealthScore.status, "").not_in(HIDDEN_STATUSES),
            Account.account_id.in_(_in_need(workspace_id, now)),
        )
    )
    if owner is not None:
        due = _due_tasks(workspace_id, now.date()).where(Task.owner == owner)
        rows = rows.where(or_(Account.owner == owner, Account.account_id.in_(due)))
    order: dict[str, Any] = {
        "value": -REVENUE_AT_RISK,
        "id_column": Account.__table__.columns["account_id"],
        "descending": False,
        "limit": paging.fetch_limit,
    }
    if paging.cursor is None:
        return list_first_rows(session, workspace_id, rows, now=now, **order)
    position = stable_position(session, workspace_id, paging, int, str, now=now)
    key = {"account_id": Account.account_id}
    found = list_stable_rows(session, workspace_id, rows, position, key=key, **order)
    return found, position.snapshot


def _in_need(workspace_id: str, now: datetime) -> Any:  # noqa: ANN401 - a set of account ids
    """Return the accounts with an alert, a breach that waits, a suggestion or a due task."""
    alerts = (
        select(Alert.account_id)
        .outerjoin(AlertState, SAME_RULE)
        .where(Alert.workspace_id == workspace_id, _is_new(now))
    )
    pending = select(AlertState.account_id).where(
        AlertState.workspace_id == workspace_id,
        AlertState.phase == Phase.PENDING,
        AlertState.may_open,
    )
    suggestions = select(Intervention.account_id).where(
        Intervention.workspace_id == workspace_id,
        Intervention.state == InterventionState.SUGGESTED,
    )
    return union_all(alerts, pending, suggestions, _due_tasks(workspace_id, now.date()))


def _is_new(now: datetime) -> ColumnElement[bool]:
    """Whether an alert is open and nobody has acknowledged or snoozed it."""
    is_open = and_(Alert.resolved_at.is_(None), Alert.acknowledged_at.is_(None))
    return and_(is_open, ~func.coalesce(AlertState.snoozed_until > now, False))


def _due_tasks(workspace_id: str, today: date) -> Select[Any]:
    return select(Task.account_id).where(
        Task.workspace_id == workspace_id, Task.done_at.is_(None), Task.due_on <= today
    )


def load_data_through(session: Session, workspace_id: str) -> datetime | None:
    """Return when the data of the newest score was read; None without a score."""
    newest = select(func.max(HealthScore.data_through))
    return session.scalar(newest.where(HealthScore.workspace_id == workspace_id))


def load_facts(
    session: Session, workspace_id: str, account_ids: Collection[str], *, now: datetime
) -> Sequence[Row[Any]]:
    """Return what the accounts of a page need: account, kind and fact, in one statement.

    Rows of the kind ``feature``, without an account, name the product features.
    """
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids), "now": now}
    values |= {"today": now.date(), "signals": list(SIGNALS)}
    return session.execute(SQL.facts, values).all()
