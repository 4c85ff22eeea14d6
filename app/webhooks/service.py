"""Endpoints: made, changed, given new secrets; messages sent to them once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.core.encryption import Encryptor
from app.core.errors import ConflictError, FieldError, UnprocessableError
from app.core.filters.matching import FilterError
from app.core.query_helpers import advisory_lock
from app.webhooks import outbox, queries, url_validation
from app.webhooks.address_policy import Network
from app.webhooks.delivery_results import write_status
from app.webhooks.endpoint_secrets import FIXED_HEADERS, SLACK, EndpointSecrets, SigningSecret
from app.webhooks.endpoint_state import EndpointState, EndpointStatus
from app.webhooks.fan_out import OutgoingMessage, fan_out, parse_message_filter
from app.webhooks.signature import new_secret
from app.webhooks.tables import WebhookEndpoint
from app.workspaces.service import Actor

MAX_ENDPOINTS = 50
ENDPOINT_LOCK = "webhook endpoints"
"""One transaction at a time makes one, so that they can be counted."""

ALL_DELIVERY_STATES = ("pending", "delivered", "failed")
RESERVED_HEADERS = {
    *FIXED_HEADERS,
    *("host", "content-length", "content-encoding", "transfer-encoding", "connection"),
    *("upgrade", "te", "trailer", "expect", "keep-alive", "proxy-connection"),
    *("webhook-id", "webhook-timestamp", "webhook-signature"),
}


class EndpointStateError(ConflictError):
    code = "endpoint_not_active"


class InvalidEndpointError(UnprocessableError):
    code = "invalid_endpoint"


@dataclass(frozen=True, slots=True)
class EndpointSecretStore:
    """With what endpoints are kept: where they may lie, and what seals their secrets."""

    vault: Encryptor
    allowed: Sequence[Network]

    def load_secrets(self, endpoint: WebhookEndpoint) -> EndpointSecrets:
        return EndpointSecrets.open(self.vault, endpoint.workspace_id, endpoint.id, endpoint.sealed)

    def keep(self, endpoint: WebhookEndpoint, secrets: EndpointSecrets) -> None:
        endpoint.sealed = secrets.seal(self.vault, endpoint.workspace_id, endpoint.id)
        endpoint.url = url_validation.redact_url(secrets.url, secret_path=endpoint.kind == SLACK)
        endpoint.header_names = sorted(secrets.headers)


def create_endpoint(
    session: Session, by: Actor, said: Mapping[str, Any], *, desk: EndpointSecretStore
) -> tuple[WebhookEndpoint, str | None]:
    """Make an endpoint. Returns its secret too: this is the only moment it can be read."""
    advisory_lock(session, ENDPOINT_LOCK, by.workspace_id)
    if queries.count_endpoints(session, by.workspace_id) >= MAX_ENDPOINTS:
        raise ConflictError(
            f"A workspace has at most {MAX_ENDPOINTS} endpoints.", code="too_many_endpoints"
        )
    secrets = EndpointSecrets(
        _url(said["url"], desk), _headers(said["headers"]), [SigningSecret(new_secret())]
    )
    _check_filter(said["filter"])
    plain = ("kind", "name", "types", "filter", "personal_data", "paused")
    endpoint = WebhookEndpoint(
        workspace_id=by.workspace_id,
        id=f"whe_{round(by.at.timestamp() * 1000):012x}{uuid4().hex[:12]}",
        created_at=by.at,
        changed_at=by.at,
        **{name: said[name] for name in plain},
    )
    desk.keep(endpoint, secrets)
    session.add(endpoint)
    session.flush()
    session.refresh(endpoint)
    by.audit(session, "webhook_endpoint.created", endpoint.id, {"url": endpoint.url})
    return endpoint, None if endpoint.kind == SLACK else secrets.secrets[0].text


def update_endpoint(
    session: Session,
    by: Actor,
    endpoint_id: str,
    said: Mapping[str, Any],
    *,
    desk: EndpointSecretStore,
) -> WebhookEndpoint:
    """Change what is said."""
    endpoint = queries.get_endpoint(session, by.workspace_id, endpoint_id, lock=True)
    if said.keys() & {"url", "headers"}:
        secrets = desk.load_secrets(endpoint)
        if "url" in said:
            secrets = replace(secrets, url=_url(said["url"], desk))
        if "headers" in said:
            secrets = replace(secrets, headers=_headers(said["headers"]))
        desk.keep(endpoint, secrets)
    _check_filter(said.get("filter", {}))
    for name in said.keys() - {"url", "headers"}:
        setattr(endpoint, name, said[name])
    endpoint.changed_at = by.at
    by.audit(session, "webhook_endpoint.changed", endpoint_id, {"fields": sorted(said)})
    return endpoint


def delete_endpoint(session: Session, by: Actor, endpoint_id: str) -> None:
    """Delete an endpoint with its deliveries."""
    queries.get_endpoint(session, by.workspace_id, endpoint_id)
    by.audit(session, "webhook_endpoint.deleted", endpoint_id)
    queries.delete_endpoint(session, by.workspace_id, endpoint_id)


def rotate_secret(
    session: Session, by: Actor, endpoint_id: str, *, grace: timedelta, desk: EndpointSecretStore
) -> tuple[WebhookEndpoint, str]:
    """Make a new secret; the old one signs too for a while."""
    endpoint = queries.get_endpoint(session, by.workspace_id, endpoint_id, lock=True)
    if endpoint.kind == SLACK:
        raise EndpointStateError("What goes to Slack is not signed.", code="not_signed")
    secrets = desk.load_secrets(endpoint).rotated(grace, now=by.at)
    desk.keep(endpoint, secrets)
    endpoint.changed_at = by.at
    by.audit(session, "webhook_endpoint.secret_rotated", endpoint_id)
    return endpoint, secrets.secrets[0].text


def enable_endpoint(session: Session, by: Actor, endpoint_id: str) -> WebhookEndpoint:
    """Let an endpoint get messages again; what it missed can be recovered."""
    endpoint = queries.get_endpoint(session, by.workspace_id, endpoint_id, lock=True)
    write_status(endpoint, EndpointStatus())
    endpoint.paused, endpoint.changed_at = False, by.at
    by.audit(session, "webhook_endpoint.enabled", endpoint_id)
    return endpoint


def send_test(session: Session, workspace_id: str, endpoint_id: str, *, now: datetime) -> str:
    """Have an endpoint hear from us. Returns the message's id."""
    require_enabled_endpoint(session, workspace_id, endpoint_id)
    return outbox.publish_test(session, workspace_id, endpoint_id, now=now)


def replay_delivery(
    session: Session, workspace_id: str, endpoint_id: str, message_id: str, *, now: datetime
) -> None:
    """Deliver a message to an endpoint once more, under the same id, whether it takes it or not."""
    queries.get_delivery(session, workspace_id, endpoint_id, message_id)
    require_enabled_endpoint(session, workspace_id, endpoint_id)
    row = {"endpoint_id": endpoint_id, "message_id": message_id}
    queries.upsert_deliveries(session, workspace_id, [row], again=ALL_DELIVERY_STATES, now=now)


def replay_message(session: Session, workspace_id: str, message_id: str, *, now: datetime) -> int:
    """Deliver a message once more to all that choose it now."""
    told = OutgoingMessage.of(queries.get_message(session, workspace_id, message_id))
    endpoints = queries.lock_enabled_endpoints(session, workspace_id)
    return fan_out(session, workspace_id, [told], endpoints, again=ALL_DELIVERY_STATES, now=now)


def require_enabled_endpoint(
    session: Session, workspace_id: str, endpoint_id: str
) -> WebhookEndpoint:
    """Find an endpoint that gets messages; while we write to it nobody can delete it."""
    found = queries.lock_enabled_endpoints(session, workspace_id, endpoint_id)
    if found:
        return found[0]
    endpoint = queries.get_endpoint(session, workspace_id, endpoint_id)
    raise EndpointStateError(
        f"Endpoint {endpoint_id} is {EndpointState(endpoint.state)}: enable it first."
    )


def _url(text: str, desk: EndpointSecretStore) -> str:
    try:
        return url_validation.validate_url(text, desk.allowed)
    except url_validation.InvalidUrlError as error:
        raise _wrong("/body/url", str(error)) from None


def _headers(said: Mapping[str, str]) -> Mapping[str, str]:
    """Return headers with their names as HTTP compares them."""
    headers = {name.lower(): value for name, value in said.items()}
    if reserved := sorted(RESERVED_HEADERS & headers.keys()):
        raise _wrong("/body/headers", f"{reserved[0]} is set by us.")
    if len(headers) < len(said):
        raise _wrong("/body/headers", "One header is given twice.")
    return headers


def _check_filter(raw: object) -> None:
    try:
        parse_message_filter(raw)
    except FilterError as error:
        raise _wrong(f"/body/filter{error.pointer}", str(error)) from None


def _wrong(pointer: str, message: str) -> InvalidEndpointError:
    return InvalidEndpointError(
        "The endpoint cannot be kept so.", errors=[FieldError(pointer, message)]
    )
