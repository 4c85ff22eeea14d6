"""The encrypted part of an endpoint, and the request that is built from it and a message."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from app.core.encryption import Encryptor
from app.webhooks import signature, slack
from app.webhooks.delivery_queries import ClaimedDelivery

SLACK = "slack"
FIXED_HEADERS = {
    "content-type": "application/json",
    "user-agent": "customer-health-webhooks/1",
    "accept-encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A secret that signs messages. ``until``: its ISO end time; None for the current secret."""

    text: str
    until: str | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.until is None or datetime.fromisoformat(self.until) > now


@dataclass(frozen=True, slots=True)
class EndpointSecrets:
    """The parts of an endpoint that are stored encrypted. ``secrets``: the newest first."""

    url: str
    headers: Mapping[str, str]
    secrets: Sequence[SigningSecret]

    @classmethod
    def open(
        cls, encryptor: Encryptor, workspace_id: str, endpoint_id: str, encrypted: bytes
    ) -> Self:
        stored = encryptor.decrypt(
            encrypted, context=_encryption_context(workspace_id, endpoint_id)
        )
        secrets = [SigningSecret(**each) for each in stored["secrets"]]
        return cls(stored["url"], stored["headers"], secrets)

    def seal(self, encryptor: Encryptor, workspace_id: str, endpoint_id: str) -> bytes:
        return encryptor.encrypt(
            asdict(self), context=_encryption_context(workspace_id, endpoint_id)
        )

    def rotated(self, grace: timedelta, *, now: datetime) -> Self:
        """Add a new secret. The previous one stays valid for the grace period; others end."""
        previous = SigningSecret(self.secrets[0].text, (now + grace).isoformat())
        return replace(self, secrets=[SigningSecret(signature.new_secret()), previous])

    def valid(self, now: datetime) -> list[str]:
        """Return the secrets that sign now, newest first."""
        return [each.text for each in self.secrets if each.is_valid(now)]


def build_request(
    secrets: EndpointSecrets, claimed: ClaimedDelivery, *, now: datetime, public_url: str | None
) -> tuple[Mapping[str, str], bytes]:
    """Return headers and body of a delivery's request; only messages to Slack are not signed."""
    if claimed.endpoint_kind == SLACK:
        body = slack.text_body(claimed.body, public_url=public_url)
        return {**secrets.headers, **FIXED_HEADERS}, body
    signed = signature.headers(claimed.message_id, claimed.body, secrets.valid(now), at=now)
    return {**secrets.headers, **FIXED_HEADERS, **signed}, claimed.body


def _encryption_context(workspace_id: str, endpoint_id: str) -> str:
    return f"webhook_endpoint/{workspace_id}/{endpoint_id}"
