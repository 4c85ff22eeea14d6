from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.alerts.rules import BUILT_IN, Rule
from app.alerts.tables import AlertRule


def rules(session: Session, workspace_id: str) -> dict[str, tuple[int, Rule]]:
    """Return the rules that hold by key, each with its version: stored ones before built-in."""
    stored = session.execute(
        select(AlertRule.key, AlertRule.version, AlertRule.config).where(
            AlertRule.workspace_id == workspace_id, AlertRule.active
        )
    )
    said = {row.key: (row.version, Rule.model_validate(row.config)) for row in stored}
    return {**{key: (1, rule) for key, rule in BUILT_IN.items()}, **said}


def versions(session: Session, workspace_id: str, key: str) -> Sequence[AlertRule]:
    """Oldest first."""
    return session.scalars(
        select(AlertRule)
        .where(AlertRule.workspace_id == workspace_id, AlertRule.key == key)
        .order_by(AlertRule.version)
    ).all()
