"""What others are told of suggestions: one by one, or of many at once as one digest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from app.webhooks.outbox import MAX_SINGLE_MESSAGES, NewMessage, fit_digest_items

MOST_PLAYBOOKS = 20

SuggestionRow = Mapping[str, Any]
"""A suggestion as it is written."""


def suggestion_messages(
    rows: Sequence[SuggestionRow], owners: Mapping[str, object], currency: str
) -> list[NewMessage]:
    """Tell of what is new in one run. ``owners``: by account."""
    if len(rows) > MAX_SINGLE_MESSAGES:
        return [_digest(rows, currency)]
    return [_single(row, owners.get(row["account_id"]), currency) for row in rows]


def change_data(said: SuggestionRow, before: str | None) -> dict[str, Any]:
    """What polling readers are told of an intervention."""
    return {
        "intervention_id": said["id"],
        "playbook": said["playbook"],
        "state": said["state"],
        "state_before": before,
        "signal": said["signal"],
        "value_cents": said["value_cents"],
    }


def _single(said: SuggestionRow, owner: object, currency: str) -> NewMessage:
    texts, effect = said["details"]["texts"], said["details"]["effect"]
    is_known = effect["risk_basis"] == "model" and effect["arr_basis"] == "subscription"
    english = texts.get("en") or next(iter(texts.values()))
    data = {
        "suggestion_id": said["id"],
        "playbook": said["playbook"],
        "title": english["name"],
        "reasons": [english["next_step"]],
        "priority": said["value_cents"],
        "revenue_at_risk_cents": round(effect["risk"] * effect["arr_cents"]) if is_known else None,
        "currency": currency,
        "owner": owner,
        "link": f"/api/v1/interventions/{said['id']}",
    }
    return NewMessage("suggestion.created", data, said["account_id"])


def _digest(rows: Sequence[SuggestionRow], currency: str) -> NewMessage:
    """Name those that are worth most."""
    best = sorted(rows, key=lambda said: (-said["value_cents"], said["id"]))
    data = {
        "suggested": len(rows),
        "playbooks": dict(Counter(said["playbook"] for said in rows).most_common(MOST_PLAYBOOKS)),
        "accounts": fit_digest_items(
            {
                "account_id": said["account_id"],
                "suggestion_id": said["id"],
                "playbook": said["playbook"],
                "priority": said["value_cents"],
            }
            for said in best
        ),
        "currency": currency,
        "link": "/api/v1/suggestions",
    }
    return NewMessage("suggestion.digested", data)
