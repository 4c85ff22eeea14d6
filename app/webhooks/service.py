"""Manage webhook endpoints: create, update, rotate secrets, enable, test, replay messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.core.encryption import Encryptor
from app.core.errors import ConflictError
from app.core.query_helpers import advisory_lock
from app.webhooks import outbox, queries
from app.webhooks.address_policy import Network
from app.webhooks.endpoint_secrets import SLACK, EndpointSecrets, SigningSecret
from app.webhooks.endpoint_state import EndpointState, EndpointStatus
from app.webhooks.endpoint_validation import (
    check_filter,
    redact_url,
    validate_headers,
    validate_url,
)
from app.webhooks.message_types import TEST_MESSAGE_TYPE
from app.webhooks.outbox import NewMessage, OutgoingMessage, fan_out
from app.webhooks.signature import new_secret
from app.webhooks.tables import Delivery, WebhookEndpoint
from app.workspaces.service import Actor

MAX_ENDPOINTS = 50
ENDPOINT_LOCK = "webhook endpoints"
"""Creating an endpoint takes this advisory lock, so that the limit holds under concurrency."""

ALL_DELIVERY_STATES = ("pending", "delivered", "failed")


class EndpointStateError(ConflictError):
    code = "endpoint_not_active"


@dataclass(frozen=True, slots=True)
class EndpointSecretStore:
    """Encrypts and decrypts endpoint secrets. ``allowed``: permitted non-public networks."""

    encryptor: Encryptor
    allowed: Sequence[Network]

    def load_secrets(self, endpoint: WebhookEndpoint) -> EndpointSecrets:
        return EndpointSecrets.open(
            self.encryptor, endpoint.workspace_id, endpoint.id, endpoint.encrypted
        )

    def save_secrets(self, endpoint: WebhookEndpoint, secrets: EndpointSecrets) -> None:
        """Set the encrypted part, the redacted URL and the header names on the row."""
        endpoint.encrypted = secrets.seal(self.encryptor, endpoint.workspace_id, endpoint.id)
        is_slack = endpoint.kind == SLACK
        endpoint.url = redact_url(secrets.url, secret_path=is_slack)
        endpoint.header_names = sorted(secrets.headers)


def create_endpoint(
    session: Session, actor: Actor, values: Mapping[str, Any], *, store: EndpointSecretStore
) -> tuple[WebhookEndpoint, str | None]:
    """Create an endpoint. Return it with its secret, None for Slack; it is not readable later."""
    advisory_lock(session, ENDPOINT_LOCK, actor.workspace_id)
    if queries.count_endpoints(session, actor.workspace_id) >= MAX_ENDPOINTS:
        raise ConflictError(
            f"A workspace has at most {MAX_ENDPOINTS} endpoints: delete one first.",
            code="too_many_endpoints",
        )
    secrets = EndpointSecrets(
        validate_url(values["url"], store.allowed),
        validate_headers(values["headers"]),
        [SigningSecret(new_secret())],
    )
    check_filter(values["filter"])
    columns = ("kind", "name", "types", "filter", "personal_data", "paused", "max_per_second")
    endpoint = WebhookEndpoint(
        workspace_id=actor.workspace_id,
        id=f"whe_{round(actor.at.timestamp() * 1000):012x}{uuid4().hex[:12]}",
        created_at=actor.at,
        changed_at=actor.at,
        **{name: values[name] for name in columns},
    )
    store.save_secrets(endpoint, secrets)
    session.add(endpoint)
    session.flush()
    session.refresh(endpoint)
    actor.audit(session, "webhook_endpoint.created", endpoint.id, {"url": endpoint.url})
    return endpoint, None if endpoint.kind == SLACK else secrets.secrets[0].text


def update_endpoint(
    session: Session,
    actor: Actor,
    endpoint_id: str,
    changes: Mapping[str, Any],
    *,
    store: EndpointSecretStore,
) -> WebhookEndpoint:
    """Change the given fields of an endpoint."""
    endpoint = queries.get_endpoint(session, actor.workspace_id, endpoint_id, lock=True)
    if changes.keys() & {"url", "headers"}:
        secrets = store.load_secrets(endpoint)
        if "url" in changes:
            secrets = replace(secrets, url=validate_url(changes["url"], store.allowed))
        if "headers" in changes:
            secrets = replace(secrets, headers=validate_headers(changes["headers"]))
        store.save_secrets(endpoint, secrets)
    check_filter(changes.get("filter", {}))
    for name in changes.keys() - {"url", "headers"}:
        setattr(endpoint, name, changes[name])
    endpoint.changed_at = actor.at
    actor.audit(session, "webhook_endpoint.changed", endpoint_id, {"fields": sorted(changes)})
    return endpoint


def delete_endpoint(session: Session, actor: Actor, endpoint_id: str) -> None:
    """Delete an endpoint with its deliveries."""
    queries.get_endpoint(session, actor.workspace_id, endpoint_id)
    actor.audit(session, "webhook_endpoint.deleted", endpoint_id)
    queries.delete_endpoint(session, actor.workspace_id, endpoint_id)


def rotate_secret(
    session: Session,
    actor: Actor,
    endpoint_id: str,
    *,
    grace: timedelta,
    store: EndpointSecretStore,
) -> tuple[WebhookEndpoint, str]:
    """Create a new signing secret and return it; the old one signs for the grace period too."""
    endpoint = queries.get_endpoint(session, actor.workspace_id, endpoint_id, lock=True)
    if endpoint.kind == SLACK:
        raise EndpointStateError(
            "A Slack endpoint has no secret: messages to Slack are not signed.", code="not_signed"
        )
    secrets = store.load_secrets(endpoint).rotated(grace, now=actor.at)
    store.save_secrets(endpoint, secrets)
    endpoint.changed_at = actor.at
    actor.audit(session, "webhook_endpoint.secret_rotated", endpoint_id)
    return endpoint, secrets.secrets[0].text


def enable_endpoint(session: Session, actor: Actor, endpoint_id: str) -> WebhookEndpoint:
    """Make an endpoint active, whether it is disabled, degraded or paused."""
    endpoint = queries.get_endpoint(session, actor.workspace_id, endpoint_id, lock=True)
    endpoint.status = EndpointStatus()
    endpoint.paused, endpoint.changed_at = False, actor.at
    actor.audit(session, "webhook_endpoint.enabled", endpoint_id)
    return endpoint


def send_test(session: Session, workspace_id: str, endpoint_id: str, *, now: datetime) -> Delivery:
    """Publish a test message for one endpoint, ignoring types and filter; return its delivery."""
    require_enabled_endpoint(session, workspace_id, endpoint_id)
    test = NewMessage(TEST_MESSAGE_TYPE, {"endpoint_id": endpoint_id})
    [message] = outbox.insert_messages(session, workspace_id, [test], now=now)
    return _start_delivery(session, workspace_id, endpoint_id, message.id, now)


def replay_delivery(
    session: Session, workspace_id: str, endpoint_id: str, message_id: str, *, now: datetime
) -> Delivery:
    """Start a delivery over, with the same message id, ignoring types and filter."""
    queries.get_delivery(session, workspace_id, endpoint_id, message_id)
    require_enabled_endpoint(session, workspace_id, endpoint_id)
    return _start_delivery(session, workspace_id, endpoint_id, message_id, now)


def _start_delivery(
    session: Session, workspace_id: str, endpoint_id: str, message_id: str, now: datetime
) -> Delivery:
    row = {"endpoint_id": endpoint_id, "message_id": message_id}
    queries.upsert_deliveries(session, workspace_id, [row], again=ALL_DELIVERY_STATES, now=now)
    return queries.get_delivery(session, workspace_id, endpoint_id, message_id)


def replay_message(session: Session, workspace_id: str, message_id: str, *, now: datetime) -> int:
    """Deliver a message again to all endpoints that want it now. Return their number."""
    message = OutgoingMessage.from_row(queries.get_message(session, workspace_id, message_id))
    endpoints = queries.lock_enabled_endpoints(session, workspace_id)
    return fan_out(session, workspace_id, [message], endpoints, again=ALL_DELIVERY_STATES, now=now)


def require_enabled_endpoint(
    session: Session, workspace_id: str, endpoint_id: str
) -> WebhookEndpoint:
    """Return an endpoint locked against deletion. Raise EndpointStateError if it is disabled."""
    endpoints = queries.lock_enabled_endpoints(session, workspace_id, endpoint_id)
    if endpoints:
        return endpoints[0]
    endpoint = queries.get_endpoint(session, workspace_id, endpoint_id)
    raise EndpointStateError(
        f"Endpoint {endpoint_id} is {EndpointState(endpoint.state)}: enable it first."
    )
