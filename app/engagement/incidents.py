"""Write incidents and the accounts that they affect."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts.refresh_queue import mark_due
from app.core.errors import NotFoundError
from app.core.query_helpers import get_row
from app.core.row_queries import ensure_row
from app.engagement import detail_queries
from app.engagement.apply_events import apply_rows
from app.engagement.parse_events import StatementRow
from app.engagement.service import audit_change
from app.engagement.tables import Incident
from app.workspaces.service import Actor


def put_incident(
    session: Session, actor: Actor, incident_id: str, fields: Mapping[str, Any]
) -> Incident:
    """Create or replace an incident and its affected accounts."""
    workspace_id, today = actor.workspace_id, actor.at.date()
    columns = {"title": fields["title"], "declared_at": fields["declared_at"] or actor.at}
    created = ensure_row(session, workspace_id, Incident, incident_id, **columns, known_on=today)
    row = get_row(session, Incident, (workspace_id, incident_id), lock=True)
    row.title, row.declared_at = fields["title"], fields["declared_at"] or row.declared_at
    if row.ended_at != fields["ended_at"]:
        row.ended_at, row.ended_known_on = fields["ended_at"], today if fields["ended_at"] else None
    session.flush()
    _put_affected(session, actor, incident_id, fields)
    verb = "declared" if created else "changed"
    audit_change(session, actor, f"incident.{verb}", incident_id, {"title": fields["title"]})
    return row


def _put_affected(
    session: Session, actor: Actor, incident_id: str, fields: Mapping[str, Any]
) -> None:
    workspace_id = actor.workspace_id
    current = aliases.current_ids(session, workspace_id, fields["account_ids"])
    wanted = sorted({current.get(each, each) for each in fields["account_ids"]})
    before = _affected_account_ids(session, workspace_id, incident_id)
    detail_queries.delete_affected_accounts(session, workspace_id, incident_id, others_than=wanted)
    base = {"n": 0, "incident_id": incident_id, "account_ids": wanted, "at": actor.at}
    rows = [StatementRow(0, "affected", base)]
    if fields["apology_sent_at"]:
        rows.append(StatementRow(0, "apology", base | {"at": fields["apology_sent_at"]}))
    apply_rows(session, workspace_id, rows, known_on=actor.at.date())
    after = _affected_account_ids(session, workspace_id, incident_id)
    if missing := sorted(set(wanted) - after):
        raise NotFoundError("account", missing[0])
    mark_due(session, workspace_id, before | after)


def _affected_account_ids(session: Session, workspace_id: str, incident_id: str) -> set[str]:
    rows = detail_queries.list_affected_accounts(session, workspace_id, [incident_id])
    return {row.account_id for row in rows}
