"""Tables of workspaces, API keys and the audit log."""

from datetime import date
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Identity, Index, LargeBinary, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table


def workspace_fk() -> ForeignKey:
    """Return the foreign key to the workspace; deleting the workspace deletes the row."""
    return ForeignKey("workspace.id", ondelete="CASCADE")


class WorkspaceTable(Table):
    """Base of tables whose key begins with the workspace; deleting a workspace deletes its rows."""

    __abstract__ = True

    workspace_id: Mapped[Key] = mapped_column(workspace_fk(), primary_key=True, sort_order=-1)


class Workspace(Table):
    """A tenant. Every row of every other table belongs to exactly one.

    ``swept_on``: the day on which all its accounts were last made due. ``erasure_key``: the key of
    tombstone hashes; null: nothing was ever erased. ``has_aliases``: whether an account was ever
    renamed or merged.
    """

    __tablename__ = "workspace"

    id: Mapped[Key] = mapped_column(primary_key=True)
    name: Mapped[str]
    base_currency: Mapped[str] = mapped_column(server_default="USD")
    end_customer_keys: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default="{end_customer_id,customer_id,recipient_id,contact_id}"
    )
    reach: Mapped[str] = mapped_column(server_default="ids")
    reach_property: Mapped[str | None]
    reach_events: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    internal_domains: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    semantic_events: Mapped[dict[str, list[str]]] = mapped_column(JSONB, server_default="{}")
    simulated: Mapped[bool] = mapped_column(server_default="false")
    swept_on: Mapped[date | None]
    erasure_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    has_aliases: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())


class ApiKey(Table):
    """An API key. Only its hash is stored."""

    __tablename__ = "api_key"
    __table_args__ = (Index(None, "workspace_id"),)

    id: Mapped[Key] = mapped_column(primary_key=True)
    workspace_id: Mapped[Key] = mapped_column(workspace_fk())
    name: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant | None]
    revoked_at: Mapped[Instant | None]
    last_used_at: Mapped[Instant | None]


class AuditEntry(Table):
    """One change and its actor, written in the transaction of the change and never altered."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "workspace_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    workspace_id: Mapped[Key] = mapped_column(workspace_fk())
    at: Mapped[Instant]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")


class IdempotencyKey(WorkspaceTable):
    """A POST that was carried out, kept for a day (docs/adr/0035).

    ``digest``: a hash of the caller, the route and the key that the client chose. ``fingerprint``:
    a hash of the request. ``answer``: encrypted; null if it is too large, or after an erasure,
    which also removes the fingerprint.
    """

    __tablename__ = "idempotency_key"
    __table_args__ = (Index(None, "created_at"),)

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[Instant] = mapped_column(server_default=func.now())
