"""The accounts whose score moved the most, with the main reason of each."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.languages import Language
from app.health.explanations.service import change_rows
from app.health.explanations.snapshots import ScoreSnapshot, SnapshotReader
from app.reports.movers import queries
from app.reports.movers.schemas import MovedAccount, MoversOut


def load_movers(
    session: Session,
    workspace_id: str,
    *,
    days: int,
    owner: str | None,
    limit: int,
    now: datetime,
    language: Language,
) -> MoversOut:
    """Load the accounts that rose and fell the most: two statements, however many they are."""
    rows = queries.list_movers(session, workspace_id, days=days, owner=owner, limit=limit)
    stored = [each for row in rows for each in (row.before, row.after) if each]
    snapshots = dict(
        zip(map(id, stored), SnapshotReader(session, workspace_id).read_all(stored), strict=True)
    )
    return MoversOut(
        days=days,
        until=now.date(),
        movers=[
            _mover(row, snapshots.get(id(row.before)), snapshots.get(id(row.after)), language)
            for row in rows
        ],
    )


def _mover(
    row: Row[Any], before: ScoreSnapshot | None, after: ScoreSnapshot | None, language: Language
) -> MovedAccount:
    return MovedAccount.from_row(
        row,
        band_before=before.row.band if before else None,
        reason=_main_reason(row.direction, before, after, language),
    )


def _main_reason(
    direction: str, before: ScoreSnapshot | None, after: ScoreSnapshot | None, language: Language
) -> str | None:
    """Return the effect with the most points, as the explanation of the change shows it.

    None if one of the scores cannot be computed again.
    """
    if before is None or after is None or not (before.scored_day and after.scored_day):
        return None
    scores = before.row.score or 0.0, after.row.score or 0.0
    rows = change_rows(before.scored_day, after.scored_day, scores, language)
    find = max if direction == "up" else min
    return find(rows, key=lambda row: row.points).sentence if rows else None
