"""Wire types of workspaces, API keys and audit entries."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, Strict

from app.core.schemas import (
    WHOLE_NUMBER,
    Currency,
    EventName,
    Id,
    RequestModel,
    ResponseModel,
    Text,
)
from app.workspaces.keys import Scope
from app.workspaces.semantic_events import SemanticEventKind

DAY_SECONDS = 86_400

Domain = Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]


Lifetime = Annotated[int, Strict(), Field(ge=1, le=3650 * DAY_SECONDS), WHOLE_NUMBER]
Overlap = Annotated[int, Strict(), Field(ge=0, le=90 * DAY_SECONDS), WHOLE_NUMBER]


class ReachMethod(StrEnum):
    """How the end customers that an account reaches are counted: see `WorkspacePatch.reach`."""

    IDS = "ids"
    PROPERTY = "property"
    EVENTS = "events"


class WorkspacePatch(RequestModel):
    """The fields to change; a field that is left out keeps its value."""

    name: Text = Field(default_factory=str, examples=["Acme"])
    base_currency: Currency = Field(
        default_factory=str, description="Prices in other currencies are converted to this one."
    )
    end_customer_keys: list[Id] = Field(
        default_factory=list,
        max_length=20,
        description="Event properties with an end customer's id; the first one present counts.",
        examples=[["end_customer_id", "recipient_id"]],
    )
    reach: ReachMethod = Field(
        default_factory=lambda: ReachMethod.IDS,
        description="Count distinct ids, add up `reach_property`, or count `reach_events`.",
    )
    reach_property: Text | None = Field(None, examples=["recipients"])
    reach_events: list[EventName] = Field(
        default_factory=list, max_length=200, examples=[["Message Sent"]]
    )
    internal_domains: list[Domain] = Field(
        default_factory=list,
        max_length=200,
        description="E-mail domains of your own team. What these users do counts in no figure: not"
        " as usage, reach or first use, and not as onboarding, answer, feedback or ticket.",
        examples=[["customer-health.example"]],
    )
    semantic_events: dict[SemanticEventKind, Annotated[list[EventName], Field(max_length=50)]] = (
        Field(
            default_factory=dict,
            description="Your event names for tickets, surveys and other semantic events, "
            "instead of the default names (docs/engagement.md).",
            examples=[{"ticket_opened": ["Case Opened"]}],
        )
    )


class WorkspaceOut(ResponseModel):
    id: str = Field(examples=["acme"])
    name: str = Field(examples=["Acme"])
    base_currency: str = Field(examples=["USD"])
    end_customer_keys: list[str] = Field(examples=[["end_customer_id", "recipient_id"]])
    reach: ReachMethod
    reach_property: str | None = Field(examples=["recipients"])
    reach_events: list[str] = Field(examples=[["Message Sent"]])
    internal_domains: list[str] = Field(examples=[["customer-health.example"]])
    semantic_events: dict[str, list[str]] = Field(examples=[{"ticket_opened": ["Case Opened"]}])
    simulated: bool = Field(description="Whether its data is simulated (a demo).")
    created_at: datetime


class ApiKeyIn(RequestModel):
    name: Text = Field(examples=["production backend"])
    scopes: list[Scope] = Field(
        min_length=1, max_length=len(Scope), examples=[["ingest:write", "health:read"]]
    )
    expires_in_seconds: Lifetime | None = Field(
        None, description="Null: the key never expires.", examples=[None]
    )


class ApiKeyOut(ResponseModel):
    id: str = Field(examples=["0aZ81bQ2xY"])
    name: str = Field(examples=["production backend"])
    scopes: list[str] = Field(examples=[["ingest:write", "health:read"]])
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="Exact to the minute.")


class NewApiKeyOut(ApiKeyOut):
    """A new API key with its text, which no other route can show again."""

    key: str = Field(examples=["hk_0aZ81bQ2xY_…"])


class ApiKeyRotation(RequestModel):
    overlap_seconds: Overlap = Field(DAY_SECONDS, description="How long the old key stays valid.")


class AuditEntryOut(ResponseModel):
    id: int = Field(examples=[12])
    at: datetime
    actor: str = Field(examples=["key:0aZ81bQ2xY"])
    action: str = Field(examples=["plan.changed"])
    subject: str = Field(examples=["pro"])
    details: dict[str, Any] = Field(examples=[{"name": "Pro"}])
