"""Queries of members and their sessions."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.members.tables import Member, MemberSession
from app.workspaces.tables import Workspace

SEEN_INTERVAL = timedelta(minutes=1)

StoredSession = Row[*tuple[Any, ...]]
"""A session with its member and what the page needs of the workspace."""


def find_session(session: Session, token_hash: bytes) -> StoredSession | None:
    """Return a session by its hash; it may have ended."""
    return session.execute(
        select(
            MemberSession.created_at,
            MemberSession.seen_at,
            Member.workspace_id,
            Member.id,
            Member.email,
            Member.name,
            Member.role,
            Member.language,
            Workspace.name.label("workspace_name"),
            Workspace.base_currency,
            Workspace.has_aliases,
            func.current_setting("transaction_read_only").label("read_only"),
        )
        .join(
            Member,
            (Member.workspace_id == MemberSession.workspace_id)
            & (Member.id == MemberSession.member_id),
        )
        .join(Workspace, Workspace.id == MemberSession.workspace_id)
        .where(MemberSession.token_hash == token_hash)
    ).one_or_none()


def load_valid_sessions(
    session: Session,
    token_hashes: Collection[bytes],
    *,
    created_after: datetime,
    seen_after: datetime,
) -> set[bytes]:
    """Return those of the sessions that have not ended."""
    rows = select(MemberSession.token_hash).where(
        MemberSession.token_hash.in_(token_hashes),
        MemberSession.created_at > created_after,
        MemberSession.seen_at > seen_after,
    )
    return set(session.scalars(rows))


def mark_session_seen(session: Session, token_hash: bytes, *, now: datetime) -> None:
    """Set ``seen_at``; skip a session that another request of the browser has locked."""
    unlocked = (
        select(MemberSession.token_hash)
        .where(MemberSession.token_hash == token_hash)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    session.execute(
        update(MemberSession).where(MemberSession.token_hash == unlocked).values(seen_at=now)
    )


def delete_session(session: Session, token_hash: bytes) -> None:
    session.execute(delete(MemberSession).where(MemberSession.token_hash == token_hash))


def delete_sessions(
    session: Session,
    workspace_id: str,
    member_id: str,
    *,
    created_before: datetime | None = None,
    seen_before: datetime | None = None,
) -> None:
    """Delete all sessions of a member, or only those that began or were used before a time."""
    sessions = delete(MemberSession).filter_by(workspace_id=workspace_id, member_id=member_id)
    if created_before is not None and seen_before is not None:
        sessions = sessions.where(
            or_(MemberSession.created_at < created_before, MemberSession.seen_at < seen_before)
        )
    session.execute(sessions)


def find_member_by_email(session: Session, workspace_id: str, email: str) -> Member | None:
    return session.scalar(select(Member).filter_by(workspace_id=workspace_id, email=email))


def take_link(session: Session, link_hash: bytes) -> Member | None:
    """Lock the member of a sign-in link; a second request waits, and finds the link used."""
    return session.scalar(select(Member).filter_by(link_hash=link_hash).with_for_update())


def find_link(session: Session, link_hash: bytes) -> datetime | None:
    """Return until when an unused link is valid."""
    return session.scalar(select(Member.link_expires_at).filter_by(link_hash=link_hash))


def list_workspaces_of(session: Session, email: str) -> Sequence[tuple[str, str]]:
    """Return id and name of the workspaces with a member of an address, by name."""
    workspaces = (
        select(Workspace.id, Workspace.name)
        .join(Member, Member.workspace_id == Workspace.id)
        .where(Member.email == email)
        .order_by(Workspace.name, Workspace.id)
    )
    return [(row.id, row.name) for row in session.execute(workspaces)]


def list_members_by_email(session: Session, email: str) -> Sequence[Member]:
    """Return the members with an address in all workspaces, the one who joined last first."""
    members = select(Member).filter_by(email=email)
    return session.scalars(
        members.order_by(Member.joined_at.desc().nulls_last(), Member.workspace_id)
    ).all()
