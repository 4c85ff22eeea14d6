"""What is to happen on every route when another tenant asks. A new route is added here first."""

from typing import Any

from tests.test_openapi import API, OPERATIONS

THEIRS = "theirs"
LOOSE = {"type": "track", "event": "Export", "userId": "nobody", "messageId": "loose"}
"""An event of nobody's account."""

INGEST = {name for name in API if "SDK ingestion" in OPERATIONS[name]["tags"]} | {
    "POST /api/v1/events",
    "POST /api/v1/events/validate",
}

# What a caller of another tenant gets where the route names somebody's id.
NOT_FOUND = {
    "GET /api/v1/accounts/{account_id}",
    "GET /api/v1/accounts/{account_id}/health",
    "GET /api/v1/accounts/{account_id}/health/history",
    "GET /api/v1/accounts/{account_id}/mrr",
    "PATCH /api/v1/accounts/{account_id}",
    "POST /api/v1/accounts/{account_id}/health/refresh",
    "POST /api/v1/subscriptions/{subscription_id}/end",
    "GET /api/v1/users/{user_id}",
    "PATCH /api/v1/users/{user_id}",
    "DELETE /api/v1/users/{user_id}",
    "DELETE /api/v1/accounts/{account_id}",
    "POST /api/v1/accounts/{account_id}/rename",
    "POST /api/v1/accounts/{account_id}/merge",
    "GET /api/v1/account-moves/{move_id}",
    "GET /api/v1/erasures/{erasure_id}",
    "POST /api/v1/erasures/{erasure_id}/lift",
    "GET /api/v1/plans/{key}",
    "DELETE /api/v1/plans/{key}",
    "GET /api/v1/segments/{key}",
    "GET /api/v1/segments/{key}/accounts",
    "DELETE /api/v1/segments/{key}",
    "GET /api/v1/accounts/{account_id}/health/explanation",
    "PUT /api/v1/accounts/{account_id}/health/override",
    "DELETE /api/v1/accounts/{account_id}/health/override",
    "GET /api/v1/scorecards/{version}",
    "DELETE /api/v1/scorecards/{version}",
    "POST /api/v1/scorecards/{version}/simulate",
    "POST /api/v1/scorecards/{version}/activate",
    "POST /api/v1/scorecards/{version}/restate",
    "GET /api/v1/benchmarks/{benchmark_id}",
    "GET /api/v1/product-features/{key}",
    "GET /api/v1/product-features/{key}/adoption",
    "GET /api/v1/accounts/{account_id}/children",
    "GET /api/v1/accounts/{account_id}/rollup",
    "GET /api/v1/accounts/by-external-id/{system}/{external_id}",
    "GET /api/v1/exchange-rates/{currency}/{starts_on}",
    "DELETE /api/v1/exchange-rates/{currency}/{starts_on}",
    "DELETE /api/v1/product-features/{key}",
    "GET /api/v1/quarantine/{quarantine_id}",
    "POST /api/v1/quarantine/replay",
    "POST /api/v1/quarantine/discard",
    "GET /api/v1/jobs/{job_id}",
    "GET /api/v1/imports/{import_id}",
    "GET /api/v1/imports/{import_id}/errors",
    "POST /api/v1/imports/{import_id}/cancel",
    "POST /api/v1/jobs/{job_id}/cancel",
    "GET /api/v1/accounts/{account_id}/invoices",
    "GET /api/v1/billing-sources/stripe",
    "GET /api/v1/billing-sources/stripe/unmatched",
    "DELETE /api/v1/billing-sources/stripe",
    "POST /api/v1/api-keys/{key_id}/revoke",
    "POST /api/v1/api-keys/{key_id}/rotate",
    "GET /api/v1/alerts/{alert_id}",
    "POST /api/v1/alerts/{alert_id}/acknowledge",
    "POST /api/v1/alerts/{alert_id}/assign",
    "POST /api/v1/alerts/{alert_id}/snooze",
    "POST /api/v1/alerts/{alert_id}/resolve",
    "POST /api/v1/alerts/{alert_id}/feedback",
    "GET /api/v1/alert-rules/{key}",
    "DELETE /api/v1/alert-rules/{key}",
    "GET /api/v1/alert-rules/{key}/versions",
    "GET /api/v1/alert-rules/{key}/stats",
    "POST /api/v1/alert-rules/{key}/backtest",
}
# Creates one's own of the same name, and leaves theirs as it is.
MAKES_ITS_OWN = {
    "PUT /api/v1/alert-rules/{key}": {
        "name": "Mine",
        "signal": "health_score",
        "operator": "below",
        "fire_at": 30,
    },
    "PUT /api/v1/accounts/{account_id}": {"name": "Mine", "external_ids": {"crm": THEIRS}},
    "PUT /api/v1/exchange-rates/{currency}/{starts_on}": {"rate": 1.1},
    "PUT /api/v1/users/{user_id}": {"name": "Mine"},
    "PUT /api/v1/plans/{key}": {"name": "Mine"},
    "PUT /api/v1/segments/{key}": {"name": "Mine", "filter": {}},
    "PUT /api/v1/product-features/{key}": {"name": "Mine", "event_names": ["Mine"]},
    "PUT /api/v1/subscriptions/{subscription_id}": {"account_id": THEIRS, "mrr_cents": 1},
    "PUT /api/v1/billing-sources/stripe": {"signing_secret": "whsec_of_a_test"},
}
# Lists, which must hold nothing of theirs.
OWN_LIST = {
    "GET /api/v1/alerts",
    "GET /api/v1/accounts",
    "POST /api/v1/accounts/query",
    "GET /api/v1/segments",
    "GET /api/v1/users",
    "GET /api/v1/subscriptions",
    "GET /api/v1/plans",
    "GET /api/v1/product-features",
    "GET /api/v1/exchange-rates",
    "GET /api/v1/quarantine",
    "GET /api/v1/sources",
    "GET /api/v1/jobs",
    "GET /api/v1/imports",
    "GET /api/v1/health-scores",
    "GET /api/v1/health-overrides",
    "GET /api/v1/scorecards",
    "GET /api/v1/benchmarks",
    "GET /api/v1/restatements",
    "GET /api/v1/account-moves",
    "GET /api/v1/erasures",
    "GET /api/v1/changes",
}
# Of the caller's own workspace, whoever calls.
OWN_WORKSPACE = {
    "GET /api/v1/alert-rules",
    "POST /api/v1/alert-rules/preview",
    "GET /api/v1/workspace",
    "GET /api/v1/quarantine/summary",
    "GET /api/v1/ingest/stats",
    "GET /api/v1/ingest/trace",
    "GET /api/v1/unattributed",
    "PATCH /api/v1/workspace",
    "GET /api/v1/api-keys",
    "POST /api/v1/api-keys",
    "GET /api/v1/audit-entries",
    "POST /api/v1/scorecards",
    "POST /api/v1/imports",
    "POST /api/v1/accounts/count",
}
# Figures of the caller's own workspace; tests/reports/test_tenants.py holds that.
OWN_FIGURES = {name for name in API if "/api/v1/reports/" in name}
BODIES: dict[str, Any] = {
    "POST /api/v1/alerts/{alert_id}/assign": {"assignee": "kim"},
    "POST /api/v1/alerts/{alert_id}/snooze": {"until": None},
    "POST /api/v1/alerts/{alert_id}/feedback": {"verdict": "valid"},
    "POST /api/v1/alert-rules/preview": {
        "name": "Mine",
        "signal": "health_score",
        "operator": "below",
        "fire_at": 30,
    },
    "POST /api/v1/subscriptions/{subscription_id}/end": {"account_id": THEIRS},
    "POST /api/v1/api-keys": {"name": "k", "scopes": ["health:read"]},
    "POST /api/v1/scorecards/{version}/restate": {"since": "2026-03-01", "until": "2026-03-02"},
    "PUT /api/v1/accounts/{account_id}/health/override": {
        "value": 80,
        "reason": "They signed.",
        "expires_at": "2026-06-01T00:00:00Z",
    },
    "POST /api/v1/imports": {"account_id": THEIRS},  # a file of one line
    "POST /api/v1/accounts/{account_id}/rename": {"account_id": "another"},
    "POST /api/v1/accounts/{account_id}/merge": {"into": "moved"},
}

READS = {name for name in API if name.startswith("GET")} | {
    "POST /api/v1/accounts/count",
    "POST /api/v1/accounts/query",
    "POST /api/v1/scorecards/{version}/simulate",
    "POST /api/v1/alert-rules/preview",
    "POST /api/v1/alert-rules/{key}/backtest",
}
