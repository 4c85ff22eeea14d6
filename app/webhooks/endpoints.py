"""Webhook endpoints over HTTP: manage endpoints, list deliveries and attempts, replay, recover."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.jobs.schemas import JobOut
from app.webhooks import queries, recovery, service
from app.webhooks.schemas import (
    AttemptOut,
    DeliveryOut,
    DeliveryState,
    NewWebhookEndpointOut,
    RecoveryIn,
    SecretRotationIn,
    WebhookEndpointIn,
    WebhookEndpointOut,
    WebhookEndpointPatch,
)
from app.webhooks.service import EndpointSecretStore
from app.workspaces.auth import WebhookActor, WebhookWriter
from app.workspaces.idempotency import IdempotentRoute

DEFAULT_ROTATION = SecretRotationIn()

router = APIRouter(
    prefix="/api/v1/webhook-endpoints",
    tags=["webhooks"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=IdempotentRoute,
)


async def _secret_store(request: Request) -> EndpointSecretStore:
    store: EndpointSecretStore = request.app.state.endpoint_secret_store
    return store


SecretStoreDep = Annotated[EndpointSecretStore, Depends(_secret_store)]


@router.post(
    "", status_code=201, responses=problem_responses(409), summary="Create a webhook endpoint"
)
def create_webhook_endpoint(
    body: WebhookEndpointIn, session: SessionDep, actor: WebhookActor, store: SecretStoreDep
) -> NewWebhookEndpointOut:
    """Create an endpoint: messages are sent to its URL from now on.

    The answer contains the signing secret, which cannot be read later. Each call creates another
    endpoint; a workspace has at most 50.
    """
    endpoint, secret = service.create_endpoint(session, actor, body.model_dump(), store=store)
    return NewWebhookEndpointOut.from_endpoint(endpoint, secret=secret)


@router.get("", summary="List webhook endpoints")
def list_webhook_endpoints(
    session: ReadSessionDep, caller: WebhookWriter, paging: PagingDep
) -> Page[WebhookEndpointOut]:
    """List endpoints in the order of creation."""
    rows = queries.list_endpoints(session, caller.workspace_id, paging)
    return rows.to_page(WebhookEndpointOut.from_endpoint)


@router.get("/{endpoint_id}", summary="Get a webhook endpoint")
def get_webhook_endpoint(
    endpoint_id: Id, session: ReadSessionDep, caller: WebhookWriter
) -> WebhookEndpointOut:
    """Return an endpoint with its state and recent failures."""
    endpoint = queries.get_endpoint(session, caller.workspace_id, endpoint_id)
    return WebhookEndpointOut.from_endpoint(endpoint)


@router.patch("/{endpoint_id}", summary="Update a webhook endpoint")
def update_webhook_endpoint(
    endpoint_id: Id,
    body: WebhookEndpointPatch,
    session: SessionDep,
    actor: WebhookActor,
    store: SecretStoreDep,
) -> WebhookEndpointOut:
    """Change the given fields of an endpoint.

    Messages wait while an endpoint is paused and are sent when `paused` is set to false.
    """
    changes = body.model_dump(exclude_unset=True)
    endpoint = service.update_endpoint(session, actor, endpoint_id, changes, store=store)
    return WebhookEndpointOut.from_endpoint(endpoint)


@router.delete("/{endpoint_id}", status_code=204, summary="Delete a webhook endpoint")
def delete_webhook_endpoint(endpoint_id: Id, session: SessionDep, actor: WebhookActor) -> None:
    """Delete an endpoint with its deliveries and attempts."""
    service.delete_endpoint(session, actor, endpoint_id)


@router.post(
    "/{endpoint_id}/rotate-secret",
    responses=problem_responses(409),
    summary="Rotate a webhook endpoint's secret",
)
def rotate_webhook_secret(
    endpoint_id: Id,
    session: SessionDep,
    actor: WebhookActor,
    store: SecretStoreDep,
    body: SecretRotationIn = DEFAULT_ROTATION,
) -> NewWebhookEndpointOut:
    """Create a new signing secret and return it.

    Until the old secret ends, messages carry a signature of each. Still older secrets end at once.
    """
    grace = timedelta(seconds=body.grace_seconds)
    endpoint, secret = service.rotate_secret(session, actor, endpoint_id, grace=grace, store=store)
    return NewWebhookEndpointOut.from_endpoint(endpoint, secret=secret)


@router.post("/{endpoint_id}/enable", summary="Enable a webhook endpoint")
def enable_webhook_endpoint(
    endpoint_id: Id, session: SessionDep, actor: WebhookActor
) -> WebhookEndpointOut:
    """Make a disabled, degraded or paused endpoint active.

    Messages that it missed while disabled are not sent by this: use `recover`.
    """
    endpoint = service.enable_endpoint(session, actor, endpoint_id)
    return WebhookEndpointOut.from_endpoint(endpoint)


@router.post(
    "/{endpoint_id}/test",
    status_code=202,
    responses=problem_responses(409),
    summary="Send a test message",
)
def test_webhook_endpoint(
    endpoint_id: Id, session: SessionDep, caller: WebhookWriter, now: Now
) -> DeliveryOut:
    """Send `endpoint.test` to one endpoint, whatever its types and filter.

    Get the delivery again to see the result.
    """
    delivery = service.send_test(session, caller.workspace_id, endpoint_id, now=now)
    return DeliveryOut.model_validate(delivery)


@router.post(
    "/{endpoint_id}/recover",
    status_code=202,
    responses=problem_responses(409),
    summary="Recover missed messages",
)
def recover_webhook_messages(
    endpoint_id: Id, body: RecoveryIn, session: SessionDep, actor: WebhookActor
) -> JobOut:
    """Start a job that sends the messages of a time range which the endpoint missed.

    These are failed deliveries, and messages created while the endpoint was disabled or did not
    exist. Delivered messages are not sent again.
    """
    until = body.until or actor.at
    job = recovery.enqueue_recovery(session, actor, endpoint_id, since=body.since, until=until)
    return JobOut.model_validate(job)


@router.get("/{endpoint_id}/deliveries", summary="List an endpoint's deliveries")
def list_webhook_deliveries(
    endpoint_id: Id,
    session: ReadSessionDep,
    caller: WebhookWriter,
    paging: PagingDep,
    state: Annotated[
        DeliveryState | None, Query(description="Only deliveries in this state.")
    ] = None,
) -> Page[DeliveryOut]:
    """List deliveries, pending ones included, newest message first."""
    queries.get_endpoint(session, caller.workspace_id, endpoint_id)
    rows = queries.list_deliveries(session, caller.workspace_id, endpoint_id, paging, state=state)
    return rows.to_page(DeliveryOut.model_validate)


@router.get("/{endpoint_id}/deliveries/{message_id}", summary="Get a delivery")
def get_webhook_delivery(
    endpoint_id: Id, message_id: Id, session: ReadSessionDep, caller: WebhookWriter
) -> DeliveryOut:
    """Return the state of one message's delivery to an endpoint."""
    delivery = queries.get_delivery(session, caller.workspace_id, endpoint_id, message_id)
    return DeliveryOut.model_validate(delivery)


@router.get("/{endpoint_id}/deliveries/{message_id}/attempts", summary="List a delivery's attempts")
def list_webhook_attempts(
    endpoint_id: Id,
    message_id: Id,
    session: ReadSessionDep,
    caller: WebhookWriter,
    paging: PagingDep,
) -> Page[AttemptOut]:
    """List the attempts of a delivery with the receiver's answers, newest first."""
    queries.get_delivery(session, caller.workspace_id, endpoint_id, message_id)
    rows = queries.list_attempts(session, caller.workspace_id, endpoint_id, message_id, paging)
    return rows.to_page(AttemptOut.model_validate)


@router.post(
    "/{endpoint_id}/deliveries/{message_id}/replay",
    status_code=202,
    responses=problem_responses(409),
    summary="Replay a delivery",
)
def replay_webhook_delivery(
    endpoint_id: Id, message_id: Id, session: SessionDep, caller: WebhookWriter, now: Now
) -> DeliveryOut:
    """Deliver a message to this endpoint again, with the same `webhook-id`."""
    key = (caller.workspace_id, endpoint_id, message_id)
    return DeliveryOut.model_validate(service.replay_delivery(session, *key, now=now))
