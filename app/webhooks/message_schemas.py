"""The catalogue of messages: what each type says in its ``data``, and which of it is personal."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from app.core.schemas import NO_NUL, Text

LONGEST_SENTENCE, MOST_SENTENCES, MOST_ACCOUNTS = 300, 3, 10


def _clipped(value: object) -> object:
    return value[:LONGEST_SENTENCE] if isinstance(value, str) else value


def _first(value: object) -> object:
    return list(value)[:MOST_SENTENCES] if isinstance(value, list | tuple) else value


Id = Annotated[str, Field(max_length=255)]
Word = Annotated[str, Field(max_length=60)]
Sentence = Annotated[str, BeforeValidator(_clipped), Field(max_length=LONGEST_SENTENCE)]
Sentences = Annotated[list[Sentence], BeforeValidator(_first)]
Path = Annotated[str, Field(max_length=4000, pattern=NO_NUL)]  # a key, each letter as %XX %XX %XX
Direction = Literal["down", "up"]
Value = float | Word | None


def personal(example: str, description: str) -> Any:  # noqa: ANN401 - as pydantic's Field
    """Declare what only goes to endpoints that asked for personal data."""
    extra: dict[str, JsonValue] = {"x-personal": True}
    return Field(None, description=description, examples=[example], json_schema_extra=extra)


def of_what(description: str, example: object, *, default: Any = ...) -> Any:  # noqa: ANN401
    return Field(default, description=description, examples=[example])


class Payload(BaseModel):
    """What a message says beside its type and time."""

    model_config = ConfigDict(extra="forbid")

    link: Path | None = of_what("A path in this service.", None, default=None)


class OfAccount(Payload):
    account_id: Id = of_what("Whom it is about.", "acme")
    sequence: int = of_what("Rises with each message about this account.", 42)


class RuleSaid(BaseModel):
    """The alert rule that fired."""

    model_config = ConfigDict(extra="forbid")

    id: Id = Field(examples=["health_at_risk"])
    name: Text = Field(examples=["Health score at risk"])
    version: int | None = Field(None, examples=[1])


class Alert(OfAccount):
    alert_id: Word = Field(examples=["alr_019aa1b2c3d4e5f60718293a"])
    rule: RuleSaid
    signal: Id = of_what("What the rule watches.", "health_score")
    condition: Word | None = of_what("How it is compared.", "below", default=None)
    severity: Word | None = Field(None, examples=["high"])
    episode: int | None = of_what("How often it has fired for this account.", 1, default=None)
    previous: Value = of_what("What it was before.", 31.5, default=None)
    current: Value = of_what("What it is now.", 22.0, default=None)
    threshold: Value = of_what("What was crossed.", 25.0, default=None)
    direction: Direction | None = Field(None, examples=["down"])
    drivers: Sentences = of_what(
        "Why, the strongest first, three at most.",
        ["Depth fell from 15 to 9 active users: −6.1 points."],  # noqa: RUF001 - a real minus
        default=[],
    )
    scorecard_version: int | None = Field(None, examples=[1])
    model_version: Word | None = Field(None, examples=[None])
    revenue_at_risk_cents: int | None = Field(None, examples=[239880])
    currency: Word | None = Field(None, examples=["USD"])
    opened_at: datetime | None = None
    owner: Text | None = personal("kim@example.com", "To whom the alert is assigned.")


class AlertOpened(Alert):
    """A rule fired for an account."""


class AlertAcknowledged(Alert):
    """Somebody has taken an alert on."""

    acknowledged_at: datetime | None = None
    acknowledged_by: Text | None = personal("kim@example.com", "Who has.")


class AlertResolved(Alert):
    """What an alert told of is over."""

    resolved_at: datetime | None = None
    reason: Sentence | None = of_what("Why it ended.", "recovered", default=None)


class Crossed(BaseModel):
    """One account of a digest."""

    model_config = ConfigDict(extra="forbid")

    account_id: Id = Field(examples=["acme"])
    alert_id: Word | None = Field(None, examples=["alr_019aa1b2c3d4e5f60718293a"])
    what: Literal["opened", "resolved"] | None = Field(None, examples=["opened"])
    previous: Value = Field(None, examples=[31.5])
    current: Value = Field(None, examples=[22.0])


class AlertDigested(Payload):
    """A rule fired or ended for many accounts at once; this stands for all of them."""

    rule: RuleSaid
    signal: Id | None = Field(None, examples=["health_score"])
    opened: int = of_what("For how many accounts it fired.", 120)
    resolved: int = of_what("For how many it ended.", 3, default=0)
    revenue_at_risk_cents: int | None = Field(None, examples=[1200000])
    currency: Word | None = Field(None, examples=["USD"])
    scorecard_version: int | None = Field(None, examples=[1])
    accounts: list[Crossed] = Field([], description="Some of them.", max_length=MOST_ACCOUNTS)


class Source(Payload):
    key_id: Id = of_what("The API key that its events come with.", "0123456789")
    silent_since: datetime
    last_event_at: datetime
    accounts: int = of_what("How many accounts it concerns.", 12)


class DataStopped(Source):
    """A source of events fell silent; scores that rest on it freeze."""


class DataResumed(Source):
    """A source of events is back."""


class ImportCompleted(Payload):
    """An import ended: done, failed or cancelled."""

    import_id: Word = Field(examples=["job_019aa1b2c3d4e5f60718293a"])
    kind: Word = Field(examples=["events"])
    dry_run: bool
    state: Word = Field(examples=["done"])
    rows: int = Field(examples=[1000])
    stored: int = Field(examples=[990])
    duplicates: int = Field(examples=[8])
    rejected: int = Field(examples=[2])


class SuggestionCreated(OfAccount):
    """There is something to be done about an account."""

    suggestion_id: Word = Field(examples=["int_019aa1b2c3d4e5f60718293a"])
    playbook: Id = Field(examples=["unused_features"])
    title: Sentence | None = Field(None, examples=["Show them the features that they pay for"])
    reasons: Sentences = of_what("Why, three at most.", ["2 of 7 paid features are unused."])
    priority: float | None = of_what(
        "What it is expected to save in a year, less its cost, in cents.", 18190.4, default=None
    )
    revenue_at_risk_cents: int | None = Field(None, examples=[239880])
    currency: Word | None = Field(None, examples=["USD"])
    owner: Text | None = personal("kim@example.com", "Who looks after the account.")


class Suggested(BaseModel):
    """One suggestion of a digest."""

    model_config = ConfigDict(extra="forbid")

    account_id: Id = Field(examples=["acme"])
    suggestion_id: Word = Field(examples=["int_019aa1b2c3d4e5f60718293a"])
    playbook: Id = Field(examples=["unused_features"])
    priority: float = Field(examples=[18190.4])


class SuggestionDigested(Payload):
    """Much is new at once, as after an import; this stands for all of it."""

    suggested: int = of_what("How many suggestions are new.", 420)
    playbooks: dict[Id, int] = of_what("How many of each playbook.", {"unused_features": 420})
    accounts: list[Suggested] = Field(
        [], description="Those that are worth most.", max_length=MOST_ACCOUNTS
    )
    currency: Word | None = Field(None, examples=["USD"])


class InterventionCompleted(OfAccount):
    """Something was done about an account; what comes of it is seen later, at the link."""

    intervention_id: Word = of_what(
        "The `suggestion_id`, if it was suggested.", "int_019aa1b2c3d4e5f60718293a"
    )
    playbook: Id | None = Field(None, examples=["unused_features"])
    completed_at: datetime | None = None
    completed_by: Text | None = personal("kim@example.com", "Who did it.")


class FeedbackResolved(OfAccount):
    """What somebody complained of or asked for is answered: tell them."""

    feedback_id: Id = Field(examples=["f-9"])
    user_id: Id | None = of_what("Who said it.", "ada")
    kind: Word = of_what("complaint, request or praise.", "request")
    topic: Text | None = Field(examples=["appearance"])
    product_feature: Id | None = Field(examples=["editor"])
    asked_at: datetime
    outcome: Word = of_what("shipped, fixed, answered or declined.", "shipped")
    answer: Sentence | None = personal("It is out since today.", "What to tell them.")


class ModelActivated(Payload):
    """A trained model of churn risk is the one that counts from now on."""

    model_version: Word = Field(examples=["2026-11-25-1"])
    previous_version: Word | None = Field(None, examples=[None])
    status: Word | None = Field(None, examples=["trusted"])
    horizon_days: int | None = Field(None, examples=[90])
    metrics: dict[Word, float | None] = Field(default={}, max_length=30, examples=[{"auc": 0.81}])


class ModelDegraded(Payload):
    """The model that counts does worse than it promised."""

    model_version: Word = Field(examples=["2026-11-25-1"])
    reason: Sentence = Field(examples=["Calibration is off by 0.12."])
    metrics: dict[Word, float | None] = Field(default={}, max_length=30, examples=[{"auc": 0.55}])


class ScorecardActivated(Payload):
    """A version of the scorecard is the one that counts from now on."""

    version: int = Field(examples=[2])
    previous_version: int | None = Field(None, examples=[1])


class EndpointDisabled(Payload):
    """A webhook endpoint gets nothing any more; the others are told."""

    endpoint_id: Word = Field(examples=["whe_5c1f0a9d3b7e4c6f8a2d"])
    name: Text | None = Field(None, examples=["CRM"])
    reason: Literal["failing", "gone"]
    failing_since: datetime | None = None


class EndpointTest(Payload):
    """Sent when asked for, to one endpoint."""

    endpoint_id: Word = Field(examples=["whe_5c1f0a9d3b7e4c6f8a2d"])


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
Kind = Literal[
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
CATALOGUE: Mapping[str, type[Payload]] = dict(zip(get_args(Kind), PAYLOADS, strict=True))


@cache
def personal_fields(payload: type[Payload]) -> frozenset[str]:
    """Name what only goes to endpoints that asked for personal data."""
    return frozenset(
        name
        for name, field in payload.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("x-personal")
    )
