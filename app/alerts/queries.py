from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import orjson
from sqlalchemy import ColumnElement, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority
from app.alerts import statements
from app.alerts.evaluation import Decision, StoredState
from app.alerts.notifications import NOTHING
from app.alerts.state_machine import Phase
from app.alerts.tables import EVALUATION_NUMBERS, Alert, AlertState
from app.churn.tables import ChurnRisk
from app.core.query_helpers import same_account
from app.health.tables import HealthScore
from app.portfolio.account_queries import REVENUE_AT_RISK

WAITING_AT_ONCE = 1000


def next_evaluation_number(session: Session, workspace_id: str) -> int:  # noqa: ARG001 - one sequence for all
    return int(session.scalar(select(EVALUATION_NUMBERS.next_value())) or 0)


def lock_states(
    session: Session, workspace_id: str, account_ids: Sequence[str]
) -> dict[tuple[str, str], StoredState]:
    """Lock the stored states in key order; return them by account and rule."""
    rows = session.execute(
        select(AlertState.__table__)
        .where(AlertState.workspace_id == workspace_id, AlertState.account_id.in_(account_ids))
        .order_by(AlertState.account_id, AlertState.rule_key)
        .with_for_update()
    )
    return {(row.account_id, row.rule_key): StoredState.from_row(row) for row in rows}


def upsert_states(session: Session, workspace_id: str, decisions: Sequence[Decision]) -> None:
    """Write states, except where a newer evaluation has written already."""
    rows = [
        {
            "account_id": each.evaluation.inputs.account_id,
            "rule_key": each.evaluation.rule_key,
            "config_offset": each.stored.config_offset,
            "offset_context": each.stored.offset_context,
            "check_at": each.check_at,
            "sequence": each.stored.state.sequence,
            "phase": each.stored.state.phase,
            "since": each.stored.state.since,
            "episode": each.stored.state.episode,
            "openings": each.stored.state.openings,
            "resolved_at": each.stored.state.resolved_at,
            "may_open": each.stored.state.may_open,
        }
        for each in decisions
    ]
    if rows:
        values = {"workspace_id": workspace_id, "rows": orjson.dumps(rows).decode()}
        session.execute(statements.UPSERT_STATES, values)


def lock_open_alerts_by_key(
    session: Session, workspace_id: str, keys: Collection[tuple[str, str]]
) -> Mapping[tuple[str, str], Alert]:
    """Lock the open alerts of pairs of account and rule."""
    if not keys:
        return {}
    rows = lock_open_alerts(
        session, workspace_id, tuple_(Alert.account_id, Alert.rule_key).in_(keys)
    )
    return {(row.account_id, row.rule_key): row for row in rows}


def lock_open_alerts(
    session: Session, workspace_id: str, condition: ColumnElement[bool]
) -> Sequence[Alert]:
    """Lock the open alerts that meet a condition, in the order of account and rule."""
    return session.scalars(
        select(Alert)
        .where(Alert.workspace_id == workspace_id, Alert.resolved_at.is_(None), condition)
        .order_by(Alert.account_id, Alert.rule_key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def claim_waiting_accounts(session: Session, *, now: datetime) -> Sequence[tuple[str, str]]:
    """Claim accounts (workspace, account) whose alert state may change through time alone.

    Rows locked by another process are skipped.
    """
    values = {"now": now, "limit": WAITING_AT_ONCE}
    return [(row[0], row[1]) for row in session.execute(statements.CLAIM_WAITING, values)]


def list_swept_workspaces(session: Session) -> Sequence[str]:
    """List workspaces with held notifications whose sweep has finished."""
    return session.scalars(statements.SWEPT_WORKSPACES, {"sweep": int(Priority.SWEEP)}).all()


def lock_held_alerts(
    session: Session, workspace_id: str, *, until: date, now: datetime
) -> Sequence[Alert]:
    """Lock alerts with a held notification, in the order of rules, accounts and episodes.

    Snoozed alerts are left out, and so are alerts that are recovering and were never announced.
    """
    is_ending = and_(Alert.last_notified == NOTHING, AlertState.phase == Phase.RECOVERING)
    is_waiting = (
        select(1)
        .where(
            same_account(AlertState, Alert),
            AlertState.rule_key == Alert.rule_key,
            or_(AlertState.snoozed_until > now, is_ending),
        )
        .exists()
    )
    return session.scalars(
        select(Alert)
        .where(Alert.workspace_id == workspace_id, Alert.notify_after <= until, ~is_waiting)
        .order_by(Alert.rule_key, Alert.account_id, Alert.episode)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def list_scores(
    session: Session, workspace_id: str, *, after: str, limit: int
) -> Sequence[HealthScore]:
    """List current scores in key order, after an account id."""
    return session.scalars(
        select(HealthScore)
        .where(HealthScore.workspace_id == workspace_id, HealthScore.account_id > after)
        .order_by(HealthScore.account_id)
        .limit(limit)
    ).all()


def load_scores(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> Sequence[HealthScore]:
    return session.scalars(
        select(HealthScore).where(
            HealthScore.workspace_id == workspace_id, HealthScore.account_id.in_(account_ids)
        )
    ).all()


def load_revenue_at_risk(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> dict[str, int]:
    """Return the revenue at risk by account, in cents a year."""
    rows = session.execute(
        select(HealthScore.account_id, REVENUE_AT_RISK)
        .outerjoin(ChurnRisk, same_account(ChurnRisk, HealthScore))
        .where(HealthScore.workspace_id == workspace_id, HealthScore.account_id.in_(account_ids))
    )
    return {row[0]: int(row[1]) for row in rows}
