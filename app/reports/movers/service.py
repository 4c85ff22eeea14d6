"""The accounts whose score moved the most, with the main reason of each."""

from collections.abc import Sequence
from datetime import datetime, timedelta
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
    """Load the accounts that rose and fell the most: five statements, however many they are."""
    rows = queries.list_movers(session, workspace_id, days=days, owner=owner, limit=limit)
    before, after = _load_snapshots(session, workspace_id, rows, timedelta(days=days))
    return MoversOut(
        days=days,
        until=now.date(),
        movers=[
            _mover(row, before.get(row.account_id), after.get(row.account_id), language)
            for row in rows
        ],
    )


def _load_snapshots(
    session: Session, workspace_id: str, rows: Sequence[Row[Any]], period: timedelta
) -> tuple[dict[str, ScoreSnapshot], dict[str, ScoreSnapshot]]:
    """Return the scores of all movers then and now, by account."""
    days = {row.account_id: (row.as_of - period, row.as_of) for row in rows}
    wanted = [(key, day) for key, both in days.items() for day in both]
    stored = queries.load_history_rows(session, workspace_id, wanted)
    snapshots = SnapshotReader(session, workspace_id).read_all(stored)
    before: dict[str, ScoreSnapshot] = {}
    after: dict[str, ScoreSnapshot] = {}
    for each in snapshots:
        is_before = each.row.as_of <= days[each.row.account_id][0]
        (before if is_before else after)[each.row.account_id] = each
    return before, after


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
