"""Write incidents and the accounts that they affect."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import aliases
from app.accounts.refresh_queue import mark_due
from app.core.errors import NotFoundError
from app.engagement import detail_queries
from app.engagement.apply_events import existing_accounts
from app.engagement.service import audit_change
from app.engagement.tables import Incident
from app.engagement.versions import objects
from app.engagement.versions.facts import FactKind, ObjectKind
from app.engagement.versions.record_facts import record_facts
from app.workspaces.service import Actor

AccountCall = tuple[FactKind, Mapping[str, object]]
"""What a call says about an affected account."""


def put_incident(
    session: Session, actor: Actor, incident_id: str, fields: Mapping[str, Any]
) -> Incident:
    """Create or replace an incident and its affected accounts. The same again changes nothing."""
    wanted = _require_accounts(session, actor, fields["account_ids"])
    row = objects.lock_present(session, actor, Incident, incident_id)
    affected = detail_queries.list_affected_accounts(session, actor.workspace_id, [incident_id])
    before = {each.account_id for each in affected}
    declared_at = fields["declared_at"] or (row.declared_at if row else actor.at)
    columns = {"title": fields["title"], "declared_at": declared_at}
    if fields["ended_at"] != (row.ended_at if row else None):
        columns["ended_at"] = fields["ended_at"]
    if row is None or any(getattr(row, name) != value for name, value in columns.items()):
        objects.record(session, actor, Incident, incident_id, FactKind.REPLACED, fields=columns)
    calls = [
        *_calls(FactKind.AFFECTED, wanted - before, is_affected=True, since=declared_at),
        *_calls(FactKind.AFFECTED, before - wanted, is_affected=False),
    ]
    if sent_at := fields["apology_sent_at"]:
        without = wanted - {each.account_id for each in affected if each.apology_sent_at}
        calls += _calls(FactKind.APOLOGY, without, sent_at=sent_at)
    _record(session, actor, incident_id, calls)
    verb = "changed" if row else "declared"
    audit_change(session, actor, f"incident.{verb}", incident_id, {"title": fields["title"]})
    mark_due(session, actor.workspace_id, before | wanted)
    return objects.get_present(session, Incident, actor.workspace_id, incident_id, lock=True)


def _calls(kind: FactKind, account_ids: Iterable[str], **fields: object) -> Iterator[AccountCall]:
    return ((kind, {"account_id": each, **fields}) for each in sorted(account_ids))


def _record(session: Session, actor: Actor, incident_id: str, calls: Iterable[AccountCall]) -> None:
    at = objects.next_time(session, actor, Incident, incident_id)
    key = (ObjectKind.INCIDENT, incident_id)
    facts = [objects.api_fact(actor, key, kind, at, fields) for kind, fields in calls]
    record_facts(session, actor.workspace_id, facts)


def _require_accounts(session: Session, actor: Actor, account_ids: list[str]) -> set[str]:
    """Return the current ids of accounts; raise ``NotFoundError`` if one does not exist."""
    current = aliases.current_ids(session, actor.workspace_id, account_ids)
    wanted = {current.get(each, each) for each in account_ids}
    existing = existing_accounts(session, actor.workspace_id, sorted(wanted))
    if missing := sorted(wanted - existing):
        raise NotFoundError("account", missing[0])
    return wanted
