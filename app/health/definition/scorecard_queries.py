"""Queries of scorecard versions."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import fetch_page
from app.core.version_queries import get_newest_number
from app.health.definition.scorecard import Scorecard
from app.health.tables import Scorecard as StoredScorecard

SCORECARDS_LOCK = "scorecards"
"""Advisory lock: one transaction at a time adds, activates or discards versions."""

DISCARDED = "discarded"
"""State of a deleted draft: hidden everywhere, but its version number is not reused."""


def find_active_version(session: Session, workspace_id: str) -> StoredScorecard | None:
    """Return the active version, or None if version 1 is active and not stored."""
    rows = select(StoredScorecard).filter_by(workspace_id=workspace_id, state="active")
    return session.scalar(rows)


def get_active_scorecard(session: Session, workspace_id: str) -> tuple[int, Scorecard]:
    """Return number and config of the active version, or of the built-in version 1."""
    row = find_active_version(session, workspace_id)
    return (row.version, Scorecard.model_validate(row.config)) if row else (1, Scorecard())


def list_measure_names(session: Session, workspace_id: str) -> set[str]:
    """Return the measure names of the active version and of all drafts."""
    _, active = get_active_scorecard(session, workspace_id)
    drafts = session.scalars(
        select(StoredScorecard.config).filter_by(workspace_id=workspace_id, state="draft")
    )
    versions = [active, *map(Scorecard.model_validate, drafts)]
    return {measure.name for version in versions for measure in version.measures}


def get_scorecard_config(session: Session, workspace_id: str, version: int) -> Scorecard:
    """Return the config of a version or raise NotFoundError. Version 1 may be built in."""
    if version == 1 and not get_newest_number(session, workspace_id, StoredScorecard.version):
        return Scorecard()
    return Scorecard.model_validate(get_scorecard(session, workspace_id, version).config)


def get_scorecard(session: Session, workspace_id: str, version: int) -> StoredScorecard:
    """Return the row of a version; raise NotFoundError also for a discarded draft."""
    row = session.get(StoredScorecard, (workspace_id, version))
    if row is None or row.state == DISCARDED:
        raise NotFoundError("scorecard", version)
    return row


def list_scorecards(
    session: Session, workspace_id: str, paging: Paging
) -> RowPage[StoredScorecard]:
    """Return a page of versions, newest first, without discarded drafts."""
    rows = select(StoredScorecard).where(
        StoredScorecard.workspace_id == workspace_id, StoredScorecard.state != DISCARDED
    )
    return fetch_page(session, rows, StoredScorecard.version, paging=paging, descending=True)
