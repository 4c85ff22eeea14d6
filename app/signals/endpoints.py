"""Signals over HTTP: those of one account, those of all accounts, and their settings."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.accounts.queries import get_account
from app.core.db import ReadSessionDep, SessionDep
from app.core.http.language import LanguageDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page, PagingDep
from app.core.schemas import EventName, Id, problem_responses
from app.signals import queries, service
from app.signals.config import SignalConfig
from app.signals.schemas import SignalOut, SignalSettingsOut
from app.signals.signal import Severity
from app.signals.tables import SignalSettings
from app.workspaces.auth import AccountActor, Reader

router = APIRouter(
    prefix="/api/v1",
    tags=["signals"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=DeclaredRoute,
)

SignalNames = Annotated[
    list[EventName], Query(description="Only these signals. Repeat it for several.", max_length=100)
]
Severities = Annotated[
    list[Severity], Query(description="Only these severities. Repeat it for several.", max_length=4)
]


@router.get("/accounts/{account_id}/signals", summary="List the signals of an account")
def list_account_signals(
    account_id: Id,
    *,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    language: LanguageDep,
    everything: Annotated[
        bool, Query(alias="all", description="Also list cleared signals.")
    ] = False,
) -> Page[SignalOut]:
    """List the open signals of an account, newest first, each with one sentence.

    With `all=true` the list also contains cleared signals.
    """
    get_account(session, caller.workspace_id, account_id)
    page = queries.list_account_signals(
        session, caller.workspace_id, account_id, paging, everything=everything
    )
    names = queries.load_evidence_names(session, caller.workspace_id, page.rows)
    return page.to_page(lambda row: SignalOut.of(row, language, names))


@router.get("/signals", summary="List open signals")
def list_signals(
    *,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    language: LanguageDep,
    signal: SignalNames = [],  # noqa: B006 - FastAPI copies it
    severity: Severities = [],  # noqa: B006
) -> Page[SignalOut]:
    """List the open signals of all accounts, by account id."""
    page = queries.list_open_signals(
        session, caller.workspace_id, paging, names=signal, severities=severity
    )
    names = queries.load_evidence_names(session, caller.workspace_id, page.rows)
    return page.to_page(lambda row: SignalOut.of(row, language, names))


@router.get("/signal-settings", summary="Get the signal settings")
def get_signal_settings(session: ReadSessionDep, caller: Reader) -> SignalSettingsOut:
    """Return the thresholds of signals, the signals that are off, and the events of signals."""
    row = session.get(SignalSettings, caller.workspace_id)
    return SignalSettingsOut.of(service.get_config(session, caller.workspace_id), row)


@router.put("/signal-settings", summary="Replace the signal settings")
def put_signal_settings(
    body: SignalConfig, session: SessionDep, actor: AccountActor
) -> SignalSettingsOut:
    """Replace the signal settings. A field that is left out takes its default.

    A change queues all accounts for a silent refresh. Sending the same settings again changes
    nothing.
    """
    return SignalSettingsOut.of(body, service.put_config(session, actor, body))
