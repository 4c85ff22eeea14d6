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
    """Return the rules that hold, in the order of their keys, each with its version.

    What is stored goes before what is built in.
    """
    stored = session.execute(
        select(AlertRule.key, AlertRule.version, AlertRule.config).where(
            AlertRule.workspace_id == workspace_id, AlertRule.active
        )
    )
    said = {row.key: (row.version, AlertRuleConfig.model_validate(row.config)) for row in stored}
    known = {**{key: (1, rule) for key, rule in BUILT_IN_RULES.items()}, **said}
    return {key: known[key] for key in sorted(known)}


def list_versions(session: Session, workspace_id: str, key: str) -> Sequence[AlertRule]:
    """Newest first; a version that is built in is not among them."""
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
    """Add the next version and let it hold. Returns its number."""
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
