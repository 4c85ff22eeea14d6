from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import orjson
from sqlalchemy import ColumnElement, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from app.accounts.due import Priority
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


def next_evaluation_number(session: Session, workspace_id: str) -> int:  # noqa: ARG001 - of any workspace
    return int(session.scalar(select(EVALUATION_NUMBERS.next_value())) or 0)


def lock_states(
    session: Session, workspace_id: str, account_ids: Sequence[str]
) -> dict[tuple[str, str], StoredState]:
    """Return what is stored, by account and rule."""
    rows = session.execute(
        select(AlertState.__table__)
        .where(AlertState.workspace_id == workspace_id, AlertState.account_id.in_(account_ids))
        .order_by(AlertState.account_id, AlertState.rule_key)
        .with_for_update()
    )
    return {(row.account_id, row.rule_key): StoredState.of(row) for row in rows}


def upsert_states(session: Session, workspace_id: str, outcomes: Sequence[Decision]) -> None:
    rows = [
        {
            "account_id": each.evaluation.facts.account_id,
            "rule_key": each.evaluation.key,
            "shift": each.kept.shift,
            "yardstick": each.kept.yardstick,
            "check_at": each.check_at,
            "sequence": each.kept.state.sequence,
            "phase": each.kept.state.phase,
            "since": each.kept.state.since,
            "episode": each.kept.state.episode,
            "openings": each.kept.state.openings,
            "resolved_at": each.kept.state.resolved_at,
            "armed": each.kept.state.armed,
        }
        for each in outcomes
    ]
    if rows:
        values = {"workspace_id": workspace_id, "rows": orjson.dumps(rows).decode()}
        session.execute(statements.UPSERT_STATES, values)


def lock_open_alerts_by_key(
    session: Session, workspace_id: str, keys: Collection[tuple[str, str]]
) -> Mapping[tuple[str, str], Alert]:
    """Lock the open alerts of accounts and rules."""
    if not keys:
        return {}
    rows = lock_open_alerts(
        session, workspace_id, tuple_(Alert.account_id, Alert.rule_key).in_(keys)
    )
    return {(row.account_id, row.rule_key): row for row in rows}


def lock_open_alerts(
    session: Session, workspace_id: str, which: ColumnElement[bool]
) -> Sequence[Alert]:
    """Lock open alerts, in the order of accounts and rules."""
    return session.scalars(
        select(Alert)
        .where(Alert.workspace_id == workspace_id, Alert.resolved_at.is_(None), which)
        .order_by(Alert.account_id, Alert.rule_key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def claim_waiting_accounts(session: Session, *, now: datetime) -> Sequence[tuple[str, str]]:
    """Take accounts, with their workspaces, of which time alone may have brought a change."""
    values = {"now": now, "limit": WAITING_AT_ONCE}
    return [(row[0], row[1]) for row in session.execute(statements.CLAIM_WAITING, values)]


def list_swept_workspaces(session: Session) -> Sequence[str]:
    """Return who has been swept and is still owed notices."""
    return session.scalars(statements.SWEPT_WORKSPACES, {"sweep": int(Priority.SWEEP)}).all()


def lock_held_alerts(
    session: Session, workspace_id: str, *, until: date, now: datetime
) -> Sequence[Alert]:
    """Lock what is owed, in the order of rules and episodes.

    What is snoozed waits, and what opened in silence and seems to end.
    """
    ending = and_(Alert.told == NOTHING, AlertState.phase == Phase.RECOVERING)
    waits = (
        select(1)
        .where(
            same_account(AlertState, Alert),
            AlertState.rule_key == Alert.rule_key,
            or_(AlertState.snoozed_until > now, ending),
        )
        .exists()
    )
    return session.scalars(
        select(Alert)
        .where(Alert.workspace_id == workspace_id, Alert.owed_on <= until, ~waits)
        .order_by(Alert.rule_key, Alert.account_id, Alert.episode)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def list_scores(
    session: Session, workspace_id: str, *, after: str, limit: int
) -> Sequence[HealthScore]:
    """Return the newest scores in key order."""
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
