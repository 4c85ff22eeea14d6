"""Database access: sessions, transactions, column types. Only this module commits."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import (
    ClauseElement,
    ColumnOperators,
    DateTime,
    Engine,
    MetaData,
    Text,
    any_,
    literal,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker

from app.core.errors import RetryLaterError
from app.core.outages import UnknownCommitError, is_connection_lost

SessionFactory = sessionmaker[Session]
ResultT = TypeVar("ResultT")


class KeyText(Text):
    """Text whose ``in_`` binds one array instead of one parameter for each of hundreds of keys."""

    class Comparator(Text.Comparator[str]):
        def in_(self, other: Any) -> ColumnOperators:  # noqa: ANN401 - as in the base class
            if isinstance(other, ClauseElement):
                return super().in_(other)
            return self.expr == any_(literal(list(other), ARRAY(Text)))

    comparator_factory = Comparator


Key = Annotated[str, mapped_column(KeyText(collation="C"))]
"""A natural key. Collation ``C`` compares bytes, so that every machine sorts keys the same way."""

Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
"""An aware time in UTC (``timestamptz``)."""

DEADLOCK, SERIALIZATION_FAILURE = "40P01", "40001"
MAX_ATTEMPTS = 4


class Table(DeclarativeBase):
    """Base of every database class. The word "model" is reserved for trained models."""

    type_annotation_map = {str: Text()}  # noqa: RUF012 - SQLAlchemy's way
    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        }
    )

    def apply_changes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Set the columns whose value differs and return those with their new values."""
        changed = {name: value for name, value in values.items() if getattr(self, name) != value}
        for name, value in changed.items():
            setattr(self, name, value)
        return changed


def create_session_factory(
    engine: Engine, *, renewal_grace_days: int | None = None
) -> SessionFactory:
    """Return what opens sessions. ``renewal_grace_days``: a setting that their statements need."""
    info = {} if renewal_grace_days is None else {"renewal_grace_days": renewal_grace_days}
    return sessionmaker(engine, expire_on_commit=False, info=info)


@contextmanager
def transaction(sessions: SessionFactory) -> Generator[Session]:
    """Run one unit of work (a request, a job, a command) in a transaction: all of it or nothing."""
    with sessions() as session:
        yield session
        commit(session)


def commit(session: Session) -> None:
    """Commit; raise UnknownCommitError if the connection is lost meanwhile.

    What fails before COMMIT is sent is rolled back, and so is what the server refuses.
    """
    session.flush()
    try:
        session.commit()
    except DBAPIError as error:
        if is_connection_lost(error):
            raise UnknownCommitError.of(error) from error
        raise


@contextmanager
def after_first_commit() -> Generator[None]:
    """Run later transactions of a request: if one fails, an earlier one may be committed."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        raise UnknownCommitError.of(error) from error


@contextmanager
def rolled_back_transaction(sessions: SessionFactory) -> Generator[Session]:
    """Run a unit of work with all its statements, then roll it back."""
    with sessions() as session:
        try:
            yield session
        finally:
            session.rollback()


def run_with_retries(
    sessions: SessionFactory,
    work: Callable[[Session], ResultT],
    *,
    dry_run: bool = False,
    autocommit: bool = False,
) -> ResultT:
    """Run one unit of work in a transaction; retry on a deadlock or serialization failure.

    A broken connection, as after a restart of the database, is a reason to retry too. The work
    must be safe to repeat: after a broken commit it is unknown whether it happened. Raise
    UnknownCommitError if it still is after the last attempt. ``dry_run`` rolls back.
    ``autocommit``: whether each statement of the sessions is a transaction.
    """
    is_unknown = False
    for tries_left in reversed(range(MAX_ATTEMPTS)):
        try:
            with (rolled_back_transaction if dry_run else transaction)(sessions) as session:
                return work(session)
        except (DBAPIError, PoolTimeoutError) as error:
            is_unknown |= _may_be_committed(error, autocommit=autocommit)
            if not _can_retry(error) or not tries_left:
                if is_unknown:
                    raise UnknownCommitError.of(error) from error
                raise
    raise AssertionError


def _may_be_committed(error: SQLAlchemyError, *, autocommit: bool) -> bool:
    if isinstance(error, DBAPIError) and autocommit:
        return is_connection_lost(error)
    return isinstance(error, UnknownCommitError)


def _can_retry(error: SQLAlchemyError) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state in {DEADLOCK, SERIALIZATION_FAILURE}


class DatabaseSlots:
    """Limit the requests that use the database at a time to its connections, with a short queue.

    Waiting here costs a task. Waiting in the connection pool would hold a thread, and requests
    that have a connection but no thread would wait for each other.
    """

    def __init__(self, size: int, *, queue: int, wait_seconds: float = 2) -> None:
        self._semaphore = asyncio.Semaphore(size)
        self._free_places = size + queue
        self._wait_seconds = wait_seconds

    async def __aenter__(self) -> None:
        if self._free_places <= 0:
            raise RetryLaterError
        self._free_places -= 1
        try:
            await asyncio.wait_for(self._semaphore.acquire(), self._wait_seconds)
        except BaseException as error:
            self._free_places += 1
            if isinstance(error, TimeoutError):
                raise RetryLaterError from None
            raise

    async def __aexit__(self, *_: object) -> None:
        self._free_places += 1
        self._semaphore.release()


@asynccontextmanager
async def database_slot(request: Request) -> AsyncGenerator[None]:
    """Hold one slot for the request. Nested use takes no second one: requests would deadlock."""
    if request.scope.get("has_slot"):
        yield
        return
    async with request.app.state.slots:
        request.scope["has_slot"] = True
        try:
            yield
        finally:
            request.scope["has_slot"] = False


async def request_session(request: Request) -> AsyncGenerator[Session]:
    """Yield the session of a request that writes, and commit it at the end.

    Nested use gets the same session, which the outer use commits.
    """
    outer: Session | None = request.scope.get("write_session")
    if outer is not None:
        yield outer
        return
    async with database_slot(request):
        session: Session = request.app.state.sessions()
        request.scope["write_session"] = session
        try:
            yield session
            await run_in_threadpool(commit, session)
        finally:
            request.scope["write_session"] = None
            if session.in_transaction():
                await run_in_threadpool(session.close)


async def read_session(request: Request) -> AsyncGenerator[Session]:
    """Yield an autocommit session, without BEGIN and COMMIT, for routes that change nothing."""
    async with database_slot(request):
        session: Session = request.app.state.autocommit_sessions()
        try:
            yield session
        finally:
            session.close()


request_transaction = asynccontextmanager(request_session)
"""The transaction of a request, for a route class that does something before and after its code."""

# scope="function" commits before the response is sent: no 2xx for work that was not stored.
SessionDep = Annotated[Session, Depends(request_session, scope="function")]
ReadSessionDep = Annotated[Session, Depends(read_session, scope="function")]
