"""One page of the list of alerts, for the API and the page in the browser."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from app.alerts import queries
from app.alerts.schemas import AlertOut
from app.changes.sort_change_queries import stable_position
from app.core.pagination import Page, Paging


def load_alert_page(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    state: str,
    where: Mapping[str, str | None],
    owner: str | None,
    now: datetime,
) -> Page[AlertOut]:
    """Return alerts, the largest revenue at risk first. ``where``, ``owner``: as in the query."""
    position = stable_position(session, workspace_id, paging, int, str, now=now)
    rows = queries.list_alerts(
        session,
        workspace_id,
        state=state,
        where=where,
        owner=owner,
        now=now,
        position=position,
        limit=paging.fetch_limit,
    )
    return paging.page(
        rows,
        lambda listed: AlertOut.from_listed(listed, now),
        lambda listed: (-listed[-2], listed[-1], *position.snapshot.cursor_parts()),
    )
