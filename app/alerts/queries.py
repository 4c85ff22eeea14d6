from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority
from app.accounts.tables import Account
from app.alerts.evaluation import Decision, StoredState
from app.alerts.state_machine import Phase
from app.alerts.tables import EVALUATION_NUMBERS, NOTHING, Alert, AlertState
from app.changes.sort_change_queries import StablePosition, list_stable_rows
from app.churn.tables import ChurnRisk
from app.core.errors import NotFoundError
from app.core.query_helpers import keyset, same_account
from app.core.sql import load_sql
from app.health.tables import HealthScore
from app.portfolio.revenue_at_risk_queries import (
    KNOWN_REVENUE_AT_RISK,
    REVENUE_AT_RISK,
    REVENUE_BASIS,
)

SQL = load_sql(__file__)
DELETE_DIGESTS = SQL.delete_digests
WAITING_AT_ONCE = 1000
SAME_RULE = and_(same_account(AlertState, Alert), AlertState.rule_key == Alert.rule_key)

ListedAlert = Row[Alert, str | None, AlertState | None, int | None, str]
"""``Alert``, ``name`` of the account, ``AlertState``, ``revenue_at_risk_cents``, its basis."""


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
        asdict(each.stored.state)
        | {
            "account_id": each.evaluation.inputs.account_id,
            "rule_key": each.evaluation.rule_key,
            "config_offset": each.stored.config_offset,
            "offset_context": each.stored.offset_context,
            "check_at": each.check_at,
        }
        for each in decisions
    ]
    if rows:
        values = {"workspace_id": workspace_id, "rows": orjson.dumps(rows).decode()}
        session.execute(SQL.upsert_states, values)


def lock_open_alerts(
    session: Session, workspace_id: str, condition: ColumnElement[bool]
) -> Sequence[Alert]:
    """Lock the open alerts that meet a condition, in the order of account and rule."""
    return _lock_alerts(session, workspace_id, Alert.resolved_at.is_(None), condition)


def _lock_alerts(
    session: Session, workspace_id: str, *conditions: ColumnElement[bool]
) -> Sequence[Alert]:
    """Lock alerts in one order everywhere, so that two transactions cannot deadlock."""
    return session.scalars(
        select(Alert)
        .where(Alert.workspace_id == workspace_id, *conditions)
        .order_by(Alert.account_id, Alert.rule_key, Alert.episode)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def list_unannounced(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> set[tuple[str, str]]:
    """Return account and rule of the open alerts whose announcement still waits for a sweep."""
    rows = session.execute(
        select(Alert.account_id, Alert.rule_key).where(
            Alert.workspace_id == workspace_id,
            Alert.account_id.in_(account_ids),
            Alert.resolved_at.is_(None),
            Alert.last_notified == NOTHING,
            Alert.notify_after.is_not(None),
        )
    )
    return {(row.account_id, row.rule_key) for row in rows}


def lock_held_alerts(
    session: Session, workspace_id: str, *, until: date, now: datetime
) -> Sequence[Alert]:
    """Lock alerts with a held notification, in the order of account, rule and episode.

    Snoozed alerts are left out, and so are alerts that are recovering and were never announced.
    """
    is_ending = and_(Alert.last_notified == NOTHING, AlertState.phase == Phase.RECOVERING)
    is_waiting = exists().where(SAME_RULE, or_(AlertState.snoozed_until > now, is_ending))
    return _lock_alerts(session, workspace_id, Alert.notify_after <= until, ~is_waiting)


def lock_alert(
    session: Session, workspace_id: str, alert_id: str
) -> tuple[Alert, AlertState | None]:
    """Lock the state of the rule for the account, then the alert, as evaluations do."""
    alert = get_alert(session, workspace_id, alert_id).Alert
    key = (workspace_id, alert.account_id, alert.rule_key)
    state = session.get(AlertState, key, with_for_update=True, populate_existing=True)
    session.refresh(alert, with_for_update=True)
    return alert, state


def lock_alerts(session: Session, workspace_id: str, alert_ids: Collection[str]) -> Sequence[Alert]:
    """Lock the states of alerts, then the alerts, as evaluations do. Unknown ids are left out."""
    states = select(AlertState).join(Alert, SAME_RULE)
    session.scalars(
        states.where(Alert.workspace_id == workspace_id, Alert.id.in_(alert_ids))
        .order_by(AlertState.account_id, AlertState.rule_key)
        .with_for_update(of=AlertState)
    ).all()
    return _lock_alerts(session, workspace_id, Alert.id.in_(alert_ids))


def lock_rule_alerts(
    session: Session, workspace_id: str, rule_key: str
) -> tuple[Sequence[AlertState], Sequence[Alert]]:
    """Lock the states of a rule for all accounts, then its open alerts."""
    states = (
        select(AlertState)
        .where(AlertState.workspace_id == workspace_id, AlertState.rule_key == rule_key)
        .order_by(AlertState.account_id)
        .with_for_update()
    )
    locked = session.scalars(states).all()
    return locked, lock_open_alerts(session, workspace_id, Alert.rule_key == rule_key)


def claim_waiting_accounts(session: Session, *, now: datetime) -> Sequence[tuple[str, str]]:
    """Claim accounts (workspace, account) whose alert state may change through time alone.

    Rows locked by another process are skipped.
    """
    values = {"now": now, "limit": WAITING_AT_ONCE}
    return [(row[0], row[1]) for row in session.execute(SQL.claim_waiting, values)]


def list_swept_workspaces(session: Session) -> Sequence[str]:
    """List workspaces with held notifications whose sweep has finished."""
    return session.scalars(SQL.swept_workspaces, {"sweep": int(Priority.SWEEP)}).all()


def get_alert(session: Session, workspace_id: str, alert_id: str) -> ListedAlert:
    row = session.execute(_select_listed(workspace_id).where(Alert.id == alert_id)).one_or_none()
    if row is None:
        raise NotFoundError("alert", alert_id)
    return row


def list_alerts(
    session: Session,
    workspace_id: str,
    *,
    state: str,
    where: Mapping[str, str | None],
    owner: str | None,
    now: datetime,
    position: StablePosition,
    limit: int,
) -> Sequence[Any]:
    """List alerts, the largest revenue at risk first. ``where``: column to its value (None: any).

    ``owner``: only alerts of accounts of this owner, and alerts assigned to them. ``position``: the
    revenue at risk and the id after which to start. The last two columns of a row beside those of
    ``ListedAlert`` are both, with the revenue below zero: as of the first page.
    """
    filters = [getattr(Alert, name) == value for name, value in where.items() if value is not None]
    if owner is not None:
        filters.append(or_(Account.owner == owner, Alert.assignee == owner))
    rows = _select_listed(workspace_id).where(*_in_state(state, now), *filters)
    if position.values is not None:
        revenue, alert_id = position.values
        position = replace(position, values=(-revenue, alert_id))
    return list_stable_rows(
        session,
        workspace_id,
        rows,
        position,
        key={"account_id": Alert.account_id},
        value=-REVENUE_AT_RISK,
        id_column=Alert.__table__.columns["id"],
        descending=False,
        limit=limit,
    )


def _select_listed(
    workspace_id: str,
) -> Select[Alert, str | None, AlertState | None, int | None, str]:
    return (
        select(
            Alert,
            Account.name,
            AlertState,
            KNOWN_REVENUE_AT_RISK.label("revenue_at_risk_cents"),
            REVENUE_BASIS.label("revenue_at_risk_basis"),
        )
        .outerjoin(Account, same_account(Account, Alert))
        .outerjoin(HealthScore, same_account(HealthScore, Alert))
        .outerjoin(ChurnRisk, same_account(ChurnRisk, Alert))
        .outerjoin(AlertState, SAME_RULE)
        .where(Alert.workspace_id == workspace_id)
    )


def _in_state(state: str, now: datetime) -> Sequence[ColumnElement[bool]]:
    is_open = Alert.resolved_at.is_(None)
    return {
        "active": (is_open,),
        "open": (is_open, Alert.acknowledged_at.is_(None)),
        "acknowledged": (is_open, Alert.acknowledged_at.is_not(None)),
        "snoozed": (is_open, func.coalesce(AlertState.snoozed_until > now, False)),
        "resolved": (Alert.resolved_at.is_not(None),),
        "all": (),
    }[state]


def list_scores(
    session: Session, workspace_id: str, *, after: str, limit: int
) -> Sequence[HealthScore]:
    """List current scores in key order, after an account id."""
    rows = select(HealthScore).where(HealthScore.workspace_id == workspace_id)
    rows = keyset(rows, HealthScore.account_id, after=after, limit=limit)
    return session.scalars(rows).all()


def load_scores(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> Sequence[HealthScore]:
    rows = select(HealthScore).where(HealthScore.workspace_id == workspace_id)
    return session.scalars(rows.where(HealthScore.account_id.in_(account_ids))).all()


def sample_accounts(
    session: Session, workspace_id: str, *, since: date, until: date, limit: int
) -> list[str]:
    """Sample accounts: those that churned in the period, then others by a hash of their ids.

    Return them in key order.
    """
    values = {"workspace_id": workspace_id, "since": since, "until": until, "limit": limit}
    return sorted(session.scalars(SQL.sample_accounts, values))


def count_accounts(session: Session, workspace_id: str) -> int:
    number = select(func.count()).where(HealthScore.workspace_id == workspace_id)
    return session.scalar(number) or 0


def load_history_days(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, since: date, until: date
) -> Sequence[Row[Any]]:
    """Return rows of history in the order of days, without the inputs of the scores.

    A row is the score of an account at the end of a day, as it was first written. ``paid_until``:
    for a churned account the day since which it pays nothing.
    """
    period = {"workspace_id": workspace_id, "since": since, "until": until}
    return session.execute(SQL.history_days, period | {"account_ids": list(account_ids)}).all()


def load_open_alerts(
    session: Session, workspace_id: str, account_ids: Collection[str]
) -> Sequence[Alert]:
    """Return the open alerts of accounts, the oldest first."""
    return session.scalars(
        select(Alert)
        .where(
            Alert.workspace_id == workspace_id,
            Alert.account_id.in_(account_ids),
            Alert.resolved_at.is_(None),
        )
        .order_by(Alert.opened_at)
    ).all()
