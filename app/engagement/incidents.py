"""Whom an incident affects, and who people are for us in their accounts."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts import queries as accounts
from app.accounts.tables import User
from app.core.errors import NotFoundError
from app.engagement import apply_events, row_queries
from app.engagement.parse_events import StatementRow
from app.engagement.service import audit_change, mark_account_due
from app.engagement.tables import Incident
from app.workspaces.service import Actor


def put_incident(
    session: Session, change: Actor, incident_id: str, said: Mapping[str, Any]
) -> Incident:
    """Create or replace an incident and whom it affects."""
    workspace_id, today = change.workspace_id, change.at.date()
    columns = {"title": said["title"], "declared_at": said["declared_at"] or change.at}
    created = accounts.ensure(
        session, workspace_id, Incident, incident_id, **columns, known_on=today
    )
    row = row_queries.get(session, workspace_id, Incident, incident_id, lock=True)
    row.title, row.declared_at = said["title"], said["declared_at"] or row.declared_at
    if row.ended_at != said["ended_at"]:
        row.ended_at, row.ended_known_on = said["ended_at"], today if said["ended_at"] else None
    session.flush()
    _put_affected(session, change, incident_id, said)
    verb = "declared" if created else "changed"
    audit_change(session, change, f"incident.{verb}", incident_id, {"title": said["title"]})
    return row


def _put_affected(
    session: Session, change: Actor, incident_id: str, said: Mapping[str, Any]
) -> None:
    workspace_id = change.workspace_id
    current = aliases.current_ids(session, workspace_id, said["account_ids"])
    wanted = sorted({current.get(each, each) for each in said["account_ids"]})
    before = {
        each.account_id
        for each in row_queries.list_affected_accounts(session, workspace_id, [incident_id])
    }
    row_queries.delete_affected_accounts(session, workspace_id, incident_id, others_than=wanted)
    base = {"n": 0, "incident_id": incident_id, "account_ids": wanted, "at": change.at}
    rows = [StatementRow(0, "affected", base)]
    if said["apology_sent_at"]:
        rows.append(StatementRow(0, "apology", base | {"at": said["apology_sent_at"]}))
    apply_events.apply_rows(session, workspace_id, rows, known_on=change.at.date())
    after = _affected_account_ids(session, workspace_id, incident_id)
    if missing := sorted(set(wanted) - after):
        raise NotFoundError("account", missing[0])
    accounts.mark_due(session, workspace_id, before | after)


def _affected_account_ids(session: Session, workspace_id: str, incident_id: str) -> set[str]:
    rows = row_queries.list_affected_accounts(session, workspace_id, [incident_id])
    return {row.account_id for row in rows}


def put_user_roles(
    session: Session, change: Actor, user_id: str, roles: Collection[str]
) -> list[str]:
    """Let a person have these roles from now on, and no others."""
    user = accounts.get(session, change.workspace_id, User, user_id, lock=True)
    row_queries.put_roles(session, change.workspace_id, user_id, roles, on=change.at.date())
    audit_change(session, change, "person.roles", user_id, {"roles": sorted(set(roles))})
    if user.account_id is not None:
        mark_account_due(session, change, user.account_id)
    return sorted(set(roles))
