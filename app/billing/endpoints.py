"""HTTP endpoints of billing: connect Stripe, receive its events, list invoices and mismatches."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request

from app.accounts import aliases
from app.accounts.queries import get_account
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
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.encryption import EncryptorDep
from app.core.http.request_checks import read_body
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.workspaces.auth import Admin, AdminActor, Reader

LARGEST_EVENT_BYTES = 1024 * 1024
RECEIVE_PATH = "/v1/billing/stripe/{source_id}"

management_router = APIRouter(
    prefix="/api/v1",
    tags=["billing"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=DeclaredRoute,
)
receiving_router = APIRouter(tags=["billing"], route_class=DeclaredRoute)


def _source_out(source: BillingSource, request: Request) -> BillingSourceOut:
    url = str(request.base_url).rstrip("/") + RECEIVE_PATH.format(source_id=source.source_id)
    return BillingSourceOut.from_row(source, url=url)


@management_router.put(
    "/billing-sources/stripe", responses=problem_responses(409), summary="Connect Stripe"
)
def put_stripe_source(
    body: BillingSourceIn,
    request: Request,
    session: SessionDep,
    actor: AdminActor,
    encryptor: EncryptorDep,
) -> BillingSourceOut:
    """Connect Stripe, or change its options. The response has the URL to paste into Stripe.

    The signing secret is never returned. After a change all subscriptions are recomputed in the
    background.
    """
    source = service.put_source(session, actor, body.model_dump(), encryptor)
    return _source_out(source, request)


@management_router.get("/billing-sources/stripe", summary="Get the Stripe connection")
def get_stripe_source(request: Request, session: ReadSessionDep, caller: Admin) -> BillingSourceOut:
    """Return the options of the Stripe connection, without its secret."""
    return _source_out(queries.get_source(session, caller.workspace_id), request)


@management_router.delete("/billing-sources/stripe", status_code=204, summary="Disconnect Stripe")
def delete_stripe_source(session: SessionDep, actor: AdminActor) -> None:
    """Stop receiving events from Stripe. Subscriptions and invoices already received remain."""
    service.delete_source(session, actor)


@management_router.get(
    "/billing-sources/stripe/unmatched", summary="List unmatched billing objects"
)
def list_unmatched_billing(
    session: ReadSessionDep, caller: Admin, paging: PagingDep
) -> Page[UnmatchedBillingOut]:
    """Return billed objects that belong to no account, or whose price is unknown.

    They are ordered by kind and id, one page at a time.
    """
    queries.get_source(session, caller.workspace_id)
    objects = queries.list_unmatched_objects(session, caller.workspace_id, paging)
    return objects.to_page(UnmatchedBillingOut.model_validate)


@management_router.get("/accounts/{account_id}/invoices", summary="List an account's invoices")
def list_invoices(
    account_id: Id, session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[InvoiceOut]:
    """Return the account's invoices with their payment status, newest first."""
    account_id = aliases.current_id(session, caller.workspace_id, account_id)
    get_account(session, caller.workspace_id, account_id)
    rows = queries.list_invoices(session, caller.workspace_id, account_id, paging)
    return rows.to_page(InvoiceOut.model_validate)


async def event_body(request: Request) -> bytes:
    return await read_body(request, limit=LARGEST_EVENT_BYTES)


@receiving_router.post(
    RECEIVE_PATH,
    responses=problem_responses(400, 404, 408, 413, 422),
    summary="Receive a Stripe event",
    openapi_extra={
        "security": [],
        "requestBody": {"required": True, "content": {"application/json": STRIPE_EVENT_EXAMPLE}},
    },
)
def receive_stripe_event(
    source_id: Id,
    body: Annotated[bytes, Depends(event_body)],
    session: SessionDep,
    encryptor: EncryptorDep,
    now: Now,
    stripe_signature: Annotated[
        str | None,
        Header(description="Stripe's signature of the body. A request without it gets a 400."),
    ] = None,
) -> BillingReceipt:
    """Receive one event from Stripe. No API key is needed: the signature identifies the sender.

    A 200 means that the event is stored. The same event again changes nothing.
    """
    received = service.receive_event(
        session, source_id, body, stripe_signature, encryptor=encryptor, now=now
    )
    if isinstance(received, service.IgnoredReason):
        return BillingReceipt(result=service.BillingEventResult.IGNORED, reason=received)
    return BillingReceipt(result=received)


routers = (management_router, receiving_router)
