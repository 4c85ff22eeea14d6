"""Tables with the id of an account, and what erasures, renames and merges do with their rows."""

from app.accounts.deadlines.tables import AccountDeadline
from app.accounts.tables import (
    Account,
    AccountBeforeMerge,
    Due,
    ExternalId,
    ParkedAccount,
    PriceStatement,
    Subscription,
)
from app.alerts.tables import Alert, AlertState
from app.billing.tables import BillingCustomer, BillingSubscription, Invoice
from app.changes.tables import Change, SortChange
from app.churn.tables import ChurnRisk, ChurnRiskHistory
from app.collaboration.tables import Note, Sentiment, Task
from app.core.db import Table
from app.engagement.tables import (
    EngagementFact,
    EngagementObject,
    FeedbackItem,
    Goal,
    IncidentAccount,
    OnboardingCompletion,
    SurveyResponse,
    Ticket,
)
from app.events.tables import StaleAccount
from app.health.tables import HealthHistory, HealthScore, ScoreOverride
from app.interventions.tables import Assignment, Intervention
from app.signals.tables import AccountActivity, AccountSignal
from app.usage.tables import DailyReach, DailyUsage, FirstUse
from app.webhooks.tables import Message, MessageSequence

Tables = tuple[type[Table], ...]

ERASED_TABLES: Tables = (
    *(AlertState, Alert),
    *(DailyUsage, DailyReach, FirstUse),
    *(Subscription, PriceStatement, ExternalId, Invoice),
    *(BillingSubscription, BillingCustomer),
    *(Ticket, SurveyResponse, FeedbackItem, Goal, OnboardingCompletion, IncidentAccount),
    *(EngagementFact, EngagementObject),
    *(Note, Task, Sentiment),
    *(HealthHistory, HealthScore, ScoreOverride, StaleAccount),
    *(ChurnRisk, ChurnRiskHistory),
    *(AccountSignal, AccountActivity, Change, Message, MessageSequence, Intervention, Assignment),
    *(Due, AccountDeadline, ParkedAccount, AccountBeforeMerge, SortChange, Account),
)
"""Tables of which an erasure deletes all rows of the account's ids, in this order."""

MOVED_TABLES: Tables = (
    *(ExternalId, BillingCustomer, BillingSubscription, Invoice),
    *(Ticket, SurveyResponse, FeedbackItem, Goal, OnboardingCompletion, IncidentAccount),
    *(EngagementFact, EngagementObject),
    *(Note, Task, Sentiment),
    *(StaleAccount, Alert, Change, Message, Intervention, Assignment, MessageSequence),
)
"""Tables whose rows get the new account id."""

SCORE_TABLES: Tables = (
    *(HealthScore, HealthHistory, ScoreOverride, AlertState, AccountSignal),
    *(ChurnRisk, ChurnRiskHistory, AccountBeforeMerge, PriceStatement, SortChange),
)
"""Tables that move with a rename. In a merge the target keeps its own rows."""

RECORDING_TABLES: Tables = (Subscription, SurveyResponse, FeedbackItem)
"""Tables whose rows remember the accounts that they belonged to before merges."""

DISCARDED_TABLES: Tables = (
    *(AlertState, AccountSignal, AccountActivity, AccountDeadline),
    *(PriceStatement, StaleAccount, Due, ParkedAccount, HealthScore, ChurnRisk, ChurnRiskHistory),
    *(OnboardingCompletion, IncidentAccount, EngagementFact, Assignment, MessageSequence),
    SortChange,  # last: the deletions before it are logged
)
"""Tables whose remaining rows of the old id are deleted at the end of a move."""
