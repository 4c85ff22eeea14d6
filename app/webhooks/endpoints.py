"""Webhook endpoints over HTTP: whom messages go to, and what came of each."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request

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

DEFAULT_ROTATION = SecretRotationIn()

router = APIRouter(
    prefix="/api/v1/webhook-endpoints",
    tags=["webhooks"],
    responses=problem_responses(400, 401, 403, 404, 422),
)


async def _secret_store(request: Request) -> EndpointSecretStore:
    desk: EndpointSecretStore = request.app.state.webhook_desk
    return desk


SecretStoreDep = Annotated[EndpointSecretStore, Depends(_secret_store)]


@router.post("", status_code=201, responses=problem_responses(409))
def create_webhook_endpoint(
    body: WebhookEndpointIn, session: SessionDep, change: WebhookActor, desk: SecretStoreDep
) -> NewWebhookEndpointOut:
    """Have messages sent to a URL. The answer holds the secret that signs them, this once."""
    made, secret = service.create_endpoint(session, change, body.model_dump(), desk=desk)
    return NewWebhookEndpointOut.with_secret(made, secret)


@router.get("")
def list_webhook_endpoints(
    session: ReadSessionDep, caller: WebhookWriter, paging: PagingDep
) -> Page[WebhookEndpointOut]:
    """List endpoints in the order in which they were made."""
    return queries.list_endpoints(session, caller.workspace_id, paging).to_page(
        WebhookEndpointOut.of
    )


@router.get("/{endpoint_id}")
def get_webhook_endpoint(
    endpoint_id: Id, session: ReadSessionDep, caller: WebhookWriter
) -> WebhookEndpointOut:
    """Show an endpoint and how it stands."""
    return WebhookEndpointOut.of(queries.get_endpoint(session, caller.workspace_id, endpoint_id))


@router.patch("/{endpoint_id}")
def update_webhook_endpoint(
    endpoint_id: Id,
    body: WebhookEndpointPatch,
    session: SessionDep,
    change: WebhookActor,
    desk: SecretStoreDep,
) -> WebhookEndpointOut:
    """Change what is said. What waits for a paused endpoint is sent when it is paused no more."""
    said = body.model_dump(exclude_unset=True)
    return WebhookEndpointOut.of(
        service.update_endpoint(session, change, endpoint_id, said, desk=desk)
    )


@router.delete("/{endpoint_id}", status_code=204)
def delete_webhook_endpoint(endpoint_id: Id, session: SessionDep, change: WebhookActor) -> None:
    """Delete an endpoint, with its deliveries and attempts."""
    service.delete_endpoint(session, change, endpoint_id)


@router.post("/{endpoint_id}/rotate-secret", responses=problem_responses(409))
def rotate_webhook_secret(
    endpoint_id: Id,
    session: SessionDep,
    change: WebhookActor,
    desk: SecretStoreDep,
    body: SecretRotationIn = DEFAULT_ROTATION,
) -> NewWebhookEndpointOut:
    """Make a new secret. Until the old one ends, messages carry a signature of each."""
    grace = timedelta(seconds=body.grace_seconds)
    made, secret = service.rotate_secret(session, change, endpoint_id, grace=grace, desk=desk)
    return NewWebhookEndpointOut.with_secret(made, secret)


@router.post("/{endpoint_id}/enable")
def enable_webhook_endpoint(
    endpoint_id: Id, session: SessionDep, change: WebhookActor
) -> WebhookEndpointOut:
    """Let a disabled endpoint get messages again. What it missed: `recover`."""
    return WebhookEndpointOut.of(service.enable_endpoint(session, change, endpoint_id))


@router.post("/{endpoint_id}/test", status_code=202, responses=problem_responses(409))
def test_webhook_endpoint(
    endpoint_id: Id, session: SessionDep, caller: WebhookWriter, now: Now
) -> DeliveryOut:
    """Send `endpoint.test`, whatever types it listens to. Ask for the delivery to see the end."""
    message_id = service.send_test(session, caller.workspace_id, endpoint_id, now=now)
    return _delivery(session, caller, endpoint_id, message_id)


@router.post("/{endpoint_id}/recover", status_code=202, responses=problem_responses(409))
def recover_webhook_messages(
    endpoint_id: Id, body: RecoveryIn, session: SessionDep, change: WebhookActor
) -> JobOut:
    """Send what failed, or was made while the endpoint was disabled or not there yet."""
    until = body.until or change.at
    job = recovery.enqueue_recovery(session, change, endpoint_id, since=body.since, until=until)
    return JobOut.model_validate(job)


@router.get("/{endpoint_id}/deliveries")
def list_webhook_deliveries(
    endpoint_id: Id,
    session: ReadSessionDep,
    caller: WebhookWriter,
    paging: PagingDep,
    state: DeliveryState | None = None,
) -> Page[DeliveryOut]:
    """List what was and is to be delivered, the newest message first."""
    queries.get_endpoint(session, caller.workspace_id, endpoint_id)
    found = queries.list_deliveries(session, caller.workspace_id, endpoint_id, paging, state=state)
    return found.to_page(DeliveryOut.model_validate)


@router.get("/{endpoint_id}/deliveries/{message_id}")
def get_webhook_delivery(
    endpoint_id: Id, message_id: Id, session: ReadSessionDep, caller: WebhookWriter
) -> DeliveryOut:
    """Show how far a message is on its way to an endpoint."""
    return _delivery(session, caller, endpoint_id, message_id)


@router.get("/{endpoint_id}/deliveries/{message_id}/attempts")
def list_webhook_attempts(
    endpoint_id: Id,
    message_id: Id,
    session: ReadSessionDep,
    caller: WebhookWriter,
    paging: PagingDep,
) -> Page[AttemptOut]:
    """List the tries of a delivery and what came back, newest first."""
    queries.get_delivery(session, caller.workspace_id, endpoint_id, message_id)
    found = queries.list_attempts(session, caller.workspace_id, endpoint_id, message_id, paging)
    return found.to_page(AttemptOut.model_validate)


@router.post(
    "/{endpoint_id}/deliveries/{message_id}/replay",
    status_code=202,
    responses=problem_responses(409),
)
def replay_webhook_delivery(
    endpoint_id: Id, message_id: Id, session: SessionDep, caller: WebhookWriter, now: Now
) -> DeliveryOut:
    """Deliver a message to this endpoint once more, under the same `webhook-id`."""
    service.replay_delivery(session, caller.workspace_id, endpoint_id, message_id, now=now)
    return _delivery(session, caller, endpoint_id, message_id)


def _delivery(
    session: SessionDep, caller: WebhookWriter, endpoint_id: str, message_id: str
) -> DeliveryOut:
    found = queries.get_delivery(session, caller.workspace_id, endpoint_id, message_id)
    return DeliveryOut.model_validate(found)
