"""Tombstones: keyed hashes of erased ids, so that data about an erased id is refused.

Each workspace has its own random key. A reader of the whole database can still test guesses; a
reader of the hashes alone cannot (docs/adr/0020).
"""

import hmac
from collections.abc import Collection, Iterable
from datetime import datetime
from secrets import token_bytes

from sqlalchemy.orm import Session

from app.core.errors import ConflictError
from app.core.sql import load_sql

ACCOUNT, USER, ANONYMOUS, MEMBER, EMAIL = "account", "user", "anonymous", "member", "email"

TombstoneMatch = tuple[str, str]
"""The kind of a tombstone, and the text whose hash matches it."""

SQL = load_sql(__file__)


class ErasedError(ConflictError):
    code = "erased"


def hash_id(key: bytes, text_id: str) -> bytes:
    return hmac.digest(key, text_id.encode(), "sha256")


def find_key(session: Session, workspace_id: str) -> bytes | None:
    """Return the workspace's key, or None if nothing was ever erased in it."""
    key: bytes | None = session.scalar(SQL.key, {"workspace_id": workspace_id})
    return key


def ensure_key(session: Session, workspace_id: str) -> bytes:
    """Return the workspace's key; create it if there is none."""
    existing = find_key(session, workspace_id)
    if existing is not None:
        return existing
    values = {"workspace_id": workspace_id, "key": token_bytes(32)}
    key: bytes = session.execute(SQL.ensure_key, values).scalar_one()
    return key


def find_matches(
    session: Session,
    workspace_id: str,
    key: bytes,
    ids: Iterable[str],
    *,
    erasure_id: str | None = None,
) -> set[TombstoneMatch]:
    """Return the ids that have a tombstone, with its kind; ``erasure_id``: only of this erasure."""
    by_hash = {hash_id(key, each): each for each in ids}
    if not by_hash:
        return set()
    values = {"workspace_id": workspace_id, "hashes": list(by_hash), "erasure_id": erasure_id}
    return {
        (row.kind, by_hash[bytes(row.hash)]) for row in session.execute(SQL.find_matches, values)
    }


def find_erasure_id(session: Session, workspace_id: str, kind: str, text_id: str) -> str | None:
    """Return the id of the erasure that erased an account or user id, or None."""
    key = find_key(session, workspace_id)
    if key is None:
        return None
    values = {"workspace_id": workspace_id, "hash": hash_id(key, text_id), "kind": kind}
    erasure_id: str | None = session.scalar(SQL.find_erasure, values)
    return erasure_id


def refuse_erased(session: Session, workspace_id: str, kind: str, text_id: str) -> None:
    """Raise ``ErasedError`` for an id that was erased."""
    if find_erasure_id(session, workspace_id, kind, text_id) is not None:
        raise ErasedError(f"This {kind} was erased. Lift the erasure to use the id again.")


def put(
    session: Session,
    workspace_id: str,
    kind: str,
    ids: Collection[str],
    *,
    key: bytes,
    erasure_id: str,
    now: datetime,
) -> None:
    values = {
        "workspace_id": workspace_id,
        "hashes": [hash_id(key, each) for each in ids],
        "kind": kind,
        "erasure_id": erasure_id,
        "now": now,
    }
    if ids:
        session.execute(SQL.upsert, values)


def delete(
    session: Session, workspace_id: str, erasure_id: str, *, kind: str | None = None
) -> None:
    """Delete the tombstones of an erasure. ``kind`` None: of every kind."""
    values = {"workspace_id": workspace_id, "erasure_id": erasure_id, "kind": kind}
    session.execute(SQL.delete, values)
