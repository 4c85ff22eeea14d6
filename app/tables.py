"""Every table of the service, for Alembic, the tests and a reader who wants the whole schema."""

from app.accounts.tables import (
    Account,
    Due,
    ParkedAccount,
    Plan,
    ProductFeature,
    Subscription,
    User,
    UserAlias,
)
from app.core.db import Table
from app.events.tables import Event, EventName, QuarantinedEvent, UnattributedEvent
from app.health.tables import Benchmark, HealthHistory, HealthScore, Scorecard
from app.usage.tables import DailyReach, DailyUsage, FirstUse
from app.workspaces.tables import ApiKey, AuditEntry, Workspace

metadata = Table.metadata

__all__ = [
    "Account",
    "ApiKey",
    "AuditEntry",
    "Benchmark",
    "DailyReach",
    "DailyUsage",
    "Due",
    "Event",
    "EventName",
    "FirstUse",
    "HealthHistory",
    "HealthScore",
    "ParkedAccount",
    "Plan",
    "ProductFeature",
    "QuarantinedEvent",
    "Scorecard",
    "Subscription",
    "UnattributedEvent",
    "User",
    "UserAlias",
    "Workspace",
    "metadata",
]
