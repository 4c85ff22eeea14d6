"""Queries of digests."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.digests.tables import Digest

AT_ONCE = 20


def claim_due_digests(session: Session, *, now: datetime) -> Sequence[Digest]:
    """Lock some digests of all workspaces that are due. Those that another worker holds stay."""
    rows = select(Digest).where(Digest.next_at <= now)
    rows = rows.order_by(Digest.next_at, Digest.workspace_id, Digest.owner).limit(AT_ONCE)
    return session.scalars(rows.with_for_update(skip_locked=True)).all()
