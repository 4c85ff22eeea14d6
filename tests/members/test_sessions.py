"""Sign-in links work once; sessions end by idleness, by age, and by those who may end them."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy.orm import Session

from app.core.db import SessionFactory, create_session_factory
from app.core.errors import ConflictError, ForbiddenError
from app.members import service
from app.members.person import Person
from app.members.roles import Role
from app.members.service import LinkError, SessionLimits
from app.members.tables import Member, MemberSession
from app.members.tokens import csrf_token, hash_token, is_csrf_token
from app.workspaces.service import Actor
from app.workspaces.tables import AuditEntry
from tests import factories
from tests.conftest import NOW

LIMITS = SessionLimits(idle=timedelta(hours=72), absolute=timedelta(days=30))
CLI = Actor("acme", "cli", NOW)


@pytest.fixture
def sessions(committed: SessionFactory) -> SessionFactory:
    """The sessions of a database of its own: the time of the last use is committed at once."""
    return committed


@pytest.fixture
def link(session: Session) -> str:
    factories.workspace(session)
    _, link = service.invite_member(
        session, CLI, email="kim@example.com", name="Kim", role=Role.MEMBER
    )
    session.commit()
    return link


@pytest.fixture
def token(session: Session, link: str) -> str:
    token = service.use_link(session, link, LIMITS, now=NOW)
    session.commit()
    return token


Find = Callable[..., Person | None]


@pytest.fixture
def find(sessions: SessionFactory, token: str) -> Find:
    """Find the person of a request; as in the app, each statement is committed."""
    autocommitting = sessions.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
    return partial(service.find_person, create_session_factory(autocommitting), token, LIMITS)


def test_a_link_signs_in_once(session: Session, link: str) -> None:
    service.use_link(session, link, LIMITS, now=NOW)

    with pytest.raises(LinkError):
        service.use_link(session, link, LIMITS, now=NOW)
    assert (
        session.query(AuditEntry)
        .order_by(AuditEntry.id.desc())
        .first()
        .actor.startswith(  # type: ignore[union-attr]
            "member:mem_"
        )
    )


@pytest.mark.parametrize("text", ["", "x", "x" * 10_000, "\ud800"])
def test_another_text_is_no_link(session: Session, link: str, text: str) -> None:
    del link
    with pytest.raises(LinkError):
        service.use_link(session, text, LIMITS, now=NOW)


def test_a_link_ends_after_seven_days(session: Session, link: str) -> None:
    with pytest.raises(LinkError):
        service.use_link(session, link, LIMITS, now=NOW + timedelta(days=7))


def test_only_the_hash_of_a_session_is_stored(session: Session, token: str) -> None:
    stored = session.query(MemberSession).one()

    assert stored.token_hash == hash_token(token)
    assert token not in str(vars(stored))


def test_a_session_ends_after_idle_hours(find: Find) -> None:
    assert find(now=NOW + timedelta(hours=72)) is None
    assert find(now=NOW + timedelta(hours=71, minutes=59)) is not None
    assert find(now=NOW + timedelta(hours=143)) is not None, "its use began a new idle time"


def test_a_session_ends_after_days_however_much_it_is_used(find: Find) -> None:
    for day in range(0, 30, 2):
        assert find(now=NOW + timedelta(days=day)) is not None
    assert find(now=NOW + timedelta(days=30)) is None


def test_signing_out_everywhere_ends_all_sessions(session: Session, find: Find) -> None:
    [member] = session.query(Member)
    service.end_sessions(session, CLI, member.id)
    session.commit()

    assert find(now=NOW) is None


def test_removing_a_member_ends_the_sessions(session: Session, find: Find) -> None:
    [member] = session.query(Member)
    service.remove_member(session, CLI, member.id)
    session.commit()

    assert find(now=NOW) is None


def test_a_role_counts_from_its_change_on(session: Session, find: Find) -> None:
    [member] = session.query(Member)
    service.update_member(session, CLI, member.id, {"role": "viewer"})
    session.commit()

    person = find(now=NOW)
    assert person is not None
    assert person.role is Role.VIEWER


def test_signing_in_deletes_ended_sessions(session: Session, token: str) -> None:
    [member] = session.query(Member)
    later = NOW + timedelta(days=4)

    service.start_session(session, member, LIMITS, now=later)
    session.flush()

    hashes = [row.token_hash for row in session.query(MemberSession)]
    assert len(hashes) == 1
    assert hash_token(token) not in hashes


def test_nobody_changes_the_own_role_or_removes_themselves(session: Session, token: str) -> None:
    del token
    [member] = session.query(Member)
    own = Actor("acme", f"member:{member.id}", NOW)

    with pytest.raises(ConflictError):
        service.update_member(session, own, member.id, {"role": "admin"})
    with pytest.raises(ConflictError):
        service.remove_member(session, own, member.id)
    service.update_member(session, own, member.id, {"language": "zh"})


@pytest.mark.parametrize(
    ("role", "needed", "is_permitted"),
    [
        (Role.VIEWER, Role.VIEWER, True),
        (Role.VIEWER, Role.MEMBER, False),
        (Role.VIEWER, Role.ADMIN, False),
        (Role.MEMBER, Role.VIEWER, True),
        (Role.MEMBER, Role.MEMBER, True),
        (Role.MEMBER, Role.ADMIN, False),
        (Role.ADMIN, Role.MEMBER, True),
        (Role.ADMIN, Role.ADMIN, True),
    ],
)
def test_a_role_includes_those_before_it(role: Role, needed: Role, *, is_permitted: bool) -> None:
    person = Person("acme", "mem_1", "k@x", "Kim", role, None, "Acme", "USD", has_aliases=False)

    if is_permitted:
        person.require(needed)
    else:
        with pytest.raises(ForbiddenError):
            person.require(needed)


def test_a_form_token_belongs_to_one_session() -> None:
    assert is_csrf_token(csrf_token("one"), "one")
    assert not is_csrf_token(csrf_token("one"), "two")
    assert not is_csrf_token("", "one")
    assert not is_csrf_token("é", "one")
    assert "one" not in csrf_token("one")
