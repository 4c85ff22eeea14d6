"""The catalogue of message types: the schema of each type's ``data``, personal fields marked.

Loaded with the first message or description of messages: building it takes 20 ms.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, get_args

from pydantic import Field

from app.core.schemas import Text
from app.webhooks.message_fields import (
    AccountPayload,
    Direction,
    Id,
    Payload,
    Sentence,
    Sentences,
    ShortText,
    SignalValue,
    StrictModel,
    described_field,
    personal_field,
)
from app.webhooks.message_types import MAX_DIGEST_ITEMS, MessageType


class AlertRuleRef(StrictModel):
    """The alert rule that fired."""

    id: Id = Field(examples=["health_at_risk"])
    name: Text = Field(examples=["Health score at risk"])
    version: int | None = Field(None, examples=[1])


class AlertPayload(AccountPayload):
    alert_id: ShortText = Field(examples=["alr_019aa1b2c3d4e5f60718293a"])
    rule: AlertRuleRef
    signal: Id = described_field("The signal or measure that the rule watches.", "health_score")
    condition: ShortText | None = described_field("How the value is compared.", "below", None)
    severity: ShortText | None = Field(None, examples=["high"])
    episode: int | None = described_field(
        "How many times the rule has fired for this account.", 1, None
    )
    previous: SignalValue = described_field("The value before.", 31.5, None)
    current: SignalValue = described_field("The value now.", 22.0, None)
    threshold: SignalValue = described_field("The threshold crossed.", 25.0, None)
    direction: Direction | None = Field(None, examples=["down"])
    drivers: Sentences = described_field(
        "Up to three reasons, strongest first.",
        ["Depth fell from 15 to 9 active users: −6.1 points."],  # noqa: RUF001 - a real minus
        default=[],
    )
    scorecard_version: int | None = Field(None, examples=[1])
    model_version: ShortText | None = Field(None, examples=[None])
    revenue_at_risk_cents: int | None = Field(None, examples=[239880])
    revenue_at_risk_basis: ShortText | None = described_field(
        "`probability`, `assumed` (no probability: 30 % of the ARR) or `none`.", "probability", None
    )
    currency: ShortText | None = Field(None, examples=["USD"])
    opened_at: datetime | None = None
    owner: Text | None = personal_field("kim@example.com", "The person the alert is assigned to.")


class AlertOpened(AlertPayload):
    """A rule fired for an account."""


class AlertAcknowledged(AlertPayload):
    """A person acknowledged an alert."""

    acknowledged_at: datetime | None = None
    acknowledged_by: Text | None = personal_field("kim@example.com", "The person who did.")


class AlertResolved(AlertPayload):
    """An alert ended."""

    resolved_at: datetime | None = None
    reason: Sentence | None = described_field("Why it ended.", "recovered", None)


class AlertDigestItem(StrictModel):
    """One account of an alert digest."""

    account_id: Id = Field(examples=["acme"])
    alert_id: ShortText | None = Field(None, examples=["alr_019aa1b2c3d4e5f60718293a"])
    what: Literal["opened", "resolved"] | None = Field(None, examples=["opened"])
    previous: SignalValue = Field(None, examples=[31.5])
    current: SignalValue = Field(None, examples=[22.0])


class AlertDigested(Payload):
    """A rule fired or ended for many accounts at once; replaces one message for each account."""

    rule: AlertRuleRef
    signal: Id | None = Field(None, examples=["health_score"])
    opened: int = described_field("The number of accounts for which it fired.", 120)
    resolved: int = described_field("The number of accounts for which it ended.", 3, 0)
    revenue_at_risk_cents: int | None = Field(None, examples=[1200000])
    revenue_at_risk_assumed_cents: int | None = described_field(
        "The part of it that is not from probabilities but 30 % of the ARR.", 300000, None
    )
    currency: ShortText | None = Field(None, examples=["USD"])
    scorecard_version: int | None = Field(None, examples=[1])
    accounts: list[AlertDigestItem] = Field(
        [], description="Some of the accounts.", max_length=MAX_DIGEST_ITEMS
    )


class SourcePayload(Payload):
    key_id: Id = described_field("The API key of the source.", "0123456789")
    silent_since: datetime
    last_event_at: datetime
    accounts: int = described_field("The number of accounts affected.", 12)


class DataStopped(SourcePayload):
    """A source of events fell silent; scores that depend on it freeze."""


class DataResumed(SourcePayload):
    """A silent source sends events again."""


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
    """A playbook suggests an action for an account."""

    suggestion_id: ShortText = Field(examples=["int_019aa1b2c3d4e5f60718293a"])
    playbook: Id = Field(examples=["unused_features"])
    title: Sentence | None = Field(None, examples=["Show them the features that they pay for"])
    reasons: Sentences = described_field(
        "Up to three reasons.", ["2 of 7 paid features are unused."]
    )
    priority: float | None = described_field(
        "The expected savings within a year minus the cost, in cents.", 18190.4, None
    )
    revenue_at_risk_cents: int | None = Field(None, examples=[239880])
    revenue_at_risk_basis: ShortText | None = described_field(
        "`probability`, `assumed` (no probability: 30 % of the ARR) or `none`.", "probability", None
    )
    currency: ShortText | None = Field(None, examples=["USD"])
    owner: Text | None = personal_field("kim@example.com", "The owner of the account.")


class SuggestionDigestItem(StrictModel):
    """One suggestion of a suggestion digest."""

    account_id: Id = Field(examples=["acme"])
    suggestion_id: ShortText = Field(examples=["int_019aa1b2c3d4e5f60718293a"])
    playbook: Id = Field(examples=["unused_features"])
    priority: float = Field(examples=[18190.4])


class SuggestionDigested(Payload):
    """Many suggestions are new at once, as after an import; replaces one message for each."""

    suggested: int = described_field("The number of new suggestions.", 420)
    playbooks: dict[Id, int] = described_field("The number by playbook.", {"unused_features": 420})
    accounts: list[SuggestionDigestItem] = Field(
        [], description="The suggestions with the highest priority.", max_length=MAX_DIGEST_ITEMS
    )
    currency: ShortText | None = Field(None, examples=["USD"])


class InterventionCompleted(AccountPayload):
    """An intervention for an account was completed; its outcome appears later at the link."""

    intervention_id: ShortText = described_field(
        "Equal to the `suggestion_id` if it was suggested.", "int_019aa1b2c3d4e5f60718293a"
    )
    playbook: Id | None = Field(None, examples=["unused_features"])
    completed_at: datetime | None = None
    completed_by: Text | None = personal_field("kim@example.com", "The person who completed it.")


class FeedbackResolved(AccountPayload):
    """A complaint or request has an outcome: inform the user."""

    feedback_id: Id = Field(examples=["f-9"])
    user_id: Id | None = described_field("The user who gave the feedback.", "ada")
    kind: ShortText = described_field("complaint, request or praise.", "request")
    topic: Text | None = Field(examples=["appearance"])
    product_feature: Id | None = Field(examples=["editor"])
    requested_at: datetime = Field(alias="asked_at")
    outcome: ShortText = described_field("shipped, fixed, answered or declined.", "shipped")
    answer: Sentence | None = personal_field("It is out since today.", "The answer for the user.")


class ModelActivated(Payload):
    """A trained churn model became the active one."""

    model_version: ShortText = Field(examples=["2026-11-25-1"])
    previous_version: ShortText | None = Field(None, examples=[None])
    status: ShortText | None = Field(None, examples=["trusted"])
    horizon_days: int | None = Field(None, examples=[90])
    metrics: dict[ShortText, float | None] = Field({}, max_length=30, examples=[{"auc": 0.81}])


class ModelDegraded(Payload):
    """The active churn model performs worse than its model card states."""

    model_version: ShortText = Field(examples=["2026-11-25-1"])
    reason: Sentence = Field(examples=["Calibration is off by 0.12."])
    metrics: dict[ShortText, float | None] = Field({}, max_length=30, examples=[{"auc": 0.55}])


class ScorecardActivated(Payload):
    """A scorecard version became the active one."""

    version: int = Field(examples=[2])
    previous_version: int | None = Field(None, examples=[1])


class OwnerDigestItem(StrictModel):
    """What a digest says about one account."""

    account_id: Id = Field(examples=["acme"])
    name: Sentence | None = Field(examples=["Acme Ltd"])
    sentence: Text = Field(examples=["Nobody has used the product for 21 days."])


class OwnerDigested(Payload):
    """What needs the owner of accounts now, and which scores moved; none on a quiet day."""

    title: Sentence = Field(examples=["2 accounts need something today."])
    owner: Text | None = personal_field("kim@example.com", "The owner of the accounts.")
    cadence: Literal["daily", "weekly"] = Field(examples=["daily"])
    accounts: list[OwnerDigestItem] = Field(
        [], description="The most revenue at risk first.", max_length=MAX_DIGEST_ITEMS
    )
    movers: list[OwnerDigestItem] = Field(
        [], description="Up first, then down.", max_length=MAX_DIGEST_ITEMS
    )


class EndpointFailing(Payload):
    """A webhook endpoint fails and will be disabled; this message goes to the other endpoints."""

    endpoint_id: ShortText = Field(examples=["whe_5c1f0a9d3b7e4c6f8a2d"])
    name: Text | None = Field(None, examples=["CRM"])
    percent: Literal[50, 70, 90] = Field(
        description="How much of the way to being disabled is over.", examples=[50]
    )
    failures: int = Field(description="Consecutive failed attempts.", examples=[240])
    failing_since: datetime
    disabled_from: datetime = Field(
        description="It is disabled by the first failure from this time on, unless one succeeds."
    )


class EndpointDisabled(Payload):
    """A webhook endpoint was disabled; this message goes to the other endpoints."""

    endpoint_id: ShortText = Field(examples=["whe_5c1f0a9d3b7e4c6f8a2d"])
    name: Text | None = Field(None, examples=["CRM"])
    reason: Literal["failing", "gone", "requested"]
    failing_since: datetime | None = None


class EndpointTest(Payload):
    """A test message to one endpoint, sent on request."""

    endpoint_id: ShortText = Field(examples=["whe_5c1f0a9d3b7e4c6f8a2d"])


PAYLOADS = (
    *(AlertOpened, AlertAcknowledged, AlertResolved, AlertDigested, DataStopped, DataResumed),
    *(SuggestionCreated, SuggestionDigested, InterventionCompleted, FeedbackResolved),
    *(ImportCompleted, ModelActivated, ModelDegraded, ScorecardActivated, OwnerDigested),
    *(EndpointFailing, EndpointDisabled, EndpointTest),
)
CATALOGUE: Mapping[str, type[Payload]] = dict(zip(get_args(MessageType), PAYLOADS, strict=True))
