"""Invite, change and remove members; start and end their sessions. Each change is audited."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.core.errors import ConflictError, UnauthorizedError
from app.core.languages import Language
from app.core.query_helpers import get_row
from app.members import queries
from app.members.person import Person
from app.members.roles import Role
from app.members.tables import Member, MemberSession
from app.members.tokens import generate_token, hash_token
from app.workspaces.service import Actor

LINK_LIFETIME = timedelta(days=7)


class LinkError(UnauthorizedError):
    code = "invalid_link"
    default_detail = (
        "This sign-in link was used already, has expired or is incomplete: ask for a new one."
    )
    headers: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts without use, and at most."""

    idle: timedelta
    absolute: timedelta

    def has_ended(self, created_at: datetime, seen_at: datetime, now: datetime) -> bool:
        return now - created_at >= self.absolute or now - seen_at >= self.idle


def invite_member(
    session: Session, actor: Actor, *, email: str, name: str, role: Role
) -> tuple[Member, str]:
    """Add a member; return it with the text of its sign-in link."""
    email = email.strip().lower()
    if queries.find_member_by_email(session, actor.workspace_id, email):
        raise ConflictError(f"{email} is a member already.", code="member_exists")
    member = Member(
        workspace_id=actor.workspace_id,
        id=f"mem_{secrets.token_hex(8)}",
        email=email,
        name=name,
        role=role,
        created_at=actor.at,
    )
    session.add(member)
    actor.audit(session, "member.invited", member.id, {"role": role})
    return member, _new_link(member, actor.at)


def create_link(session: Session, actor: Actor, member: Member) -> str:
    """Return a new sign-in link for a member. The link before it is no longer valid."""
    actor.audit(session, "member.link_created", member.id)
    return _new_link(member, actor.at)


def _new_link(member: Member, now: datetime) -> str:
    token = generate_token()
    member.link_hash, member.link_expires_at = hash_token(token), now + LINK_LIFETIME
    return token


def get_member(
    session: Session, workspace_id: str, member_id: str, *, lock: bool = False
) -> Member:
    return get_row(session, Member, (workspace_id, member_id), lock=lock)


def update_member(
    session: Session, actor: Actor, member_id: str, values: Mapping[str, Any]
) -> Member:
    """Set the given columns. Equal values change nothing and are not audited."""
    member = get_member(session, actor.workspace_id, member_id, lock=True)
    changed = member.apply_changes(values)
    if "role" in changed and actor.name == f"member:{member_id}":
        raise ConflictError("Nobody changes the own role: ask another admin.", code="own_member")
    if changed:
        changed.pop("name", None)  # audit entries outlive the member
        actor.audit(session, "member.changed", member.id, changed)
    return member


def remove_member(session: Session, actor: Actor, member_id: str) -> None:
    """Delete a member with all sessions. Audit entries keep the id only."""
    if actor.name == f"member:{member_id}":
        raise ConflictError("Nobody removes themselves: ask another admin.", code="own_member")
    member = get_member(session, actor.workspace_id, member_id, lock=True)
    session.delete(member)
    actor.audit(session, "member.removed", member_id)


def end_sessions(session: Session, actor: Actor, member_id: str) -> Member:
    """Sign a member out of every browser."""
    member = get_member(session, actor.workspace_id, member_id, lock=True)
    queries.delete_sessions(session, actor.workspace_id, member_id)
    actor.audit(session, "member.signed_out_everywhere", member_id)
    return member


def use_link(session: Session, link: str, limits: SessionLimits, *, now: datetime) -> str:
    """Sign in by a link, which is valid once; return the token of the new session."""
    member = queries.take_link(session, hash_token(link))
    if member is None or member.link_expires_at is None or member.link_expires_at <= now:
        raise LinkError
    member.link_hash = member.link_expires_at = None
    return start_session(session, member, limits, now=now)


def start_session(session: Session, member: Member, limits: SessionLimits, *, now: datetime) -> str:
    """Start a session with a new token; delete sessions of the member that have ended."""
    queries.delete_sessions(
        session,
        member.workspace_id,
        member.id,
        created_before=now - limits.absolute,
        seen_before=now - limits.idle,
    )
    token = generate_token()
    session.add(
        MemberSession(
            token_hash=hash_token(token),
            workspace_id=member.workspace_id,
            member_id=member.id,
            created_at=now,
            seen_at=now,
        )
    )
    member.joined_at = member.joined_at or now
    actor = Actor(member.workspace_id, f"member:{member.id}", now)
    actor.audit(session, "member.signed_in", member.id)
    return token


def find_person(
    sessions: SessionFactory,
    token: str,
    limits: SessionLimits,
    *,
    now: datetime,
    is_use: bool = True,
) -> Person | None:
    """Return the member of a session; None if it has ended or never was.

    ``is_use``: whether the session counts as used, as a page that reads itself again does not.
    """
    token_hash = hash_token(token)
    with sessions() as session:
        row = queries.find_session(session, token_hash)
        if row is None or limits.has_ended(row.created_at, row.seen_at, now):
            return None
        is_due = not now - queries.SEEN_INTERVAL <= row.seen_at <= now
        if is_use and is_due and row.read_only == "off":
            queries.mark_session_seen(session, token_hash, now=now)
    return Person(
        row.workspace_id,
        row.id,
        row.email,
        row.name,
        Role(row.role),
        Language(row.language) if row.language else None,
        row.workspace_name,
        row.base_currency,
        row.has_aliases,
    )
