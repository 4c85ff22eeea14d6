"""Draft, activate and discard versions of the scorecard. A stored version never changes."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority, mark_all_due
from app.core.errors import ConflictError
from app.core.query_helpers import advisory_lock
from app.core.version_queries import get_newest_number, insert_row
from app.health.definition import scorecard_queries as queries
from app.health.definition.scorecard import Scorecard
from app.health.definition.scorecard_queries import SCORECARDS_LOCK
from app.health.tables import Scorecard as StoredScorecard
from app.webhooks import outbox
from app.webhooks.outbox import NewMessage
from app.workspaces.queries import get_workspace
from app.workspaces.service import Actor

BUILT_IN_ACTOR = "built in"


def draft(session: Session, actor: Actor, scorecard: Scorecard) -> StoredScorecard:
    """Store a new version as a draft; store the built-in version 1 first if it is not stored."""
    workspace_id = actor.workspace_id
    advisory_lock(session, SCORECARDS_LOCK, workspace_id)
    newest = get_newest_number(session, workspace_id, StoredScorecard.version)
    if not newest:
        newest = 1
        insert_row(session, workspace_id, StoredScorecard, **_built_in(actor.at))
    row = insert_row(
        session,
        workspace_id,
        StoredScorecard,
        version=newest + 1,
        state="draft",
        config=scorecard.model_dump(mode="json"),
        created_at=actor.at,
        created_by=actor.name,
    )
    actor.audit(session, "scorecard.drafted", str(row.version))
    return row


def activate(session: Session, actor: Actor, version: int) -> StoredScorecard:
    """Make a version the active one and queue all accounts for scoring; publish a message.

    Activating the active version changes nothing.
    """
    workspace_id = actor.workspace_id
    advisory_lock(session, SCORECARDS_LOCK, workspace_id)
    row = queries.get_scorecard(session, workspace_id, version)
    if row.state != "active":
        previous = queries.find_active_version(session, workspace_id)
        if previous is not None:
            previous.state, previous.retired_at = "retired", actor.at
            session.flush()  # at most one version is active at a time
        row.state, row.retired_at = "active", None
        row.activated_at, row.activated_by = actor.at, actor.name
        session.flush()
        actor.audit(session, "scorecard.activated", str(version))
        mark_all_due(session, workspace_id, priority=Priority.SWEEP)
        data = {
            "link": f"/api/v1/scorecards/{version}",
            "version": version,
            "previous_version": previous.version if previous else 1,
        }
        message = NewMessage("scorecard.activated", data)
        outbox.publish(session, workspace_id, [message], now=actor.at)
    return row


def discard(session: Session, actor: Actor, version: int) -> None:
    """Discard a draft; raise ConflictError for other versions. Its number is not used again."""
    advisory_lock(session, SCORECARDS_LOCK, actor.workspace_id)
    row = queries.get_scorecard(session, actor.workspace_id, version)
    if row.state != "draft":
        raise ConflictError(
            f"Version {version} is {row.state}: only a draft can be discarded.", code="not_a_draft"
        )
    row.state, row.retired_at = queries.DISCARDED, actor.at
    actor.audit(session, "scorecard.discarded", str(version))


def find_built_in(session: Session, workspace_id: str) -> StoredScorecard | None:
    """Return the built-in version 1 as an unsaved row, or None if versions are stored."""
    if get_newest_number(session, workspace_id, StoredScorecard.version):
        return None
    at = get_workspace(session, workspace_id).created_at
    return StoredScorecard(workspace_id=workspace_id, **_built_in(at))


def _built_in(at: datetime) -> dict[str, Any]:
    return {
        "version": 1,
        "state": "active",
        "config": Scorecard().model_dump(mode="json"),
        "created_at": at,
        "created_by": BUILT_IN_ACTOR,
        "activated_at": at,
        "activated_by": BUILT_IN_ACTOR,
    }
