"""What happens to accounts whose refresh fails: retried alone, counted, set aside."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.accounts.queries import Claimed

TAKE = text("""
DELETE FROM due USING unnest(CAST(:workspace_ids AS text[]), CAST(:account_ids AS text[]))
    AS t (workspace_id, account_id)
WHERE due.workspace_id = t.workspace_id AND due.account_id = t.account_id
""")

NOTE_FAILURE = text("""
INSERT INTO parked_account AS p (workspace_id, account_id, failures, error, failed_at)
VALUES (:workspace_id, :account_id, 1, :error, :now)
ON CONFLICT (workspace_id, account_id) DO UPDATE SET
    failures = p.failures + 1, error = excluded.error, failed_at = excluded.failed_at
RETURNING failures
""")


FORGET = text("""
DELETE FROM parked_account p
USING unnest(CAST(:workspace_ids AS text[]), CAST(:account_ids AS text[]))
    AS t (workspace_id, account_id)
WHERE p.workspace_id = t.workspace_id AND p.account_id = t.account_id
""")


def take(session: Session, accounts: Sequence[Claimed]) -> None:
    """Take named accounts out of the queue."""
    session.execute(TAKE, _named(accounts))


def forget_failures(session: Session, accounts: Sequence[Claimed]) -> None:
    """Begin to count anew: these have been refreshed."""
    session.execute(FORGET, _named(accounts))


def _named(accounts: Sequence[Claimed]) -> dict[str, list[str]]:
    return {
        "workspace_ids": [each.workspace_id for each in accounts],
        "account_ids": [each.account_id for each in accounts],
    }


def note_failure(session: Session, account: Claimed, *, error: str, now: datetime) -> int:
    """Count a failure of an account alone. Returns how many there have been."""
    values = {
        "workspace_id": account.workspace_id,
        "account_id": account.account_id,
        "error": error,
        "now": now,
    }
    return int(session.scalar(NOTE_FAILURE, values) or 0)
