"""The reply standards of a workspace, and when the first replies to its tickets are due."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority, mark_all_due
from app.core.query_helpers import find_row, get_row
from app.core.row_queries import ensure_row
from app.engagement import detail_queries
from app.engagement.reply_standards.standards import ReplyStandards
from app.engagement.reply_standards.tables import ReplyStandardsRow
from app.engagement.tables import Ticket
from app.workspaces.service import Actor


def find_standards_row(session: Session, workspace_id: str) -> ReplyStandardsRow | None:
    return find_row(session, ReplyStandardsRow, (workspace_id,))


def get_standards(session: Session, workspace_id: str) -> ReplyStandards:
    """Return the standards of a workspace, or the defaults."""
    row = find_standards_row(session, workspace_id)
    return ReplyStandards(**row.standards) if row else ReplyStandards()


def put_standards(session: Session, actor: Actor, standards: Mapping[str, Any]) -> None:
    """Replace the standards and mark all accounts due; equal standards change nothing.

    ``standards``: fields of ``ReplyStandards``; one that is left out has its default.
    """
    workspace_id = actor.workspace_id
    columns = {"standards": standards, "changed_at": actor.at, "changed_by": actor.name}
    created = ensure_row(session, workspace_id, ReplyStandardsRow, **columns)
    row = get_row(session, ReplyStandardsRow, (workspace_id,), lock=True)
    if not created and row.standards == standards:
        return
    row.apply_changes(columns)
    actor.audit(session, "reply_standards.changed", workspace_id, standards)
    mark_all_due(session, workspace_id, priority=Priority.SILENT)


def load_reply_due_times(
    session: Session, workspace_id: str, tickets: Sequence[Ticket]
) -> dict[str, datetime]:
    """Return when the first reply is due, by ticket, of those that still wait for it.

    A ticket that was closed once and is open again does not wait: closing counts as a reply.
    """
    open_tickets = [each for each in tickets if not (each.replied_at or each.closed_at)]
    if not open_tickets:
        return {}
    ids = [each.ticket_id for each in open_tickets]
    closed_before = detail_queries.list_closed_before(session, workspace_id, ids)
    standards = get_standards(session, workspace_id)
    return {
        each.ticket_id: each.opened_at + standards.reply_time(each.channel, each.priority)
        for each in open_tickets
        if each.opened_at and each.ticket_id not in closed_before
    }
