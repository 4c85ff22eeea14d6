"""What happens to accounts whose refresh fails: retried alone, counted, set aside."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.accounts.queries import ClaimedAccount

REMOVE_DUE = text("""
DELETE FROM due USING unnest(CAST(:workspace_ids AS text[]), CAST(:account_ids AS text[]))
    AS t (workspace_id, account_id)
WHERE due.workspace_id = t.workspace_id AND due.account_id = t.account_id
""")

RECORD_FAILURE = text("""
INSERT INTO parked_account AS p (workspace_id, account_id, failures, error, failed_at)
VALUES (:workspace_id, :account_id, 1, :error, :now)
ON CONFLICT (workspace_id, account_id) DO UPDATE SET
    failures = p.failures + 1, error = excluded.error, failed_at = excluded.failed_at
RETURNING failures
""")


CLEAR_FAILURES = text("""
DELETE FROM parked_account p
USING unnest(CAST(:workspace_ids AS text[]), CAST(:account_ids AS text[]))
    AS t (workspace_id, account_id)
WHERE p.workspace_id = t.workspace_id AND p.account_id = t.account_id
""")


def remove_due(session: Session, accounts: Sequence[ClaimedAccount]) -> None:
    """Take named accounts out of the queue."""
    session.execute(REMOVE_DUE, _keys(accounts))


def clear_failures(session: Session, accounts: Sequence[ClaimedAccount]) -> None:
    """Begin to count anew: these have been refreshed."""
    session.execute(CLEAR_FAILURES, _keys(accounts))


def _keys(accounts: Sequence[ClaimedAccount]) -> dict[str, list[str]]:
    return {
        "workspace_ids": [each.workspace_id for each in accounts],
        "account_ids": [each.account_id for each in accounts],
    }


def record_failure(session: Session, account: ClaimedAccount, *, error: str, now: datetime) -> int:
    """Count a failure of an account alone. Returns how many there have been."""
    values = {
        "workspace_id": account.workspace_id,
        "account_id": account.account_id,
        "error": error,
        "now": now,
    }
    return int(session.scalar(RECORD_FAILURE, values) or 0)
