from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select, tuple_
from sqlalchemy.orm import Session

from app.accounts.tables import Account
from app.alerts import queries
from app.alerts.evaluation import StoredState
from app.alerts.tables import Alert, AlertState
from app.churn.tables import ChurnRisk
from app.core.errors import NotFoundError
from app.core.query_helpers import same_account
from app.health.tables import HealthScore
from app.portfolio.account_queries import HAS_PROBABILITY, REVENUE_AT_RISK

SAME_RULE = and_(same_account(AlertState, Alert), AlertState.rule_key == Alert.rule_key)
BASIS = case((HAS_PROBABILITY, "probability"), else_="arr")


@dataclass(frozen=True, slots=True)
class ListedAlert:
    """An alert with its account's name, the state of its rule and the revenue at risk.

    ``basis``: ``probability`` or ``arr``, as in ``revenue_at_risk_basis``.
    """

    alert: Alert
    name: str | None
    stored: StoredState
    revenue_at_risk_cents: int
    basis: str


def _select_listed(workspace_id: str) -> Select[*tuple[Any, ...]]:
    return (
        select(Alert, Account.name, AlertState, REVENUE_AT_RISK, BASIS)
        .outerjoin(Account, same_account(Account, Alert))
        .outerjoin(HealthScore, same_account(HealthScore, Alert))
        .outerjoin(ChurnRisk, same_account(ChurnRisk, Alert))
        .outerjoin(AlertState, SAME_RULE)
        .where(Alert.workspace_id == workspace_id)
    )


def _listed(row: Any) -> ListedAlert:  # noqa: ANN401 - a row of _select_listed
    stored = StoredState.from_row(row[2]) if row[2] is not None else StoredState()
    return ListedAlert(row[0], row[1], stored, row[3], row[4])


def get_alert(session: Session, workspace_id: str, alert_id: str) -> ListedAlert:
    row = session.execute(_select_listed(workspace_id).where(Alert.id == alert_id)).one_or_none()
    if row is None:
        raise NotFoundError("alert", alert_id)
    return _listed(row)


def list_alerts(
    session: Session,
    workspace_id: str,
    *,
    state: str,
    where: Mapping[str, str],
    now: datetime,
    after: tuple[int, str] | None,
    limit: int,
) -> list[ListedAlert]:
    """List alerts, the largest revenue at risk first. ``where``: values of columns by name."""
    rows = _select_listed(workspace_id).where(*_in_state(state, now))
    rows = rows.where(*(getattr(Alert, name) == value for name, value in where.items()))
    if after is not None:
        rows = rows.where(tuple_(-REVENUE_AT_RISK, Alert.id) > (-after[0], after[1]))
    ordered = rows.order_by(-REVENUE_AT_RISK, Alert.id).limit(limit)
    return [_listed(row) for row in session.execute(ordered)]


def _in_state(state: str, now: datetime) -> Sequence[ColumnElement[bool]]:
    is_open = Alert.resolved_at.is_(None)
    snoozed = func.coalesce(AlertState.snoozed_until > now, False)
    return {
        "active": (is_open,),
        "open": (is_open, Alert.acknowledged_at.is_(None)),
        "acknowledged": (is_open, Alert.acknowledged_at.is_not(None)),
        "snoozed": (is_open, snoozed),
        "resolved": (Alert.resolved_at.is_not(None),),
        "all": (),
    }[state]


def lock_alert(
    session: Session, workspace_id: str, alert_id: str
) -> tuple[Alert, AlertState | None]:
    """Lock the state of the rule for the account, then the alert, as evaluations do."""
    alert = get_alert(session, workspace_id, alert_id).alert
    key = (workspace_id, alert.account_id, alert.rule_key)
    state = session.get(AlertState, key, with_for_update=True, populate_existing=True)
    session.refresh(alert, with_for_update=True)
    return alert, state


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
    return locked, queries.lock_open_alerts(session, workspace_id, Alert.rule_key == rule_key)


@dataclass(frozen=True, slots=True)
class AlertRuleStats:
    """Numbers of alerts that a rule has opened, by state and by feedback."""

    opened: int
    open: int
    resolved: int
    acknowledged: int
    valid: int
    false_positive: int
    too_early: int

    @property
    def false_positive_rate(self) -> float | None:
        rated = self.valid + self.false_positive + self.too_early
        return round(self.false_positive / rated, 4) if rated else None


def load_rule_stats(session: Session, workspace_id: str, rule_key: str) -> AlertRuleStats:
    conditions = (
        Alert.resolved_at.is_(None),
        Alert.resolved_at.is_not(None),
        Alert.acknowledged_at.is_not(None),
        *(Alert.feedback == verdict for verdict in ("valid", "false_positive", "too_early")),
    )
    row = session.execute(
        select(func.count(), *(func.count().filter(condition) for condition in conditions)).where(
            Alert.workspace_id == workspace_id, Alert.rule_key == rule_key
        )
    ).one()
    return AlertRuleStats(*map(int, row))
