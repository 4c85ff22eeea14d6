from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.alerts.rules import BUILT_IN, Rule
from app.alerts.tables import AlertRule


def rules(session: Session, workspace_id: str) -> dict[str, tuple[int, Rule]]:
    """Return the rules that hold, in the order of their keys, each with its version.

    What is stored goes before what is built in.
    """
    stored = session.execute(
        select(AlertRule.key, AlertRule.version, AlertRule.config).where(
            AlertRule.workspace_id == workspace_id, AlertRule.active
        )
    )
    said = {row.key: (row.version, Rule.model_validate(row.config)) for row in stored}
    known = {**{key: (1, rule) for key, rule in BUILT_IN.items()}, **said}
    return {key: known[key] for key in sorted(known)}


def versions(session: Session, workspace_id: str, key: str) -> Sequence[AlertRule]:
    """Newest first; a version that is built in is not among them."""
    return session.scalars(
        select(AlertRule)
        .where(AlertRule.workspace_id == workspace_id, AlertRule.key == key)
        .order_by(AlertRule.version.desc())
    ).all()


def retire(session: Session, workspace_id: str, key: str) -> None:
    session.execute(
        update(AlertRule)
        .where(AlertRule.workspace_id == workspace_id, AlertRule.key == key, AlertRule.active)
        .values(active=False)
    )


def replace(
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
    version = 1 + (newest or (1 if key in BUILT_IN else 0))
    retire(session, workspace_id, key)
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
