"""Ids that were erased: a keyed hash of each is kept, so that it is turned away when it comes.

The key is random and the workspace's own. Whoever can read the whole database can still try
guesses; who sees the hashes alone cannot (docs/adr/0020).
"""

import hmac
from collections.abc import Collection, Iterable
from datetime import datetime
from secrets import token_bytes

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.errors import ConflictError

ACCOUNT, USER, ANONYMOUS, MEMBER, EMAIL = "account", "user", "anonymous", "member", "email"

TombstoneMatch = tuple[str, str]
"""A kind of tombstone, and the text that lies under it."""

KEY = text("SELECT erasure_key FROM workspace WHERE id = :workspace_id")

ENSURE_KEY = text("""
UPDATE workspace SET erasure_key = coalesce(erasure_key, :key) WHERE id = :workspace_id
RETURNING erasure_key
""")

FIND_MATCHES = text("""
SELECT kind, hash FROM tombstone
WHERE workspace_id = :workspace_id AND hash = ANY(CAST(:hashes AS bytea[]))
  AND (CAST(:erasure_id AS text) IS NULL OR erasure_id = :erasure_id)
""")

FIND_ERASURE = text("""
SELECT erasure_id FROM tombstone
WHERE workspace_id = :workspace_id AND hash = :hash AND kind = :kind
""")

UPSERT = text("""
INSERT INTO tombstone (workspace_id, hash, kind, erasure_id, erased_at)
SELECT :workspace_id, h, :kind, :erasure_id, :now
FROM unnest(CAST(:hashes AS bytea[])) AS h ORDER BY h
ON CONFLICT (workspace_id, hash, kind) DO UPDATE SET erasure_id = excluded.erasure_id
""")

DELETE = text("""
DELETE FROM tombstone
WHERE workspace_id = :workspace_id AND erasure_id = :erasure_id
  AND (CAST(:kind AS text) IS NULL OR kind = :kind)
""")


class ErasedError(ConflictError):
    code = "erased"


def hash_id(key: bytes, named: str) -> bytes:
    return hmac.digest(key, named.encode(), "sha256")


def find_key(session: Session, workspace_id: str) -> bytes | None:
    """Return the workspace's key; None: nothing was ever erased in it."""
    key: bytes | None = session.scalar(KEY, {"workspace_id": workspace_id})
    return key


def ensure_key(session: Session, workspace_id: str) -> bytes:
    """Return the workspace's key, made when it is first needed."""
    known = find_key(session, workspace_id)
    if known is not None:
        return known
    values = {"workspace_id": workspace_id, "key": token_bytes(32)}
    key: bytes = session.execute(ENSURE_KEY, values).scalar_one()
    return key


def find_matches(
    session: Session,
    workspace_id: str,
    key: bytes,
    named: Iterable[str],
    *,
    erasure_id: str | None = None,
) -> set[TombstoneMatch]:
    """Tell which texts lie under a tombstone, of any erasure or of one, and of which kind."""
    by_hash = {hash_id(key, each): each for each in named}
    if not by_hash:
        return set()
    values = {"workspace_id": workspace_id, "hashes": list(by_hash), "erasure_id": erasure_id}
    return {(row.kind, by_hash[bytes(row.hash)]) for row in session.execute(FIND_MATCHES, values)}


def find_erasure_id(session: Session, workspace_id: str, kind: str, named: str) -> str | None:
    """Return the erasure under whose tombstone an id lies."""
    key = find_key(session, workspace_id)
    if key is None:
        return None
    asked = {"workspace_id": workspace_id, "hash": hash_id(key, named), "kind": kind}
    erasure_id: str | None = session.scalar(FIND_ERASURE, asked)
    return erasure_id


def refuse_erased(session: Session, workspace_id: str, kind: str, named: str) -> None:
    """Raise ``ErasedError`` for an id that was erased."""
    if find_erasure_id(session, workspace_id, kind, named) is not None:
        raise ErasedError(f"This {kind} was erased. Lift the erasure to let the id in again.")


def put(
    session: Session,
    workspace_id: str,
    kind: str,
    named: Collection[str],
    *,
    key: bytes,
    erasure_id: str,
    now: datetime,
) -> None:
    values = {
        "workspace_id": workspace_id,
        "hashes": [hash_id(key, each) for each in named],
        "kind": kind,
        "erasure_id": erasure_id,
        "now": now,
    }
    if named:
        session.execute(UPSERT, values)


def delete(
    session: Session, workspace_id: str, erasure_id: str, *, kind: str | None = None
) -> None:
    """Take the tombstones of an erasure away, all or those of one kind."""
    values = {"workspace_id": workspace_id, "erasure_id": erasure_id, "kind": kind}
    session.execute(DELETE, values)
