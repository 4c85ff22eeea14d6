"""Messages of a range of time to one endpoint once more, as a durable job."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.core.db import SessionFactory, transaction
from app.core.errors import FieldError, UnprocessableError
from app.jobs import service as jobs
from app.jobs.service import Work
from app.jobs.tables import Job
from app.webhooks import queries
from app.webhooks.fanning import Told, fan_out
from app.webhooks.service import reachable
from app.workspaces.service import Actor

KIND = "webhook_recovery"
AT_ONCE = 500
AGAIN = ("failed",)
"""What was delivered stays so, and what is under way stays under way."""


def order(
    session: Session, by: Actor, endpoint_id: str, *, since: datetime, until: datetime
) -> Job:
    """Have an endpoint get what it missed: what failed, and what was never meant for it."""
    if since >= until:
        wrong = FieldError("/body/since", "It must lie before until.")
        raise UnprocessableError("This is no range of time.", errors=[wrong])
    reachable(session, by.workspace_id, endpoint_id)
    config = {"endpoint_id": endpoint_id, "after": _first_id(since), "before": _first_id(until)}
    progress = {"messages": 0, "deliveries": 0}
    return jobs.enqueue(
        session, by.workspace_id, KIND, config, actor=by.actor, now=by.at, progress=progress
    )


def _first_id(at: datetime) -> str:
    """Return what lies just before the ids of messages of this moment."""
    return f"msg_{max(round(at.timestamp() * 1000), 0):012x}"


def recover_page(sessions: SessionFactory, work: Work, now: datetime) -> bool:
    """Ask for one page of messages again. Returns whether there is more."""
    with transaction(sessions) as session:
        config, workspace_id = work.config, work.workspace_id
        endpoint = reachable(session, workspace_id, config["endpoint_id"])
        after = work.position.get("after", config["after"])
        messages = queries.messages_between(
            session, workspace_id, after=after, before=config["before"], limit=AT_ONCE
        )
        told = [Told.of(message) for message in messages]
        asked = fan_out(session, workspace_id, told, [endpoint], again=AGAIN, now=now)
        progress = {
            "messages": work.progress["messages"] + len(told),
            "deliveries": work.progress["deliveries"] + asked,
        }
        position = {"after": told[-1].id if told else after}
        jobs.checkpoint(session, work, position=position, progress=progress, now=now)
    return len(told) == AT_ONCE
