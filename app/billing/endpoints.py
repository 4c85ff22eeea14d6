"""Billing systems over HTTP: connecting them, what they send, and what came of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request

from app.accounts import aliases
from app.accounts.queries import get_account
from app.billing import invoice_queries as invoices
from app.billing import queries, service
from app.billing.schemas import (
    STRIPE_EVENT_EXAMPLE,
    BillingReceipt,
    BillingSourceIn,
    BillingSourceOut,
    InvoiceOut,
    UnmatchedBillingOut,
)
from app.billing.tables import BillingSource
from app.billing.unmatched_queries import list_unmatched_objects
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.encryption import EncryptorDep
from app.core.http.request_body import read_body
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.workspaces.auth import Admin, AdminActor, Reader

LARGEST_EVENT_BYTES = 1024 * 1024
RECEIVE_PATH = "/v1/billing/stripe/{source_id}"

management_router = APIRouter(
    prefix="/api/v1", tags=["billing"], responses=problem_responses(400, 401, 403, 404, 422)
)
receiving_router = APIRouter(tags=["billing"])


def _source_out(source: BillingSource, request: Request) -> BillingSourceOut:
    url = str(request.base_url).rstrip("/") + RECEIVE_PATH.format(source_id=source.source_id)
    return BillingSourceOut.from_row(source, url=url)


@management_router.put("/billing-sources/stripe", responses=problem_responses(409))
def put_stripe_source(
    body: BillingSourceIn,
    request: Request,
    session: SessionDep,
    change: AdminActor,
    vault: EncryptorDep,
) -> BillingSourceOut:
    """Connect Stripe, or change how it is read. The answer holds the URL to paste into Stripe.

    The signing secret is never shown again. A change has every subscription worked out anew.
    """
    return _source_out(service.put_source(session, change, body.model_dump(), vault), request)


@management_router.get("/billing-sources/stripe")
def get_stripe_source(request: Request, session: ReadSessionDep, caller: Admin) -> BillingSourceOut:
    """Show how Stripe is connected, without its secret."""
    return _source_out(queries.get_source(session, caller.workspace_id), request)


@management_router.delete("/billing-sources/stripe", status_code=204)
def delete_stripe_source(session: SessionDep, change: AdminActor) -> None:
    """Disconnect Stripe. What it told stays known."""
    service.delete_source(session, change)


@management_router.get("/billing-sources/stripe/unmatched")
def list_unmatched_billing(
    session: ReadSessionDep, caller: Admin, paging: PagingDep
) -> Page[UnmatchedBillingOut]:
    """List what is billed and counts for no account, or whose price could not be read."""
    queries.get_source(session, caller.workspace_id)
    found = list_unmatched_objects(session, caller.workspace_id, paging)
    return found.to_page(UnmatchedBillingOut.model_validate)


@management_router.get("/accounts/{account_id}/invoices")
def list_invoices(
    account_id: Id, session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[InvoiceOut]:
    """List an account's invoices, newest first, with what became of each."""
    account_id = aliases.current_id(session, caller.workspace_id, account_id)
    get_account(session, caller.workspace_id, account_id)
    found = invoices.list_invoices(session, caller.workspace_id, account_id, paging)
    return found.to_page(InvoiceOut.model_validate)


async def event_body(request: Request) -> bytes:
    return await read_body(request, limit=LARGEST_EVENT_BYTES)


@receiving_router.post(
    RECEIVE_PATH,
    responses=problem_responses(400, 404, 408, 413, 422),
    openapi_extra={
        "security": [],
        "requestBody": {"required": True, "content": {"application/json": STRIPE_EVENT_EXAMPLE}},
    },
)
def receive_stripe_event(
    source_id: Id,
    body: Annotated[bytes, Depends(event_body)],
    session: SessionDep,
    vault: EncryptorDep,
    now: Now,
    stripe_signature: Annotated[
        str | None, Header(description="Proves that Stripe sent the body; without it: 400.")
    ] = None,
) -> BillingReceipt:
    """Take in an event of Stripe. It needs no key: the signature says who sends it.

    A 200 says that it is stored; an event that comes again changes nothing.
    """
    result = service.receive_event(session, source_id, body, stripe_signature, vault=vault, now=now)
    return BillingReceipt(result=result)


router = APIRouter()
router.include_router(management_router)
router.include_router(receiving_router)
