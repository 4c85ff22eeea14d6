"""What an endpoint keeps sealed, and the request that is made of it and a message."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from app.core.encryption import Encryptor
from app.webhooks import signature, slack
from app.webhooks.delivery_queries import ClaimedDelivery

STANDARD, SLACK = "standard", "slack"
FIXED_HEADERS = {
    "content-type": "application/json",
    "user-agent": "customer-health-webhooks/1",
    "accept-encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """Signs until then; the one that stays has no end."""

    text: str
    until: str | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.until is None or datetime.fromisoformat(self.until) > now


@dataclass(frozen=True, slots=True)
class EndpointSecrets:
    """``secrets``: the newest first."""

    url: str
    headers: Mapping[str, str]
    secrets: Sequence[SigningSecret]

    @classmethod
    def open(cls, vault: Encryptor, workspace_id: str, endpoint_id: str, sealed: bytes) -> Self:
        known = vault.open(sealed, place=_place(workspace_id, endpoint_id))
        secrets = [SigningSecret(**each) for each in known["secrets"]]
        return cls(known["url"], known["headers"], secrets)

    def seal(self, vault: Encryptor, workspace_id: str, endpoint_id: str) -> bytes:
        return vault.seal(asdict(self), place=_place(workspace_id, endpoint_id))

    def rotated(self, grace: timedelta, *, now: datetime) -> Self:
        """Put a new secret first; the one before it ends after the grace, others at once."""
        before = SigningSecret(self.secrets[0].text, (now + grace).isoformat())
        return replace(self, secrets=[SigningSecret(signature.new_secret()), before])

    def valid(self, now: datetime) -> list[str]:
        return [each.text for each in self.secrets if each.is_valid(now)]


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    headers: Mapping[str, str]
    body: bytes


def build_request(
    secrets: EndpointSecrets, claimed: ClaimedDelivery, *, now: datetime, public_url: str | None
) -> DeliveryRequest:
    if claimed.kind == SLACK:
        body = slack.text_body(claimed.body, public_url=public_url)
        return DeliveryRequest({**secrets.headers, **FIXED_HEADERS}, body)
    signed = signature.headers(claimed.message_id, claimed.body, secrets.valid(now), at=now)
    return DeliveryRequest({**secrets.headers, **FIXED_HEADERS, **signed}, claimed.body)


def _place(workspace_id: str, endpoint_id: str) -> str:
    return f"webhook_endpoint/{workspace_id}/{endpoint_id}"
