"""Merge the incidents of two accounts: the target was affected when either of them was."""

from datetime import date

from sqlalchemy.orm import Session

from app.core.sql import load_sql
from app.engagement.versions.facts import ObjectKind
from app.engagement.versions.record_facts import compute_versions, lock_objects

SQL = load_sql(__file__)


def merge_incidents(
    session: Session, workspace_id: str, account_id: str, *, target_id: str
) -> None:
    """Give the incident facts of an account to another one, and compute their versions again."""
    values = {"workspace_id": workspace_id, "account_id": account_id, "target_id": target_id}
    ids = session.scalars(SQL.incident_ids, values).all()
    keys = [(ObjectKind.INCIDENT, each) for each in ids]
    if not keys:
        return
    lock_objects(session, workspace_id, dict.fromkeys(keys))
    session.execute(SQL.move_facts, values)
    compute_versions(session, workspace_id, dict.fromkeys(keys, date.min))
