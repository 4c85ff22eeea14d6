from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.alerts.rules import BUILT_IN_RULES, AlertRuleConfig
from app.alerts.tables import AlertRule


def load_active_rules(
    session: Session, workspace_id: str
) -> dict[str, tuple[int, AlertRuleConfig]]:
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
    return session.scalars(
        select(AlertRule)
        .where(AlertRule.workspace_id == workspace_id, AlertRule.key == key)
        .order_by(AlertRule.version.desc())
    ).all()


def deactivate_rule(session: Session, workspace_id: str, key: str) -> None:
    session.execute(
        update(AlertRule)
        .where(AlertRule.workspace_id == workspace_id, AlertRule.key == key, AlertRule.active)
        .values(active=False)
    )


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
    newest = session.scalar(
        select(func.max(AlertRule.version)).where(
            AlertRule.workspace_id == workspace_id, AlertRule.key == key
        )
    )
    version = 1 + (newest or (1 if key in BUILT_IN_RULES else 0))
    deactivate_rule(session, workspace_id, key)
    row = AlertRule(
        workspace_id=workspace_id,
        key=key,
        version=version,
        active=True,
        config=config,
        created_at=now,
        created_by=actor,
    )
    session.add(row)
    session.flush()
    return version
