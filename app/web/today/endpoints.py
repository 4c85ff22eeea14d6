"""The page Today: what needs somebody, why, and what to do about it."""

from datetime import timedelta
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from app.core.db import ReadSessionDep
from app.core.pagination import InvalidCursorError, Paging
from app.reports.movers.service import load_movers
from app.reports.today.queries import load_data_through
from app.reports.today.service import load_page
from app.web.alerts.inbox import SNOOZE_DAYS
from app.web.frame.page_route import PageRoute
from app.web.frame.visits import SEE_OTHER, Viewing

PATH = "/today"
PAGE_SIZE, MOVERS, MOVED_DAYS = 25, 5, 7

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get(PATH)
def show_today(visit: Viewing, session: ReadSessionDep) -> Response:
    """Show the accounts that need something, most money first; on the first page the movers too."""
    params = visit.request.query_params
    owner, cursor = params.get("owner") or None, params.get("cursor") or None
    try:
        page = load_page(
            session,
            visit.workspace_id,
            owner=owner,
            paging=Paging(PAGE_SIZE, cursor),
            now=visit.now,
            language=visit.language,
        )
    except InvalidCursorError:  # of a list that was left an hour ago
        return RedirectResponse(today_url(owner), SEE_OTHER)
    movers = None
    if cursor is None:
        movers = load_movers(
            session,
            visit.workspace_id,
            days=MOVED_DAYS,
            owner=owner,
            limit=MOVERS,
            now=visit.now,
            language=visit.language,
        )
    return visit.render(
        "today/today.html",
        __file__,
        page=page,
        movers=movers,
        moved_since=visit.now.date() - timedelta(days=MOVED_DAYS),
        data_through=load_data_through(session, visit.workspace_id),
        owner=owner,
        cursor=cursor,
        url=today_url,
        snooze_days=SNOOZE_DAYS,
    )


def today_url(owner: str | None = None, cursor: str | None = None) -> str:
    values = {"owner": owner, "cursor": cursor}
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{PATH}?{query}" if query else PATH
