"""Apply the filters of playbooks and experiments to accounts."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.core.filters.tree import MATCH_ALL
from app.portfolio import account_queries
from app.portfolio import segment_service as segments


def load_matching_accounts(
    session: Session,
    workspace_id: str,
    filters: Mapping[str, Any],
    account_ids: Sequence[str],
    *,
    today: date,
) -> dict[str, frozenset[str]]:
    """Return the accounts that match each filter, by its key; one statement for each filter.

    An empty filter matches all accounts without a statement.
    """
    all_accounts = frozenset(account_ids)
    matching = {}
    for key, raw in filters.items():
        account_filter = segments.parse_account_filter(raw)
        matching[key] = all_accounts
        if account_filter != MATCH_ALL and all_accounts:
            ids = account_queries.load_matching_ids(
                session, workspace_id, account_filter, account_ids, today=today
            )
            matching[key] = frozenset(ids)
    return matching
