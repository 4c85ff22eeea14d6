"""Webhook endpoints, messages and deliveries on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import Field, Strict

from app.core.filters.schema import filter_marker
from app.core.schemas import (
    NAMED,
    WHOLE_NUMBER,
    Flag,
    JsonObject,
    RequestModel,
    ResponseModel,
    Text,
    Timestamp,
)
from app.webhooks.message_fields import LANGUAGE
from app.webhooks.message_schemas import CATALOGUE, MessageType
from app.webhooks.tables import Message, WebhookEndpoint

EXAMPLE_ENDPOINT_ID, EXAMPLE_MESSAGE_ID = (
    "whe_019aa1b2c3d4e5f60718293a",
    "msg_019aa1b2c3d400005e5f60718293",
)
EndpointKind = Literal["standard", "slack"]
EndpointStateOut = Literal["active", "degraded", "disabled", "paused"]
DeliveryState = Literal["pending", "delivered", "failed"]
Url = Annotated[str, Field(min_length=1, max_length=2000, examples=["https://crm.example/hook"])]
HeaderName = Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,60}$")]
HeaderValue = Annotated[
    str, Field(max_length=1000, pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$")
]
Headers = Annotated[
    dict[HeaderName, HeaderValue],
    NAMED,
    Field(
        max_length=20,
        description="Sent with each message. Kept encrypted, never shown again.",
        examples=[{"Authorization": "Bearer of-the-receiver"}],
    ),
]
MessageTypes = Annotated[
    list[MessageType],
    Field(
        max_length=50,
        description="Which messages; all if empty.",
        examples=[["alert.opened", "alert.resolved"]],
    ),
]
MessageFilter = Annotated[
    JsonObject,
    Field(
        description="Of messages about accounts only those that it lets through: by the account, "
        "its traits, and what the message says (docs/webhooks.md).",
        examples=[{"segment": "enterprise", "data.severity": ["medium", "high"]}],
        json_schema_extra=filter_marker(LANGUAGE),
    ),
]
PersonalData = Annotated[Flag, Field(description="Whether to send what is personal beyond ids.")]
Paused = Annotated[Flag, Field(description="Whether messages are held back for now.")]


class WebhookEndpointIn(RequestModel):
    url: Url
    kind: EndpointKind = Field(
        "standard", description="`slack`: its incoming webhooks' format, not signed."
    )
    name: Text | None = Field(None, examples=["CRM"])
    types: MessageTypes = Field(default_factory=list)
    filter: MessageFilter = Field(default_factory=dict)
    headers: Headers = Field(default_factory=dict)
    personal_data: PersonalData = False
    paused: Paused = False


class WebhookEndpointPatch(RequestModel):
    """What is to change; what is left out stays. ``headers`` replace all that there were."""

    url: Url = Field(default_factory=str)
    name: Text | None = Field(None, examples=["CRM"])
    types: MessageTypes = Field(default_factory=list)
    filter: MessageFilter = Field(default_factory=dict)
    headers: Headers = Field(default_factory=dict)
    personal_data: PersonalData = Field(default_factory=bool)
    paused: Paused = Field(default_factory=bool)


class WebhookEndpointOut(ResponseModel):
    id: str = Field(examples=[EXAMPLE_ENDPOINT_ID])
    kind: EndpointKind
    name: str | None = Field(examples=["CRM"])
    url: str = Field(
        description="Without its query; of Slack without its path.",
        examples=["https://crm.example/hook"],
    )
    types: list[str] = Field(examples=[["alert.opened", "alert.resolved"]])
    filter: dict[str, Any] = Field(examples=[{"segment": "enterprise"}])
    header_names: list[str] = Field(examples=[["authorization"]])
    personal_data: bool
    state: EndpointStateOut = Field(
        description="`degraded`: it fails, and is tried with one message at a time."
    )
    reason: str | None = Field(
        description="Why it is disabled: `failing` for days, or `gone` (410).", examples=[None]
    )
    failures: int = Field(description="Attempts in a row that failed.", examples=[0])
    failing_since: datetime | None
    resume_at: datetime | None = Field(description="Nothing is sent before.")
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, row: WebhookEndpoint) -> Self:
        return cls.from_row(row, state=_state(row))


class NewWebhookEndpointOut(WebhookEndpointOut):
    secret: str | None = Field(
        description="Shown this once; null for Slack, which checks no signature.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )

    @classmethod
    def with_secret(cls, row: WebhookEndpoint, secret: str | None) -> Self:
        return cls.from_row(row, state=_state(row), secret=secret)


def _state(row: WebhookEndpoint) -> str:
    return "paused" if row.paused and row.state != "disabled" else row.state


Grace = Annotated[int, Strict(), Field(ge=0, le=604_800, examples=[86_400]), WHOLE_NUMBER]


class SecretRotationIn(RequestModel):
    grace_seconds: Grace = Field(
        86_400, description="For how long the old secret signs too, beside the new one."
    )


class RecoveryIn(RequestModel):
    """Messages that were made from one moment on and before another."""

    since: Timestamp = Field(examples=["2026-11-24T00:00:00Z"])
    until: Timestamp | None = Field(None, description="Null: until now.", examples=[None])


class MessageOut(ResponseModel):
    id: str = Field(description="The `webhook-id`.", examples=[EXAMPLE_MESSAGE_ID])
    type: str = Field(examples=["alert.opened"])
    account_id: str | None = Field(examples=["acme"])
    data: dict[str, Any] = Field(examples=[{"account_id": "acme", "sequence": 42}])
    created_at: datetime

    @classmethod
    def of(cls, row: Message) -> Self:
        return cls.from_row(row, data=orjson.loads(row.body)["data"])


class DeliveryOut(ResponseModel):
    message_id: str = Field(examples=[EXAMPLE_MESSAGE_ID])
    endpoint_id: str = Field(examples=[EXAMPLE_ENDPOINT_ID])
    state: DeliveryState
    attempts: int = Field(description="Since it was last asked for.", examples=[1])
    due_at: datetime = Field(description="Of a pending one: when it is tried next.")
    finished_at: datetime | None


class AttemptOut(ResponseModel):
    id: int = Field(examples=[1])
    at: datetime = Field(description="When it ended.")
    milliseconds: int = Field(examples=[84])
    status: int | None = Field(description="The receiver's status.", examples=[204])
    error: str | None = Field(description="Why there is no status.", examples=["timeout"])
    response: str = Field(description="Its first 1,024 characters.", examples=["ok"])


class ReplayOut(ResponseModel):
    deliveries: int = Field(description="How many are due again.", examples=[1])


class MessageTypeOut(ResponseModel):
    type: str = Field(examples=["alert.opened"])
    description: str = Field(examples=["A rule fired for an account."])
    data_schema: dict[str, Any] = Field(
        description="JSON Schema of `data`.", examples=[{"type": "object"}]
    )

    @classmethod
    def every(cls) -> list[Self]:
        return [
            cls(type=kind, description=each.__doc__ or "", data_schema=each.model_json_schema())
            for kind, each in CATALOGUE.items()
        ]
