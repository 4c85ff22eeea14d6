"""Versions of the scorecard: drafted, tried, activated, retired; never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.due import Priority
from app.accounts.queries import mark_all_due
from app.core.errors import ConflictError
from app.core.query_helpers import advisory_lock
from app.health.definition import scorecard_queries as queries
from app.health.definition.scorecard import Scorecard
from app.health.definition.scorecard_queries import SCORECARDS_LOCK
from app.health.tables import Scorecard as StoredScorecard
from app.webhooks import outbox
from app.webhooks.outbox import NewMessage
from app.workspaces.queries import get_workspace
from app.workspaces.service import Actor

BUILT_IN_ACTOR = "built in"


def draft(session: Session, change: Actor, wanted: Scorecard) -> StoredScorecard:
    """Store a new version. It scores nobody until it is activated."""
    workspace_id = change.workspace_id
    advisory_lock(session, SCORECARDS_LOCK, workspace_id)
    newest = queries.get_newest_version(session, workspace_id)
    if not newest:
        newest = queries.insert_scorecard(session, workspace_id, 1, **_built_in(change.at)).version
    row = queries.insert_scorecard(
        session,
        workspace_id,
        newest + 1,
        state="draft",
        config=wanted.model_dump(mode="json"),
        created_at=change.at,
        created_by=change.actor,
    )
    change.audit(session, "scorecard.drafted", str(row.version))
    return row


def activate(session: Session, change: Actor, version: int) -> StoredScorecard:
    """Let a version hold from now on; a retired one may come back. All are scored again."""
    workspace_id = change.workspace_id
    advisory_lock(session, SCORECARDS_LOCK, workspace_id)
    row = queries.get_scorecard(session, workspace_id, version)
    if row.state != "active":
        previous = queries.get_active_scorecard(session, workspace_id)[0]
        queries.retire_active_scorecard(session, workspace_id, now=change.at)
        row.state, row.retired_at = "active", None
        row.activated_at, row.activated_by = change.at, change.actor
        session.flush()
        change.audit(session, "scorecard.activated", str(version))
        mark_all_due(session, workspace_id, priority=Priority.SWEEP)
        link = f"/api/v1/scorecards/{version}"
        said = {"link": link, "version": version, "previous_version": previous}
        message = NewMessage("scorecard.activated", said)
        outbox.publish(session, workspace_id, [message], now=change.at)
    return row


def discard(session: Session, change: Actor, version: int) -> None:
    """Throw a draft away; what has scored anybody stays. Its number is not given again."""
    advisory_lock(session, SCORECARDS_LOCK, change.workspace_id)
    row = queries.get_scorecard(session, change.workspace_id, version)
    if row.state != "draft":
        raise ConflictError(
            f"Version {version} is {row.state}: what has held stays.", code="not_a_draft"
        )
    row.state, row.retired_at = queries.DISCARDED, change.at
    change.audit(session, "scorecard.discarded", str(version))


def find_built_in(session: Session, workspace_id: str) -> StoredScorecard | None:
    """Version 1, which is built in, where no version is stored."""
    if queries.get_newest_version(session, workspace_id):
        return None
    at = get_workspace(session, workspace_id).created_at
    return StoredScorecard(workspace_id=workspace_id, version=1, **_built_in(at))


def _built_in(at: datetime) -> dict[str, Any]:
    return {
        "state": "active",
        "config": Scorecard().model_dump(mode="json"),
        "created_at": at,
        "created_by": BUILT_IN_ACTOR,
        "activated_at": at,
        "activated_by": BUILT_IN_ACTOR,
    }
