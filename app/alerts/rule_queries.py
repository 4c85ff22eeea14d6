from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.alerts.rule_values import RiskValue
from app.alerts.rules import BUILT_IN_RULES, AlertRuleConfig
from app.alerts.tables import Alert, AlertRule
from app.churn.tables import ChurnModel, ChurnRisk, ChurnRiskHistory
from app.core.version_queries import get_newest_number, insert_row

VersionedRule = tuple[int, AlertRuleConfig]


def load_active_rules(session: Session, workspace_id: str) -> dict[str, VersionedRule]:
    """Return the active rules with their versions, in key order.

    A stored version replaces the built-in one.
    """
    rows = session.execute(
        select(AlertRule.key, AlertRule.version, AlertRule.config).where(
            AlertRule.workspace_id == workspace_id, AlertRule.active
        )
    )
    stored = {row.key: (row.version, AlertRuleConfig.model_validate(row.config)) for row in rows}
    rules = {**{key: (1, rule) for key, rule in BUILT_IN_RULES.items()}, **stored}
    return {key: rules[key] for key in sorted(rules)}


def list_versions(session: Session, workspace_id: str, key: str) -> Sequence[AlertRule]:
    """List the stored versions, newest first; a built-in version is not stored."""
    rows = select(AlertRule).filter_by(workspace_id=workspace_id, key=key)
    return session.scalars(rows.order_by(AlertRule.version.desc())).all()


def deactivate_rule(session: Session, workspace_id: str, key: str) -> None:
    rule = update(AlertRule).filter_by(workspace_id=workspace_id, key=key, active=True)
    session.execute(rule.values(active=False))


def insert_version(
    session: Session,
    workspace_id: str,
    key: str,
    config: dict[str, Any],
    *,
    actor: str,
    now: datetime,
) -> int:
    """Insert the next version and activate it. Return its number."""
    newest = get_newest_number(session, workspace_id, AlertRule.version, key=key)
    version = 1 + (newest or int(key in BUILT_IN_RULES))
    deactivate_rule(session, workspace_id, key)
    columns = {"active": True, "config": config, "created_at": now, "created_by": actor}
    insert_row(session, workspace_id, AlertRule, key=key, version=version, **columns)
    return version


def load_rule_stats(session: Session, workspace_id: str, key: str) -> Row[*tuple[int, ...]]:
    """Count the alerts that a rule has opened, by state and by feedback."""
    conditions = {
        "open": Alert.resolved_at.is_(None),
        "resolved": Alert.resolved_at.is_not(None),
        "acknowledged": Alert.acknowledged_at.is_not(None),
        **{name: Alert.feedback == name for name in ("valid", "false_positive", "too_early")},
    }
    counts = [func.count().filter(each).label(name) for name, each in conditions.items()]
    rows = select(func.count().label("opened"), *counts)
    return session.execute(
        rows.where(Alert.workspace_id == workspace_id, Alert.rule_key == key)
    ).one()


def find_last_model_change(session: Session, workspace_id: str) -> datetime | None:
    """Find when another churn model, or the rules instead of a model, last took over."""
    changed_at = func.max(func.greatest(ChurnModel.activated_at, ChurnModel.retired_at))
    statement = select(changed_at).where(ChurnModel.workspace_id == workspace_id)
    last: datetime | None = session.scalar(statement)
    return last


def load_risks(
    session: Session, workspace_id: str, account_ids: Collection[str], *, day: date | None = None
) -> dict[str, RiskValue]:
    """Return the current churn risks by account, or the last ones on or before a day.

    Accounts without a current risk level are omitted.
    """
    table = ChurnRisk if day is None else ChurnRiskHistory
    rows = select(table.account_id, table.probability, table.level, table.model_version).where(
        table.workspace_id == workspace_id, table.account_id.in_(account_ids)
    )
    if day is None:
        rows = rows.where(table.level.is_not(None))
    else:
        newest = rows.ext(distinct_on(table.account_id)).where(table.as_of <= day)
        rows = newest.order_by(table.account_id, table.as_of.desc())
    return {
        row.account_id: RiskValue(row.probability, row.level, row.model_version)
        for row in session.execute(rows)
    }
