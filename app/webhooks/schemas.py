"""Request and response schemas of endpoints, messages, deliveries and attempts."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import Field, Strict

from app.core.filters.openapi import filter_marker
from app.core.schemas import (
    NO_OTHER_KEYS,
    WHOLE_NUMBER,
    Flag,
    JsonObject,
    RequestModel,
    ResponseModel,
    Text,
    Timestamp,
)
from app.webhooks.message_types import LANGUAGE, MessageType
from app.webhooks.tables import Message, WebhookEndpoint

EXAMPLE_ENDPOINT_ID = "whe_019aa1b2c3d4e5f60718293a"
EXAMPLE_MESSAGE_ID = "msg_019aa1b2c3d400005e5f60718293"
EndpointKind = Literal["standard", "slack"]
EndpointStateOut = Literal["active", "degraded", "disabled", "paused"]
DeliveryState = Literal["pending", "delivered", "failed"]
Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="Must be https, and its host must have public addresses only.",
        examples=["https://crm.example/hook"],
    ),
]
HeaderName = Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,60}$")]
HeaderValue = Annotated[
    str,
    Field(
        max_length=1000,
        pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$",
        examples=["Bearer 4f2a"],
    ),
]
Headers = Annotated[
    dict[HeaderName, HeaderValue],
    NO_OTHER_KEYS,
    Field(
        max_length=20,
        description="Sent with each message. Stored encrypted and never returned.",
        examples=[{"Authorization": "Bearer of-the-receiver"}],
    ),
]
MessageTypes = Annotated[
    list[MessageType],
    Field(
        max_length=50,
        description="The message types that the endpoint receives; all types if empty.",
        examples=[["alert.opened", "alert.resolved"]],
    ),
]
MessageFilter = Annotated[
    JsonObject,
    Field(
        description="Restricts messages about accounts to those that match: fields of the account, "
        "its traits, and the message's `data` (docs/webhooks.md). Other messages are not affected.",
        examples=[{"segment": "enterprise", "data.severity": ["medium", "high"]}],
        json_schema_extra=filter_marker(LANGUAGE),
    ),
]
PersonalData = Annotated[
    Flag, Field(description="Whether messages include personal data other than ids.")
]
Paused = Annotated[
    Flag, Field(description="Whether messages are held back until the endpoint is resumed.")
]


MaxPerSecond = Annotated[
    Annotated[int, Strict(), Field(ge=1, le=1000), WHOLE_NUMBER] | None,
    Field(
        description="At most so many messages are sent in a second; null: no limit.", examples=[10]
    ),
]


class WebhookEndpointIn(RequestModel):
    url: Url
    kind: EndpointKind = Field(
        "standard", description="`slack`: messages in Slack's format, without a signature."
    )
    name: Text | None = Field(None, examples=["CRM"])
    types: MessageTypes = Field(default_factory=list)
    filter: MessageFilter = Field(default_factory=dict)
    headers: Headers = Field(default_factory=dict)
    personal_data: PersonalData = False
    paused: Paused = False
    max_per_second: MaxPerSecond = None


class WebhookEndpointPatch(RequestModel):
    """The fields to change; omitted fields stay as they are. ``headers`` replaces all headers."""

    url: Url = Field(default_factory=str)
    name: Text | None = Field(None, examples=["CRM"])
    types: MessageTypes = Field(default_factory=list)
    filter: MessageFilter = Field(default_factory=dict)
    headers: Headers = Field(default_factory=dict)
    personal_data: PersonalData = Field(default_factory=bool)
    paused: Paused = Field(default_factory=bool)
    max_per_second: MaxPerSecond = None


class WebhookEndpointOut(ResponseModel):
    id: str = Field(examples=[EXAMPLE_ENDPOINT_ID])
    kind: EndpointKind
    name: str | None = Field(examples=["CRM"])
    url: str = Field(
        description="The URL without its query; for Slack also without its path.",
        examples=["https://crm.example/hook"],
    )
    types: list[str] = Field(examples=[["alert.opened", "alert.resolved"]])
    filter: dict[str, Any] = Field(examples=[{"segment": "enterprise"}])
    header_names: list[str] = Field(examples=[["authorization"]])
    personal_data: bool
    max_per_second: int | None = Field(
        description="At most so many messages are sent in a second.", examples=[10]
    )
    state: EndpointStateOut = Field(
        description="`degraded`: it fails, and one message at a time is tried."
    )
    reason: str | None = Field(
        description="Why it is disabled: `failing` for days, `gone` (it answered 410), or"
        " `requested` (by its header `webhook-delivery: disable`).",
        examples=[None],
    )
    failures: int = Field(description="The number of consecutive failed attempts.", examples=[0])
    failing_since: datetime | None
    resume_at: datetime | None = Field(description="Nothing is sent before this time.")
    created_at: datetime
    changed_at: datetime

    @classmethod
    def from_endpoint(cls, row: WebhookEndpoint, **values: str | None) -> Self:
        state = "paused" if row.paused and row.state != "disabled" else row.state
        return cls.from_row(row, state=state, **values)


class NewWebhookEndpointOut(WebhookEndpointOut):
    secret: str | None = Field(
        description="The signing secret, returned only here; null for Slack.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


Grace = Annotated[int, Strict(), Field(ge=0, le=604_800, examples=[86_400]), WHOLE_NUMBER]


class SecretRotationIn(RequestModel):
    grace_seconds: Grace = Field(
        86_400, description="How long the old secret also signs, beside the new one."
    )


class RecoveryIn(RequestModel):
    """A time range of messages: created at or after `since` and before `until`."""

    since: Timestamp = Field(examples=["2026-11-24T00:00:00Z"])
    until: Timestamp | None = Field(None, description="Null: until now.", examples=[None])


class MessageOut(ResponseModel):
    id: str = Field(description="Sent as the header `webhook-id`.", examples=[EXAMPLE_MESSAGE_ID])
    type: str = Field(examples=["alert.opened"])
    account_id: str | None = Field(examples=["acme"])
    data: dict[str, Any] = Field(
        description="The message's data without personal fields.",
        examples=[{"account_id": "acme", "sequence": 42}],
    )
    created_at: datetime

    @classmethod
    def from_message(cls, row: Message) -> Self:
        return cls.from_row(row, data=orjson.loads(row.body)["data"])


class DeliveryOut(ResponseModel):
    message_id: str = Field(examples=[EXAMPLE_MESSAGE_ID])
    endpoint_id: str = Field(examples=[EXAMPLE_ENDPOINT_ID])
    state: DeliveryState
    attempts: int = Field(
        description="The number of attempts since the delivery was created or last replayed.",
        examples=[1],
    )
    due_at: datetime = Field(description="For a pending delivery: the time of the next attempt.")
    finished_at: datetime | None


class AttemptOut(ResponseModel):
    id: int = Field(examples=[1])
    at: datetime = Field(description="When the attempt ended.")
    milliseconds: int = Field(examples=[84])
    status: int | None = Field(description="The receiver's HTTP status.", examples=[204])
    error: str | None = Field(description="Why there is no status.", examples=["timeout"])
    response: str = Field(
        description="The first 1,024 characters of the response body.", examples=["ok"]
    )


class ReplayOut(ResponseModel):
    deliveries: int = Field(
        description="The number of deliveries that are due again.", examples=[1]
    )


class MessageTypeOut(ResponseModel):
    type: str = Field(examples=["alert.opened"])
    description: str = Field(examples=["A rule fired for an account."])
    data_schema: dict[str, Any] = Field(
        description="The JSON Schema of `data`.", examples=[{"type": "object"}]
    )
