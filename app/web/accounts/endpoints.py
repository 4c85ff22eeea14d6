"""Pages of accounts: the list, its file, saved segments, one account and its suggestions."""

import re
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.core.db import ReadSessionDep, SessionDep
from app.core.errors import UnprocessableError
from app.core.http.csv_responses import CONTENT_TYPE
from app.core.http.csv_tables import CsvTable, find_table
from app.core.http.csv_text import format_csv
from app.core.pagination import InvalidCursorError, Page
from app.interventions.intervention_service import apply_action
from app.interventions.schemas import DismissalIn
from app.interventions.states import InterventionAction
from app.portfolio import segment_service
from app.portfolio.envelope import read_envelope
from app.portfolio.schemas import AccountListItem, SegmentIn
from app.portfolio.tables import SavedSegment
from app.web.accounts.account_view import HISTORY_DAYS, load_overview, load_why
from app.web.accounts.chips import (
    OFFERED_FIELDS,
    OFFERED_OPS,
    ConditionError,
    build_condition,
    parts_of,
)
from app.web.accounts.list_state import COLUMNS, PATH, ListState
from app.web.accounts.list_view import load_list, load_rows
from app.web.accounts.work_view import load_feeling, load_people_page, load_work
from app.web.charts.history import history
from app.web.charts.sparkline import sparkline
from app.web.charts.strip import strip
from app.web.charts.waterfall import waterfall
from app.web.frame.page_route import PageRoute
from app.web.frame.rendering import texts
from app.web.frame.visits import SEE_OTHER, Acting, Viewing, Visit
from app.workspaces.resources import delete_row

COMPARED_DAYS = 28
TABS = ("overview", "why", "people", "timeline")
DRAWINGS = {"sparkline": sparkline, "strip": strip, "history": history, "waterfall": waterfall}

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/accounts")
def show_accounts(visit: Viewing, session: ReadSessionDep) -> Response:
    """Show the list. A condition from the form becomes part of the address."""
    params = visit.request.query_params
    state, error = ListState.parse(params), ""
    if "field" in params:
        try:
            condition = build_condition(
                params["field"], params.get("op", ""), params.get("value", "")
            )
            return RedirectResponse(state.with_condition(condition), SEE_OTHER)
        except ConditionError as invalid:
            error = str(invalid)
    if "column" in params:
        chosen = set(params.getlist("column"))
        columns = tuple(each for each in COLUMNS if each in chosen)
        return RedirectResponse(state.url(columns=columns), SEE_OTHER)
    try:
        view = load_list(session, visit, state)
    except InvalidCursorError:  # of a list that was left an hour ago
        return RedirectResponse(state.url(), SEE_OTHER)
    return visit.render(
        "accounts/accounts.html",
        __file__,
        state=state,
        view=view,
        chips=[(parts_of(each), each) for each in state.conditions],
        fields=OFFERED_FIELDS,
        ops=OFFERED_OPS,
        all_columns=COLUMNS,
        entered={name: params.get(name, "") for name in ("field", "op", "value")},
        error=error,
        draw=DRAWINGS,
    )


@router.get("/accounts.csv")
def get_accounts_file(visit: Viewing, session: ReadSessionDep) -> Response:
    """Return all accounts of the list as CSV, as the API writes it."""
    state = ListState.parse(visit.request.query_params)
    table: CsvTable | None = find_table(Page[AccountListItem])
    if table is None:
        raise AssertionError
    rows = list(load_rows(session, visit.workspace_id, state, visit.now))
    text = format_csv(table.columns, table.rows({"items": rows}, visit.currency))
    headers = {"Content-Disposition": 'attachment; filename="accounts.csv"'}
    return Response(text.encode(), media_type=CONTENT_TYPE.decode(), headers=headers)


@router.post("/accounts/segments")
def save_segment(visit: Acting, session: SessionDep) -> Response:
    """Save the filter of the list under a name; the same name replaces it."""
    state = ListState.parse(visit.form)
    name = visit.form.get("name", "").strip()
    key = re.sub(r"\W+", "-", name.lower()).strip("-")[:100]
    if not key:
        raise UnprocessableError("A segment needs a name with at least one letter or digit.")
    raw = {"and": [dict(each) for each in state.conditions]} if state.conditions else {}
    body = SegmentIn(name=name[:500], filter=raw)
    segment_service.put_segment(session, visit.actor, key, body.model_dump())
    return RedirectResponse(ListState(segment=key).url() + "&done=saved", SEE_OTHER)


@router.post("/accounts/segments/delete")
def delete_segment(visit: Acting, session: SessionDep) -> Response:
    """Delete a saved segment. The accounts in it do not change."""
    delete_row(session, visit.actor, SavedSegment, visit.form.get("segment", ""), kind="segment")
    return RedirectResponse(f"{PATH}?done=deleted", SEE_OTHER)


@router.get("/accounts/{account_id}")
def show_account(account_id: str, visit: Viewing, session: ReadSessionDep) -> Response:
    """Show an account: its state and what to do, why its score is what it is, what happened."""
    tab = visit.request.query_params.get("tab", "")
    shown = tab if tab in TABS else TABS[0]
    values: dict[str, Any] = {"tab": shown, "tabs": TABS, "draw": DRAWINGS}
    match shown:
        case "why":
            values |= _why(session, visit, account_id)
            return visit.render("accounts/account.html", __file__, **values)
        case "people" | "timeline":
            row, health = read_envelope(session, visit.workspace_id, account_id, visit.language)
            load = load_work if shown == "timeline" else load_people_page
            try:
                values |= {"row": row, "health": health, **load(session, visit, account_id)}
            except InvalidCursorError:
                return RedirectResponse(f"{PATH}/{account_id}?tab={shown}", SEE_OTHER)
        case _:
            view = load_overview(session, visit, account_id)
            values |= {"view": view, "row": view.row, "health": view.health}
    values["feeling"] = load_feeling(session, visit, account_id, values["health"].band)
    return visit.render("accounts/account.html", __file__, **values)


def _why(session: ReadSessionDep, visit: Visit, account_id: str) -> dict[str, Any]:
    row, health = read_envelope(session, visit.workspace_id, account_id, visit.language)
    since, until = compared_days(visit.request, visit.now.date())
    text = texts(__file__, visit.language)
    days = {"since": since, "until": until}
    why = load_why(session, visit, account_id, card_name=health.card, text=text, **days)
    first = visit.now.date() - timedelta(days=HISTORY_DAYS)
    return {
        "row": row,
        "health": health,
        "why": why,
        **days,
        "first": first,
        "last": visit.now.date(),
    }


def compared_days(request: Request, today: date) -> tuple[date, date]:
    """Return the two days of the address, in order; by default today and four weeks before."""
    until = _day(request.query_params.get("until")) or today
    since = _day(request.query_params.get("since")) or until - timedelta(days=COMPARED_DAYS)
    first, last = sorted((since, until))
    return max(first, date(1970, 1, 1)), min(last, today)


def _day(text: str | None) -> date | None:
    is_day = re.fullmatch(r"(19|20)\d{2}-\d{2}-\d{2}", text or "")
    try:
        return date.fromisoformat(text or "") if is_day else None
    except ValueError:
        return None


@router.post("/accounts/{account_id}/suggestions/{intervention_id}/accept")
def accept_suggestion(
    account_id: str, intervention_id: str, visit: Acting, session: SessionDep
) -> Response:
    """Accept a suggestion; the member is the one who does it."""
    values = {"assignee": visit.person.email}
    apply_action(session, visit.actor, intervention_id, InterventionAction.ACCEPT, values)
    return visit.back("accepted", default=f"{PATH}/{account_id}")


@router.post("/accounts/{account_id}/suggestions/{intervention_id}/dismiss")
def dismiss_suggestion(
    account_id: str, intervention_id: str, visit: Acting, session: SessionDep
) -> Response:
    """Dismiss a suggestion with a reason."""
    try:
        body = DismissalIn(reason=visit.form.get("reason", "").strip())
    except ValueError:
        raise UnprocessableError("Say why: the reason may have 1 to 500 characters.") from None
    values = body.model_dump()
    apply_action(session, visit.actor, intervention_id, InterventionAction.DISMISS, values)
    return visit.back("dismissed", default=f"{PATH}/{account_id}")
