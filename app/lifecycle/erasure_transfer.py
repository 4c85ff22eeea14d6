"""Write the erasures of a database to a file, and repeat them in a restored backup.

A backup that is older than an erasure brings the erased person back. The file has no ids: it has
the key of each workspace and the hashes, as the database has them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from app.accounts import tombstones
from app.core.db import SessionFactory, transaction
from app.core.errors import UnprocessableError
from app.core.sql import load_sql
from app.lifecycle import service
from app.lifecycle.tables import IdChangeKind
from app.workspaces.queries import list_workspaces
from app.workspaces.service import Actor

SQL = load_sql(__file__)
ERASED_KINDS = (tombstones.USER, tombstones.ACCOUNT)


class ExportedTombstone(BaseModel):
    """The hash of an erased id, in hexadecimal digits, and its kind (``tombstones``)."""

    kind: str
    hash: str


class ExportedErasure(BaseModel):
    """One line of the file."""

    workspace_id: str
    key: str
    id: str
    kind: IdChangeKind
    requested_at: datetime
    requested_by: str
    tombstones: list[ExportedTombstone]


class ErasureFileError(UnprocessableError):
    """A line of the file is no erasure."""


@dataclass
class ReapplyCounts:
    """``known``: the database has them. ``repeated``: started anew, because their ids are stored.

    ``refused``: nothing of them is stored; their ids are refused from now on. ``no_workspace``: the
    backup is older than their workspace. ``other_key``: nothing of them is stored, and later events
    of their ids cannot be refused: the workspace has another key.
    """

    known: int = 0
    repeated: int = 0
    refused: int = 0
    no_workspace: int = 0
    other_key: int = 0


def export_erasures(session: Session) -> Iterator[bytes]:
    """Yield one line for each erasure of each workspace that is not lifted, the oldest first."""
    for workspace in list_workspaces(session):
        key = workspace.erasure_key
        rows = session.execute(SQL.exported, {"workspace_id": workspace.id}).mappings()
        for row in rows if key else ():
            line = {"workspace_id": workspace.id, "key": (key or b"").hex(), **row}
            yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def read_erasures(lines: Iterable[bytes]) -> list[ExportedErasure]:
    """Read the lines of a file; raise ``ErasureFileError`` before anything is changed."""
    erasures = []
    for number, line in enumerate(lines, 1):
        try:
            erasures.append(ExportedErasure.model_validate_json(line))
        except ValidationError:
            raise ErasureFileError(
                f"Line {number} is no erasure: use a file that `erasures export` wrote."
            ) from None
    return erasures


def reapply_erasures(
    sessions: SessionFactory, erasures: Iterable[ExportedErasure], *, now: datetime
) -> ReapplyCounts:
    """Repeat the erasures that a restored database lacks; workers then do the rest.

    Call it before ``serve`` and ``worker`` start, so that no event of an erased id comes first. To
    call it again changes nothing.
    """
    counts = ReapplyCounts()
    stored: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for erasure in erasures:
        with transaction(sessions) as session:
            outcome = _reapply(session, erasure, stored, now)
        setattr(counts, outcome, getattr(counts, outcome) + 1)
    return counts


def _reapply(
    session: Session,
    erasure: ExportedErasure,
    stored: dict[tuple[str, str], dict[tuple[str, str], str]],
    now: datetime,
) -> str:
    """Repeat one erasure; return the name of its count. ``stored``: hashes by workspace and key."""
    workspace_id, key = erasure.workspace_id, bytes.fromhex(erasure.key)
    values = {"workspace_id": workspace_id, "key": key}
    own_key = session.scalar(tombstones.SQL.ensure_key, values)
    if own_key is None:
        return "no_workspace"
    if own_key == key and _is_refused(session, erasure):
        return "known"
    ids = stored.setdefault((workspace_id, erasure.key), {})
    if not ids:
        ids |= _hash_stored_ids(session, workspace_id, key)
    found = [
        ids[hashed] for each in erasure.tombstones if (hashed := (each.kind, each.hash)) in ids
    ]
    erasure_id = erasure.id
    if found:
        actor = Actor(workspace_id, erasure.requested_by, now)
        is_account = erasure.kind is IdChangeKind.ERASE_ACCOUNT
        erase = service.erase_account if is_account else service.erase_user
        erasure_id = erase(session, actor, found[0]).id
    if own_key != key:
        return "repeated" if found else "other_key"
    _refuse(session, erasure, erasure_id, now)
    return "repeated" if found else "refused"


def _is_refused(session: Session, erasure: ExportedErasure) -> bool:
    hashes = [bytes.fromhex(each.hash) for each in erasure.tombstones if each.kind in ERASED_KINDS]
    values = {"workspace_id": erasure.workspace_id, "hashes": hashes, "erasure_id": None}
    return session.execute(tombstones.SQL.find_matches, values).first() is not None


def _hash_stored_ids(session: Session, workspace_id: str, key: bytes) -> dict[tuple[str, str], str]:
    """Return kind and hash to id, for all users and accounts of a workspace."""
    rows = session.execute(SQL.stored_ids, {"workspace_id": workspace_id})
    return {(row.kind, tombstones.hash_id(key, row.id).hex()): row.id for row in rows}


def _refuse(session: Session, erasure: ExportedErasure, erasure_id: str, now: datetime) -> None:
    """Store the hashes of an erasure, with a record of it if it was not started anew."""
    values: dict[str, Any] = erasure.model_dump(include={"workspace_id", "id", "requested_by"})
    values |= {"kind": erasure.kind.value, "requested_at": erasure.requested_at, "now": now}
    if erasure_id == erasure.id:
        session.execute(SQL.insert_finished, values)
    hashes = orjson.dumps([each.model_dump() for each in erasure.tombstones]).decode()
    session.execute(
        SQL.insert_tombstones,
        {
            "workspace_id": erasure.workspace_id,
            "erasure_id": erasure_id,
            "erased_at": erasure.requested_at,
            "tombstones": hashes,
        },
    )
