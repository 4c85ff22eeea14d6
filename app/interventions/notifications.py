"""Messages about new suggestions: one each, or one digest of many; entries of the change feed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from app.churn.scoring.revenue import RevenueAtRisk
from app.webhooks.outbox import MAX_SINGLE_MESSAGES, NewMessage, fit_digest_items

MAX_PLAYBOOKS = 20

SuggestionRow = Mapping[str, Any]
"""The columns of a suggestion as they are written."""


def suggestion_messages(
    rows: Sequence[SuggestionRow],
    owners: Mapping[str, object],
    revenues: Mapping[str, RevenueAtRisk],
    currency: str,
) -> list[NewMessage]:
    """Return the messages about suggestions that are new in one run.

    ``owners``, ``revenues``: owner and revenue at risk by account.
    """
    if len(rows) > MAX_SINGLE_MESSAGES:
        return [_digest(rows, currency)]
    return [
        _single(row, owners.get(row["account_id"]), revenues.get(row["account_id"]), currency)
        for row in rows
    ]


def change_data(row: SuggestionRow, before: str | None) -> dict[str, Any]:
    """Return the entry of the change feed for an intervention."""
    return {
        "intervention_id": row["id"],
        "playbook": row["playbook"],
        "state": row["state"],
        "state_before": before,
        "signal": row["signal"],
        "value_cents": row["value_cents"],
    }


def _single(
    row: SuggestionRow, owner: object, revenue: RevenueAtRisk | None, currency: str
) -> NewMessage:
    """Return the message of one suggestion; an amount of 0 is left out."""
    texts = row["details"]["texts"]
    at_risk = revenue if revenue and revenue.cents else None
    english = texts.get("en") or next(iter(texts.values()))
    data = {
        "suggestion_id": row["id"],
        "playbook": row["playbook"],
        "title": english["name"],
        "reasons": [english["next_step"]],
        "priority": row["value_cents"],
        "revenue_at_risk_cents": at_risk.cents if at_risk else None,
        "revenue_at_risk_basis": at_risk.basis if at_risk else None,
        "currency": currency,
        "owner": owner,
        "link": f"/api/v1/interventions/{row['id']}",
    }
    return NewMessage("suggestion.created", data, row["account_id"])


def _digest(rows: Sequence[SuggestionRow], currency: str) -> NewMessage:
    """Summarize suggestions; the most valuable ones are listed."""
    best = sorted(rows, key=lambda row: (-row["value_cents"], row["id"]))
    data = {
        "suggested": len(rows),
        "playbooks": dict(Counter(row["playbook"] for row in rows).most_common(MAX_PLAYBOOKS)),
        "accounts": fit_digest_items(
            {
                "account_id": row["account_id"],
                "suggestion_id": row["id"],
                "playbook": row["playbook"],
                "priority": row["value_cents"],
            }
            for row in best
        ),
        "currency": currency,
        "link": "/api/v1/suggestions",
    }
    return NewMessage("suggestion.digested", data)
