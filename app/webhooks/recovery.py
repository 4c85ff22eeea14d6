"""Messages of a range of time to one endpoint once more, as a durable job."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.errors import FieldError, UnprocessableError
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob
from app.jobs.tables import Job
from app.webhooks import queries
from app.webhooks.fan_out import OutgoingMessage, fan_out
from app.webhooks.service import require_enabled_endpoint
from app.workspaces.service import Actor

KIND = "webhook_recovery"
PAGE_SIZE = 500
REDELIVERED_STATES = ("failed",)
"""What was delivered stays so, and what is under way stays under way."""


def enqueue_recovery(
    session: Session, by: Actor, endpoint_id: str, *, since: datetime, until: datetime
) -> Job:
    """Have an endpoint get what it missed: what failed, and what was never meant for it."""
    if since >= until:
        wrong = FieldError("/body/since", "It must lie before until.")
        raise UnprocessableError("This is no range of time.", errors=[wrong])
    require_enabled_endpoint(session, by.workspace_id, endpoint_id)
    config = {"endpoint_id": endpoint_id, "after": _first_id(since), "before": _first_id(until)}
    progress = {"messages": 0, "deliveries": 0}
    return jobs.enqueue(
        session, by.workspace_id, KIND, config, actor=by.actor, now=by.at, progress=progress
    )


def _first_id(at: datetime) -> str:
    """Return what lies just before the ids of messages of this moment."""
    return f"msg_{max(round(at.timestamp() * 1000), 0):012x}"


def recover_page(sessions: SessionFactory, work: ClaimedJob, now: datetime) -> bool:
    """Ask for one page of messages again. Returns whether there is more."""
    with transaction(sessions) as session:
        config, workspace_id = work.config, work.workspace_id
        endpoint = require_enabled_endpoint(session, workspace_id, config["endpoint_id"])
        after = work.position.get("after", config["after"])
        messages = queries.list_messages_between(
            session, workspace_id, after=after, before=config["before"], limit=PAGE_SIZE
        )
        told = [OutgoingMessage.of(message) for message in messages]
        asked = fan_out(session, workspace_id, told, [endpoint], again=REDELIVERED_STATES, now=now)
        progress = {
            "messages": work.progress["messages"] + len(told),
            "deliveries": work.progress["deliveries"] + asked,
        }
        position = {"after": told[-1].id if told else after}
        jobs.checkpoint(session, work, position=position, progress=progress, now=now)
    return len(told) == PAGE_SIZE
