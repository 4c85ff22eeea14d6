"""The bodies of requests to routes of another tenant, where an empty one is not valid."""

from typing import Any

from tests.tenant_routes import OTHER_TENANT_ID

REQUEST_BODIES: dict[str, Any] = {
    "POST /api/v1/backtests": {"subjects": [{"kind": "scorecard", "key": "3"}]},
    "POST /api/v1/alerts/{alert_id}/assign": {"assignee": "kim"},
    "POST /api/v1/alerts/{alert_id}/snooze": {"until": None},
    "POST /api/v1/alerts/{alert_id}/feedback": {"verdict": "valid"},
    "POST /api/v1/alert-rules/preview": {
        "name": "Mine",
        "signal": "health_score",
        "operator": "below",
        "fire_at": 30,
    },
    "PUT /api/v1/users/{user_id}/roles": {"roles": ["champion"]},
    "POST /api/v1/feedback-items/{feedback_id}/resolve": {"outcome": "shipped"},
    "POST /api/v1/interventions": {"account_id": OTHER_TENANT_ID, "playbook": "add_value"},
    "POST /api/v1/interventions/{intervention_id}/dismiss": {"reason": "They know."},
    "POST /api/v1/experiments": {"name": "Calls", "playbook": "add_value"},
    "POST /api/v1/experiments/{experiment_id}/roll-out": {"arm": "treated"},
    "POST /api/v1/subscriptions/{subscription_id}/end": {"account_id": OTHER_TENANT_ID},
    "POST /api/v1/webhook-endpoints": {"url": "https://crm.example/hook"},
    "POST /api/v1/webhook-endpoints/{endpoint_id}/recover": {"since": "2026-03-01T00:00:00Z"},
    "POST /api/v1/members": {"email": "lee@example.com", "name": "Lee"},
    "POST /api/v1/api-keys": {"name": "k", "scopes": ["health:read"]},
    "POST /api/v1/scorecards/{version}/restate": {"since": "2026-03-01", "until": "2026-03-02"},
    "PUT /api/v1/accounts/{account_id}/health/override": {
        "value": 10,
        "reason": "They announced that they will leave.",
        "expires_at": "2026-06-01T00:00:00Z",
    },
    "POST /api/v1/accounts/{account_id}/notes": {"kind": "call", "text": "They will renew."},
    "POST /api/v1/accounts/{account_id}/tasks": {"title": "Send the offer"},
    "POST /api/v1/accounts/{account_id}/sentiment": {"value": 4, "reason": "They said so."},
    "POST /api/v1/imports": {"account_id": OTHER_TENANT_ID},  # a file of one line
    "POST /api/v1/accounts/{account_id}/rename": {"account_id": "another"},
    "POST /api/v1/accounts/{account_id}/merge": {"into": "moved"},
}
