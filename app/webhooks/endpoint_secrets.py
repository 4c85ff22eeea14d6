"""What an endpoint keeps sealed, and the request that is made of it and a message."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from app.core.encryption import Encryptor
from app.webhooks import signature, slack
from app.webhooks.delivery_queries import Claimed

STANDARD, SLACK = "standard", "slack"
ALWAYS = {
    "content-type": "application/json",
    "user-agent": "customer-health-webhooks/1",
    "accept-encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Secret:
    """Signs until then; the one that stays has no end."""

    text: str
    until: str | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.until is None or datetime.fromisoformat(self.until) > now


@dataclass(frozen=True, slots=True)
class Secrets:
    """``secrets``: the newest first."""

    url: str
    headers: Mapping[str, str]
    secrets: Sequence[Secret]

    @classmethod
    def open(cls, vault: Encryptor, workspace_id: str, endpoint_id: str, sealed: bytes) -> Self:
        known = vault.open(sealed, place=_place(workspace_id, endpoint_id))
        secrets = [Secret(**each) for each in known["secrets"]]
        return cls(known["url"], known["headers"], secrets)

    def seal(self, vault: Encryptor, workspace_id: str, endpoint_id: str) -> bytes:
        return vault.seal(asdict(self), place=_place(workspace_id, endpoint_id))

    def rotated(self, grace: timedelta, *, now: datetime) -> Self:
        """Put a new secret first; the one before it ends after the grace, others at once."""
        before = Secret(self.secrets[0].text, (now + grace).isoformat())
        return replace(self, secrets=[Secret(signature.new_secret()), before])

    def valid(self, now: datetime) -> list[str]:
        return [each.text for each in self.secrets if each.is_valid(now)]


@dataclass(frozen=True, slots=True)
class Request:
    headers: Mapping[str, str]
    body: bytes


def request_for(
    secrets: Secrets, claimed: Claimed, *, now: datetime, public_url: str | None
) -> Request:
    if claimed.kind == SLACK:
        body = slack.text_body(claimed.body, public_url=public_url)
        return Request({**secrets.headers, **ALWAYS}, body)
    signed = signature.headers(claimed.message_id, claimed.body, secrets.valid(now), at=now)
    return Request({**secrets.headers, **ALWAYS, **signed}, claimed.body)


def _place(workspace_id: str, endpoint_id: str) -> str:
    return f"webhook_endpoint/{workspace_id}/{endpoint_id}"
