"""The receipt of ingestion, and the OpenAPI description of its bodies (parsed in `reading`)."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.core.schemas import ResponseModel

EventResult = Literal["accepted", "duplicate", "quarantined", "erased"]


class EventVerdict(ResponseModel):
    """The result of an event that was not accepted, or was accepted with a code or a warning."""

    index: int = Field(examples=[7], description="Position in the batch, from 0.")
    message_id: str | None = Field(examples=["m-7"])
    result: EventResult
    code: str | None = Field(None, examples=["missing_event_name"])
    pointer: str | None = Field(None, examples=["/event"])
    detail: str | None = Field(None, examples=["A track call needs a non-empty event name."])
    quarantine_id: str | None = Field(None, examples=["q_12"])
    warnings: list[str] = Field([], examples=[["unread_field"]])
    hints: list[str] = Field(
        [],
        examples=[["`MRR` is not read; did you mean `mrr`?"]],
        description="Which fields were not read or left out, in words and without their values.",
    )


class Receipt(ResponseModel):
    """The counts of a batch: `received = accepted + duplicates + quarantined + erased`."""

    success: Literal[True] = True
    request_id: str = Field(examples=["req_5f0c1c5c3a2b4d6e8f90"])
    received: int = Field(examples=[100])
    accepted: int = Field(examples=[97])
    duplicates: int = Field(examples=[1])
    quarantined: int = Field(examples=[2])
    erased: int = Field(
        0, examples=[0], description="Events of erased people and accounts; nothing is stored."
    )
    unattributed: int = Field(
        examples=[0],
        description="Accepted events that wait until the account of their user is known.",
    )
    warnings: int = Field(examples=[1])
    events: list[EventVerdict] = Field(
        description="Events that were not simply accepted, at most 100."
    )


class PostHogResult(ResponseModel):
    """The result of one event for a PostHog SDK: `drop` is final, the SDK reports it."""

    result: Literal["ok", "warning", "drop"] = Field(examples=["ok"])
    details: str | None = Field(None, examples=["unread_field"])


class PostHogReceipt(Receipt):
    """A receipt with the result of each event by its `uuid`."""

    results: dict[str, PostHogResult] = Field(
        examples=[{"01a20335-8a59-7deb-a9e8-b1b3d9b37865": {"result": "ok", "details": None}}]
    )


class PartialSuccess(ResponseModel):
    rejectedLogRecords: str = Field(examples=["2"])  # noqa: N815 - the name in OTLP
    errorMessage: str = Field(examples=["Quarantined: missing_event_name (2)."])  # noqa: N815


class ExportedLogs(ResponseModel):
    """The answer to an OpenTelemetry exporter; empty if every log record was accepted."""

    partialSuccess: PartialSuccess | None = None  # noqa: N815 - the name in OTLP


class NativeEvent(BaseModel):
    """One event of the native dialect, for documentation only: the body is parsed leniently."""

    type: Literal["track", "page", "screen", "identify", "group", "alias"] = "track"
    event: str | None = Field(None, max_length=200, examples=["Report Exported"])
    message_id: str | None = Field(None, max_length=255, examples=["m-1"])
    timestamp: datetime | None = Field(None, examples=["2026-03-01T09:00:00Z"])
    account_id: str | None = Field(None, max_length=255, examples=["acme"])
    user_id: str | None = Field(None, max_length=255, examples=["ada"])
    anonymous_id: str | None = Field(None, max_length=255)
    previous_id: str | None = Field(None, max_length=255)
    end_customer_id: str | None = Field(None, max_length=255, examples=["c-42"])
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}


def _field_documentation(schema: dict[str, Any]) -> dict[str, Any]:
    """Keep a field's texts and no constraints: an invalid event is quarantined, not refused."""
    return {name: schema[name] for name in ("title", "description", "examples") if name in schema}


NATIVE_FIELDS: dict[str, Any] = {
    **{
        name: _field_documentation(field)
        for name, field in NativeEvent.model_json_schema()["properties"].items()
    },
    "events": {
        "description": "Several events in one request.",
        "not": {"type": "array", "maxItems": 0},
    },
}
SEGMENT_BATCH = {
    "schema": {
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": {"type": "array", "minItems": 1},
            "sentAt": {
                "description": "When the client sent the batch.",
                "examples": ["2026-03-01T09:00:00Z"],
            },
        },
    },
    "example": {
        "batch": [
            {
                "type": "track",
                "messageId": "m-1",
                "timestamp": "2026-03-01T09:00:00Z",
                "userId": "ada",
                "event": "Report Exported",
                "context": {"groupId": "acme"},
                "properties": {"end_customer_id": "c-42"},
            }
        ]
    },
}
SEGMENT_CALL = {
    "schema": {"type": "object"},
    "example": {"userId": "ada", "event": "Report Exported", "context": {"groupId": "acme"}},
}
NATIVE_EVENTS = {
    "schema": {
        "anyOf": [
            {"type": "object", "properties": NATIVE_FIELDS},
            {"type": "array", "minItems": 1},
        ]
    },
    "example": {"event": "Report Exported", "account_id": "acme", "user_id": "ada"},
}
POSTHOG_EVENT = {
    "event": "Report Exported",
    "distinct_id": "ada",
    "uuid": "01a20335-8a59-7deb-a9e8-b1b3d9b37865",
    "timestamp": "2026-03-01T09:00:00Z",
    "properties": {"$groups": {"company": "acme"}, "end_customer_id": "c-42"},
}
POSTHOG_BATCH = {
    "schema": {
        "anyOf": [
            {
                "type": "object",
                "properties": {"batch": {"not": {"type": "array", "maxItems": 0}}},
            },
            {"type": "array", "minItems": 1},
        ]
    },
    "example": {"batch": [POSTHOG_EVENT], "sent_at": "2026-03-01T09:00:00Z"},
}
OTEL_LOGS = {
    "schema": {
        "type": "object",
        "required": ["resourceLogs"],
        "properties": {"resourceLogs": {"type": "array"}},
    },
    "example": {
        "resourceLogs": [
            {
                "resource": {
                    "attributes": [{"key": "service.name", "value": {"stringValue": "reports"}}]
                },
                "scopeLogs": [
                    {
                        "logRecords": [
                            {
                                "eventName": "report.exported",
                                "timeUnixNano": "1772355600000000000",
                                "attributes": [
                                    {"key": "account.id", "value": {"stringValue": "acme"}},
                                    {"key": "user.id", "value": {"stringValue": "ada"}},
                                ],
                            }
                        ]
                    }
                ],
            }
        ]
    },
}
