"""Signals over HTTP: of one account, of all, and from where on they are signals."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.accounts.queries import get_account
from app.core.db import ReadSessionDep, SessionDep
from app.core.http.language import LanguageDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import EventName, Id, problem_responses
from app.signals import queries, service
from app.signals.config import SignalConfig
from app.signals.schemas import SignalOut, SignalSettingsOut
from app.signals.signal import Severity
from app.workspaces.auth import AccountActor, Reader

router = APIRouter(
    prefix="/api/v1", tags=["signals"], responses=problem_responses(400, 401, 403, 404, 422)
)

SignalNames = Annotated[
    list[EventName], Query(description="Only these signals; repeat it for several.", max_length=100)
]
Severities = Annotated[list[Severity], Query(description="Only of these severities.", max_length=4)]


@router.get("/accounts/{account_id}/signals")
def list_account_signals(
    account_id: Id,
    *,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    language: LanguageDep,
    everything: Annotated[
        bool, Query(alias="all", description="Those that were cleared too, newest first.")
    ] = False,
) -> Page[SignalOut]:
    """Say what holds for an account, the newest first, each in one sentence."""
    get_account(session, caller.workspace_id, account_id)
    found = queries.list_account_signals(
        session, caller.workspace_id, account_id, paging, everything=everything
    )
    return found.to_page(lambda row: SignalOut.of(row, language))


@router.get("/signals")
def list_signals(
    *,
    session: ReadSessionDep,
    caller: Reader,
    paging: PagingDep,
    language: LanguageDep,
    signal: SignalNames = [],  # noqa: B006 - FastAPI copies it
    severity: Severities = [],  # noqa: B006
) -> Page[SignalOut]:
    """List what holds for accounts, in the order of accounts."""
    found = queries.list_open_signals(
        session, caller.workspace_id, paging, names=signal, severities=severity
    )
    return found.to_page(lambda row: SignalOut.of(row, language))


@router.get("/signal-settings")
def get_signal_settings(session: ReadSessionDep, caller: Reader) -> SignalSettingsOut:
    """Show from where on conditions are signals, and which are off."""
    row = queries.find_settings(session, caller.workspace_id)
    return SignalSettingsOut.of(service.get_config(session, caller.workspace_id), row)


@router.put("/signal-settings")
def put_signal_settings(
    body: SignalConfig, session: SessionDep, change: AccountActor
) -> SignalSettingsOut:
    """Replace the settings; what is left out is set to its default. All accounts are looked at."""
    return SignalSettingsOut.of(body, service.put_config(session, change, body))
