"""Complete the OpenAPI document with what no route declares by itself.

Tags in the order of use, operation ids, problems, filters, CSV, ETags and needed scopes.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from app.core import schemas
from app.core.filters.openapi import FilterLanguage, add_filter
from app.core.http import csv_responses, etags
from app.events.ingestion.ingest_request import authenticate_sender, open_request
from app.portfolio.fields import CHOICES, FIELDS
from app.portfolio.schemas import FILTER_EXAMPLE, FILTER_SCHEMA_NAME
from app.webhooks import message_endpoints, message_types
from app.workspaces.auth import ScopeCheck
from app.workspaces.idempotency import add_idempotency_keys
from app.workspaces.keys import Scope

TITLE = "Customer Health"
DESCRIPTION = """
How much value each customer account gets for each dollar it pays, how likely it is to leave, what
changed and why, and what to do next.

1. Send events with a Segment, RudderStack or PostHog SDK pointed at this host, or with
   `POST /api/v1/events`.
2. Read a score with `GET /api/v1/accounts/{account_id}/health`.
3. List the accounts that need attention with `GET /api/v1/accounts/at-risk`.

Send an API key as `Authorization: Bearer hk_…`. Every operation names the scope that the key needs;
a key with the scope `admin` may do everything. Errors are problem details (RFC 9457) with a stable
`code`. Lists are paged: follow `next_cursor` until it is null.
"""
TAGS = {
    "SDK ingestion": "What SDKs of Segment, RudderStack, PostHog and OpenTelemetry send.",
    "events": "Events as plain JSON or CloudEvents, stored or only validated.",
    "imports": "Files of events, accounts, users and subscriptions, imported as durable jobs.",
    "accounts": "Customer accounts: what is known of them, renames and merges.",
    "users": "People of an account.",
    "subscriptions": "What accounts pay, by period, as it was known on any day.",
    "catalog": "Product features, plans and exchange rates.",
    "billing": "Stripe as the source of what accounts pay.",
    "engagement": "Onboarding, tickets, surveys, feedback, goals, loyalty tiers and incidents.",
    "health": "Health scores, their explanations and history, overrides, rollups and adoption.",
    "scorecards": "Versions of the scorecard: draft, simulate, activate, restate the past.",
    "benchmarks": "The peers that scores are compared with.",
    "churn": "The churn risk of an account and its history.",
    "churn models": "Trained churn models: train, promote, roll back.",
    "signals": "Conditions that are open for an account, and their thresholds.",
    "segments": "Saved filters of accounts.",
    "alerts": "Open and past alerts, and what people do about them.",
    "alert rules": "What opens an alert; preview and backtest of rules.",
    "playbooks": "What to do about which signal.",
    "suggestions": "What to do about an account now.",
    "interventions": "What was done about an account, and its outcome.",
    "experiments": "Whether a playbook helps, compared with a control group.",
    "collaboration": "Notes, tasks and the sentiment of owners.",
    "reports": "Accounts at risk, key figures, causes of churn, backtests and account reviews.",
    "changes": "The feed of changes for tools that poll.",
    "webhooks": "Endpoints, messages, deliveries and attempts.",
    "data": "Sources of events, ingest statistics, event traces and unattributed events.",
    "quarantine": "Events that were not accepted: inspect, replay, discard.",
    "jobs": "Long work in the background.",
    "privacy": "Erasure of accounts and users.",
    "workspace": "Settings of the workspace, API keys and the audit log.",
    "members": "The people of your own team who use the page, their roles and sign-in links.",
    "operations": "Health checks and metrics of the service itself. They need no key.",
}
FILTER_LANGUAGES = (
    FilterLanguage(FILTER_SCHEMA_NAME, FIELDS, FILTER_EXAMPLE, choices=CHOICES),
    FilterLanguage(
        message_types.LANGUAGE,
        message_types.FIELDS,
        {"segment": ["enterprise", "mid_market"]},
        message_types.OPEN_PREFIXES,
    ),
)
INGEST_DEPENDENCIES = {authenticate_sender, open_request}


def operation_id(route: APIRoute) -> str:
    """Return the name of the route's function: it becomes a method name of clients."""
    return route.name


def install(app: FastAPI) -> None:
    """Complete the OpenAPI document of an app with what no route declares by itself."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            message_endpoints.add_webhooks(app)
            document = generate()
            document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
            for language in FILTER_LANGUAGES:
                add_filter(document, language)
            csv_responses.add_csv(document, app)
            etags.add_etags(document)
            add_idempotency_keys(document, app)
            schemas.add_problems(document)
            add_scopes(document, app)
        return generate()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def add_scopes(document: dict[str, Any], app: FastAPI) -> None:
    """Add the scope that the API key needs to the description of every operation."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        scope = needed_scope(route) if isinstance(route, APIRoute) else None
        for method in getattr(route, "methods", None) or ():
            operation = document["paths"].get(context.path, {}).get(method.lower())
            if operation and scope:
                operation["description"] += f"\n\nNeeded scope: `{scope}`."


def needed_scope(route: APIRoute) -> Scope | None:
    """Return the scope that a route's dependencies check; None if it needs no key."""
    for call in _calls(route.dependant):
        if isinstance(call, ScopeCheck):
            return call.scope
        if call in INGEST_DEPENDENCIES:
            return Scope.INGEST_WRITE
    return None


def _calls(dependant: Dependant) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _calls(dependency)
