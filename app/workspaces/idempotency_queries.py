"""Queries of idempotency keys. Their day is counted by the clock of the database."""

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.errors import ConflictError
from app.core.sql import load_sql
from app.workspaces.tables import IdempotencyKey

SQL = load_sql(__file__)
LOCK_NOT_AVAILABLE = "55P03"
WAIT = "2s"
"""How long a request waits for another one with the same key."""


class KeyInUseError(ConflictError):
    code = "idempotency_key_in_use"
    default_detail = (
        "Another request with this Idempotency-Key is in progress: repeat the request later."
    )
    headers = {"Retry-After": "2"}  # noqa: RUF012 - as in the base class


def claim_key(
    session: Session, workspace_id: str, digest: bytes, *, fingerprint: bytes
) -> IdempotencyKey | None:
    """Claim a key for this transaction; return its row if it was used in the last day.

    Raise KeyInUseError if another transaction holds the key for longer than ``WAIT``.
    """
    values = {"workspace_id": workspace_id, "digest": digest, "fingerprint": fingerprint}
    session.execute(SQL.set_lock_timeout, {"timeout": WAIT})
    try:
        is_claimed = session.scalar(SQL.claim_key, values)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise KeyInUseError from None
        raise
    session.execute(SQL.set_lock_timeout, {"timeout": "0"})
    if is_claimed:
        return None
    used = select(IdempotencyKey).filter_by(workspace_id=workspace_id, digest=digest)
    return session.scalars(used).one()


def store_answer(session: Session, workspace_id: str, digest: bytes, answer: bytes) -> None:
    """Store the encrypted answer of the request that claimed a key."""
    values = {"workspace_id": workspace_id, "digest": digest, "answer": answer}
    session.execute(SQL.store_answer, values)


def erase_answers(session: Session, workspace_id: str) -> None:
    """Remove what may mention an erased person; the keys stay, so that nothing is done twice."""
    session.execute(SQL.erase_answers, {"workspace_id": workspace_id})


def delete_expired_keys(session: Session) -> None:
    session.execute(SQL.delete_expired_keys)
