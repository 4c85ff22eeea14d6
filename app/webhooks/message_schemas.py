"""The catalogue of messages: what each type says in its ``data``, and which of it is personal."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from app.core.schemas import NO_NUL, Text

MAX_SENTENCE_LENGTH, MAX_SENTENCES, MAX_DIGEST_ITEMS = 300, 3, 10


def _clipped(value: object) -> object:
    return value[:MAX_SENTENCE_LENGTH] if isinstance(value, str) else value


def _first(value: object) -> object:
    return list(value)[:MAX_SENTENCES] if isinstance(value, list | tuple) else value


Id = Annotated[str, Field(max_length=255)]
ShortText = Annotated[str, Field(max_length=60)]
Sentence = Annotated[str, BeforeValidator(_clipped), Field(max_length=MAX_SENTENCE_LENGTH)]
Sentences = Annotated[list[Sentence], BeforeValidator(_first)]
Path = Annotated[str, Field(max_length=4000, pattern=NO_NUL)]  # a key, each letter as %XX %XX %XX
Direction = Literal["down", "up"]
SignalValue = float | ShortText | None


def personal_field(example: str, description: str) -> Any:  # noqa: ANN401 - as pydantic's Field
    """Declare what only goes to endpoints that asked for personal data."""
    extra: dict[str, JsonValue] = {"x-personal": True}
    return Field(None, description=description, examples=[example], json_schema_extra=extra)


def described_field(description: str, example: object, *, default: Any = ...) -> Any:  # noqa: ANN401
    return Field(default, description=description, examples=[example])


class Payload(BaseModel):
    """What a message says beside its type and time."""

    model_config = ConfigDict(extra="forbid")

    link: Path | None = described_field("A path in this service.", None, default=None)


class AccountPayload(Payload):
    account_id: Id = described_field("Whom it is about.", "acme")
    sequence: int = described_field("Rises with each message about this account.", 42)


class AlertRuleRef(BaseModel):
    """The alert rule that fired."""

    model_config = ConfigDict(extra="forbid")

    id: Id = Field(examples=["health_at_risk"])
    name: Text = Field(examples=["Health score at risk"])
    version: int | None = Field(None, examples=[1])


class AlertPayload(AccountPayload):
    alert_id: ShortText = Field(examples=["alr_019aa1b2c3d4e5f60718293a"])
    rule: AlertRuleRef
    signal: Id = described_field("What the rule watches.", "health_score")
    condition: ShortText | None = described_field("How it is compared.", "below", default=None)
    severity: ShortText | None = Field(None, examples=["high"])
    episode: int | None = described_field(
        "How often it has fired for this account.", 1, default=None
    )
    previous: SignalValue = described_field("What it was before.", 31.5, default=None)
    current: SignalValue = described_field("What it is now.", 22.0, default=None)
    threshold: SignalValue = described_field("What was crossed.", 25.0, default=None)
    direction: Direction | None = Field(None, examples=["down"])
    drivers: Sentences = described_field(
        "Why, the strongest first, three at most.",
        ["Depth fell from 15 to 9 active users: −6.1 points."],  # noqa: RUF001 - a real minus
        default=[],
    )
    scorecard_version: int | None = Field(None, examples=[1])
    model_version: ShortText | None = Field(None, examples=[None])
    revenue_at_risk_cents: int | None = Field(None, examples=[239880])
    currency: ShortText | None = Field(None, examples=["USD"])
    opened_at: datetime | None = None
    owner: Text | None = personal_field("kim@example.com", "To whom the alert is assigned.")


class AlertOpened(AlertPayload):
    """A rule fired for an account."""


class AlertAcknowledged(AlertPayload):
    """Somebody has taken an alert on."""

    acknowledged_at: datetime | None = None
    acknowledged_by: Text | None = personal_field("kim@example.com", "Who has.")


class AlertResolved(AlertPayload):
    """What an alert told of is over."""

    resolved_at: datetime | None = None
    reason: Sentence | None = described_field("Why it ended.", "recovered", default=None)


class AlertDigestItem(BaseModel):
    """One account of a digest."""

    model_config = ConfigDict(extra="forbid")

    account_id: Id = Field(examples=["acme"])
    alert_id: ShortText | None = Field(None, examples=["alr_019aa1b2c3d4e5f60718293a"])
    what: Literal["opened", "resolved"] | None = Field(None, examples=["opened"])
    previous: SignalValue = Field(None, examples=[31.5])
    current: SignalValue = Field(None, examples=[22.0])


class AlertDigested(Payload):
    """A rule fired or ended for many accounts at once; this stands for all of them."""

    rule: AlertRuleRef
    signal: Id | None = Field(None, examples=["health_score"])
    opened: int = described_field("For how many accounts it fired.", 120)
    resolved: int = described_field("For how many it ended.", 3, default=0)
    revenue_at_risk_cents: int | None = Field(None, examples=[1200000])
    currency: ShortText | None = Field(None, examples=["USD"])
    scorecard_version: int | None = Field(None, examples=[1])
    accounts: list[AlertDigestItem] = Field(
        [], description="Some of them.", max_length=MAX_DIGEST_ITEMS
    )


class SourcePayload(Payload):
    key_id: Id = described_field("The API key that its events come with.", "0123456789")
    silent_since: datetime
    last_event_at: datetime
    accounts: int = described_field("How many accounts it concerns.", 12)


class DataStopped(SourcePayload):
    """A source of events fell silent; scores that rest on it freeze."""


class DataResumed(SourcePayload):
    """A source of events is back."""


class ImportCompleted(Payload):
    """An import ended: done, failed or cancelled."""

    import_id: ShortText = Field(examples=["job_019aa1b2c3d4e5f60718293a"])
    kind: ShortText = Field(examples=["events"])
    dry_run: bool
    state: ShortText = Field(examples=["done"])
    rows: int = Field(examples=[1000])
    stored: int = Field(examples=[990])
    duplicates: int = Field(examples=[8])
    rejected: int = Field(examples=[2])


class SuggestionCreated(AccountPayload):
    """There is something to be done about an account."""

    suggestion_id: ShortText = Field(examples=["int_019aa1b2c3d4e5f60718293a"])
    playbook: Id = Field(examples=["unused_features"])
    title: Sentence | None = Field(None, examples=["Show them the features that they pay for"])
    reasons: Sentences = described_field(
        "Why, three at most.", ["2 of 7 paid features are unused."]
    )
    priority: float | None = described_field(
        "What it is expected to save in a year, less its cost, in cents.", 18190.4, default=None
    )
    revenue_at_risk_cents: int | None = Field(None, examples=[239880])
    currency: ShortText | None = Field(None, examples=["USD"])
    owner: Text | None = personal_field("kim@example.com", "Who looks after the account.")


class SuggestionDigestItem(BaseModel):
    """One suggestion of a digest."""

    model_config = ConfigDict(extra="forbid")

    account_id: Id = Field(examples=["acme"])
    suggestion_id: ShortText = Field(examples=["int_019aa1b2c3d4e5f60718293a"])
    playbook: Id = Field(examples=["unused_features"])
    priority: float = Field(examples=[18190.4])


class SuggestionDigested(Payload):
    """Much is new at once, as after an import; this stands for all of it."""

    suggested: int = described_field("How many suggestions are new.", 420)
    playbooks: dict[Id, int] = described_field(
        "How many of each playbook.", {"unused_features": 420}
    )
    accounts: list[SuggestionDigestItem] = Field(
        [], description="Those that are worth most.", max_length=MAX_DIGEST_ITEMS
    )
    currency: ShortText | None = Field(None, examples=["USD"])


class InterventionCompleted(AccountPayload):
    """Something was done about an account; what comes of it is seen later, at the link."""

    intervention_id: ShortText = described_field(
        "The `suggestion_id`, if it was suggested.", "int_019aa1b2c3d4e5f60718293a"
    )
    playbook: Id | None = Field(None, examples=["unused_features"])
    completed_at: datetime | None = None
    completed_by: Text | None = personal_field("kim@example.com", "Who did it.")


class FeedbackResolved(AccountPayload):
    """What somebody complained of or asked for is answered: tell them."""

    feedback_id: Id = Field(examples=["f-9"])
    user_id: Id | None = described_field("Who said it.", "ada")
    kind: ShortText = described_field("complaint, request or praise.", "request")
    topic: Text | None = Field(examples=["appearance"])
    product_feature: Id | None = Field(examples=["editor"])
    asked_at: datetime
    outcome: ShortText = described_field("shipped, fixed, answered or declined.", "shipped")
    answer: Sentence | None = personal_field("It is out since today.", "What to tell them.")


class ModelActivated(Payload):
    """A trained model of churn risk is the one that counts from now on."""

    model_version: ShortText = Field(examples=["2026-11-25-1"])
    previous_version: ShortText | None = Field(None, examples=[None])
    status: ShortText | None = Field(None, examples=["trusted"])
    horizon_days: int | None = Field(None, examples=[90])
    metrics: dict[ShortText, float | None] = Field(
        default={}, max_length=30, examples=[{"auc": 0.81}]
    )


class ModelDegraded(Payload):
    """The model that counts does worse than it promised."""

    model_version: ShortText = Field(examples=["2026-11-25-1"])
    reason: Sentence = Field(examples=["Calibration is off by 0.12."])
    metrics: dict[ShortText, float | None] = Field(
        default={}, max_length=30, examples=[{"auc": 0.55}]
    )


class ScorecardActivated(Payload):
    """A version of the scorecard is the one that counts from now on."""

    version: int = Field(examples=[2])
    previous_version: int | None = Field(None, examples=[1])


class EndpointDisabled(Payload):
    """A webhook endpoint gets nothing any more; the others are told."""

    endpoint_id: ShortText = Field(examples=["whe_5c1f0a9d3b7e4c6f8a2d"])
    name: Text | None = Field(None, examples=["CRM"])
    reason: Literal["failing", "gone"]
    failing_since: datetime | None = None


class EndpointTest(Payload):
    """Sent when asked for, to one endpoint."""

    endpoint_id: ShortText = Field(examples=["whe_5c1f0a9d3b7e4c6f8a2d"])


PAYLOADS = (
    *(AlertOpened, AlertAcknowledged, AlertResolved, AlertDigested, DataStopped, DataResumed),
    *(
        SuggestionCreated,
        SuggestionDigested,
        InterventionCompleted,
        FeedbackResolved,
        ImportCompleted,
    ),
    *(ModelActivated, ModelDegraded, ScorecardActivated, EndpointDisabled, EndpointTest),
)
MessageType = Literal[
    "alert.opened",
    "alert.acknowledged",
    "alert.resolved",
    "alert.digested",
    "data.stopped",
    "data.resumed",
    "suggestion.created",
    "suggestion.digested",
    "intervention.completed",
    "feedback.resolved",
    "import.completed",
    "model.activated",
    "model.degraded",
    "scorecard.activated",
    "endpoint.disabled",
    "endpoint.test",
]
CATALOGUE: Mapping[str, type[Payload]] = dict(zip(get_args(MessageType), PAYLOADS, strict=True))


@cache
def personal_fields(payload: type[Payload]) -> frozenset[str]:
    """Name what only goes to endpoints that asked for personal data."""
    return frozenset(
        name
        for name, field in payload.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("x-personal")
    )
