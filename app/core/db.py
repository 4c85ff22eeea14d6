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
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker

from app.core.errors import RetryLaterError

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


def create_session_factory(engine: Engine) -> SessionFactory:
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction(sessions: SessionFactory) -> Generator[Session]:
    """Run one unit of work (a request, a job, a command) in a transaction: all of it or nothing."""
    with sessions.begin() as session:
        yield session


@contextmanager
def rolled_back_transaction(sessions: SessionFactory) -> Generator[Session]:
    """Run a unit of work with all its statements, then roll it back."""
    with sessions() as session:
        try:
            yield session
        finally:
            session.rollback()


def run_with_retries(
    sessions: SessionFactory, work: Callable[[Session], ResultT], *, dry_run: bool = False
) -> ResultT:
    """Run one unit of work in a transaction; retry on a deadlock or serialization failure.

    A broken connection, as after a restart of the database, is a reason to retry too. The work
    must be safe to repeat: after a broken commit it is unknown whether it happened. ``dry_run``
    rolls back.
    """
    for tries_left in reversed(range(MAX_ATTEMPTS)):
        try:
            with (rolled_back_transaction if dry_run else transaction)(sessions) as session:
                return work(session)
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            can_retry = error.connection_invalidated or state in {DEADLOCK, SERIALIZATION_FAILURE}
            if not can_retry or not tries_left:
                raise
    raise AssertionError


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
    """Yield the session of a request that writes, and commit it at the end."""
    async with database_slot(request):
        session: Session = request.app.state.sessions()
        try:
            yield session
            await run_in_threadpool(session.commit)
        finally:
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


# scope="function" commits before the response is sent: no 2xx for work that was not stored.
SessionDep = Annotated[Session, Depends(request_session, scope="function")]
ReadSessionDep = Annotated[Session, Depends(read_session, scope="function")]
