"""Every table of the service, for Alembic, the tests and a reader who wants the whole schema."""

from app.accounts.catalog.tables import ExchangeRate, Plan, ProductFeature
from app.accounts.deadlines.tables import AccountDeadline
from app.accounts.tables import (
    Account,
    AccountAlias,
    AccountBeforeMerge,
    Due,
    ExternalId,
    ParkedAccount,
    PriceStatement,
    Subscription,
    Tombstone,
    User,
    UserAlias,
)
from app.alerts.tables import Alert, AlertRule, AlertState
from app.billing.tables import (
    BillingCustomer,
    BillingEvent,
    BillingSource,
    BillingSubscription,
    Invoice,
)
from app.changes.tables import Change, SortChange
from app.churn.tables import ChurnModel, ChurnRisk, ChurnRiskHistory, ChurnScoringContext
from app.collaboration.tables import Note, NoteVersion, Sentiment, Task
from app.core.db import Table
from app.digests.tables import Digest
from app.engagement.reply_standards.tables import ReplyStandardsRow
from app.engagement.tables import (
    EngagementFact,
    EngagementObject,
    FeedbackItem,
    Goal,
    Incident,
    IncidentAccount,
    LoyaltyTier,
    OnboardingCompletion,
    OnboardingPace,
    OnboardingStep,
    PersonRole,
    SurveyResponse,
    Ticket,
    TicketMoment,
)
from app.events.tables import (
    DueAttribution,
    Event,
    EventName,
    IngestHour,
    IngestTally,
    QuarantinedEvent,
    Source,
    SourceEventName,
    StaleAccount,
    UnattributedEvent,
)
from app.health.tables import (
    Benchmark,
    HealthHistory,
    HealthScore,
    Restatement,
    Scorecard,
    ScoreDefinition,
    ScoreOverride,
)
from app.imports.tables import ImportChunk, ImportFile, ImportPeriod, ImportRowError
from app.interventions.tables import Assignment, Experiment, Intervention, OwnPlaybook
from app.jobs.tables import Job
from app.lifecycle.tables import IdChange
from app.members.tables import Member, MemberSession
from app.portfolio.tables import SavedSegment
from app.signals.tables import AccountActivity, AccountSignal, SignalSettings
from app.usage.tables import DailyReach, DailyUsage, FirstUse
from app.webhooks.tables import Attempt, Delivery, Message, MessageSequence, WebhookEndpoint
from app.workspaces.tables import ApiKey, AuditEntry, IdempotencyKey, Workspace

metadata = Table.metadata

__all__ = [
    "Account",
    "AccountActivity",
    "AccountAlias",
    "AccountBeforeMerge",
    "AccountDeadline",
    "AccountSignal",
    "Alert",
    "AlertRule",
    "AlertState",
    "ApiKey",
    "Assignment",
    "Attempt",
    "AuditEntry",
    "Benchmark",
    "BillingCustomer",
    "BillingEvent",
    "BillingSource",
    "BillingSubscription",
    "Change",
    "ChurnModel",
    "ChurnRisk",
    "ChurnRiskHistory",
    "ChurnScoringContext",
    "DailyReach",
    "DailyUsage",
    "Delivery",
    "Digest",
    "Due",
    "DueAttribution",
    "EngagementFact",
    "EngagementObject",
    "Event",
    "EventName",
    "ExchangeRate",
    "Experiment",
    "ExternalId",
    "FeedbackItem",
    "FirstUse",
    "Goal",
    "HealthHistory",
    "HealthScore",
    "IdChange",
    "IdempotencyKey",
    "ImportChunk",
    "ImportFile",
    "ImportPeriod",
    "ImportRowError",
    "Incident",
    "IncidentAccount",
    "IngestHour",
    "IngestTally",
    "Intervention",
    "Invoice",
    "Job",
    "LoyaltyTier",
    "Member",
    "MemberSession",
    "Message",
    "MessageSequence",
    "Note",
    "NoteVersion",
    "OnboardingCompletion",
    "OnboardingPace",
    "OnboardingStep",
    "OwnPlaybook",
    "ParkedAccount",
    "PersonRole",
    "Plan",
    "PriceStatement",
    "ProductFeature",
    "QuarantinedEvent",
    "ReplyStandardsRow",
    "Restatement",
    "SavedSegment",
    "ScoreDefinition",
    "ScoreOverride",
    "Scorecard",
    "Sentiment",
    "SignalSettings",
    "SortChange",
    "Source",
    "SourceEventName",
    "StaleAccount",
    "Subscription",
    "SurveyResponse",
    "Task",
    "Ticket",
    "TicketMoment",
    "Tombstone",
    "UnattributedEvent",
    "User",
    "UserAlias",
    "WebhookEndpoint",
    "Workspace",
    "metadata",
]
