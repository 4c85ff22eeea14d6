"""The job that delivers to one endpoint the messages that it missed in a time range."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.errors import FieldError, UnprocessableError
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob
from app.jobs.tables import Job
from app.webhooks import queries
from app.webhooks.outbox import OutgoingMessage, fan_out
from app.webhooks.service import require_enabled_endpoint
from app.workspaces.service import Actor

KIND = "webhook_recovery"
PAGE_SIZE = 500
REDELIVERED_STATES = ("failed",)
"""Delivered messages are not sent again, and pending ones stay as they are."""


def enqueue_recovery(
    session: Session, actor: Actor, endpoint_id: str, *, since: datetime, until: datetime
) -> Job:
    """Start the job for messages created from ``since`` on and before ``until``.

    It delivers messages whose delivery failed or that have no delivery to the endpoint yet.
    """
    if since >= until:
        error = FieldError("/body/since", "It must be before `until` (default: now).")
        raise UnprocessableError("`since` must be before `until`.", errors=[error])
    require_enabled_endpoint(session, actor.workspace_id, endpoint_id)
    config = {"endpoint_id": endpoint_id, "after": _id_before(since), "before": _id_before(until)}
    progress = {"messages": 0, "deliveries": 0}
    return jobs.enqueue(session, actor, KIND, config, progress=progress)


def _id_before(at: datetime) -> str:
    """Return a text that sorts just before the message ids of this millisecond."""
    return f"msg_{max(round(at.timestamp() * 1000), 0):012x}"


def recover_page(sessions: SessionFactory, job: ClaimedJob, now: datetime) -> bool:
    """Create the deliveries of one page of messages. Return whether more remain."""
    with transaction(sessions) as session:
        config, workspace_id = job.config, job.workspace_id
        endpoint = require_enabled_endpoint(session, workspace_id, config["endpoint_id"])
        after = job.position.get("after", config["after"])
        rows = queries.list_messages_between(
            session, workspace_id, after=after, before=config["before"], limit=PAGE_SIZE
        )
        messages = [OutgoingMessage.from_row(row) for row in rows]
        created = fan_out(
            session, workspace_id, messages, [endpoint], again=REDELIVERED_STATES, now=now
        )
        progress = {
            "messages": job.progress["messages"] + len(messages),
            "deliveries": job.progress["deliveries"] + created,
        }
        position = {"after": messages[-1].id if messages else after}
        jobs.checkpoint(session, job, position=position, progress=progress, now=now)
    return len(messages) == PAGE_SIZE
