"""The only file that opens, commits or rolls back a transaction."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Annotated, Any, TypeVar

import orjson
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
    create_engine,
    literal,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker

from app.core.errors import RetryLaterError

SessionFactory = sessionmaker[Session]
ResultT = TypeVar("ResultT")


class KeyText(Text):
    """Text whose ``in_`` passes one array, and not a parameter for each of hundreds of keys."""

    class Comparator(Text.Comparator[str]):
        def in_(self, other: Any) -> ColumnOperators:  # noqa: ANN401 - as it is inherited
            if isinstance(other, ClauseElement):
                return super().in_(other)
            return self.expr == any_(literal(list(other), ARRAY(Text)))

    comparator_factory = Comparator


Key = Annotated[str, mapped_column(KeyText(collation="C"))]
"""A natural key: compared byte by byte, so that every machine sorts it alike."""

Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
"""A moment, aware and in UTC."""

DEADLOCK, SERIALIZATION_FAILURE = "40P01", "40001"
MAX_ATTEMPTS = 4


class Table(DeclarativeBase):
    """Base of every database class. "Model" is kept for trained models."""

    type_annotation_map = {str: Text()}  # noqa: RUF012 - SQLAlchemy reads it so
    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        }
    )

    def apply_changes(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Set the columns that are not as it is said, and return those."""
        changed = {name: value for name, value in said.items() if getattr(self, name) != value}
        for name, value in changed.items():
            setattr(self, name, value)
        return changed


def open_engine(
    url: str,
    *,
    pool_size: int,
    statement_timeout_seconds: float = 0,
    point_access: bool = False,
    autocommit: bool = False,
) -> Engine:
    """Connect to PostgreSQL; a statement that takes longer than the time-out is given up.

    ``point_access``: for requests, which touch single rows. Their plans are kept for a long time
    and must not scan a table that was small when the plan was made. ``autocommit``: each statement
    is a transaction of its own, without a round trip for BEGIN and one for COMMIT.
    """
    planner = " -c enable_seqscan=off" if point_access else ""
    alone: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
    return create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=False,
        json_deserializer=orjson.loads,
        connect_args={
            "options": f"-c statement_timeout={round(statement_timeout_seconds * 1000)}"
            f" -c timezone=UTC -c jit=off -c search_path=public{planner}",
            "prepare_threshold": 2,
            "connect_timeout": 5,
        },
        **(alone if autocommit else {}),
    )


def create_session_factory(engine: Engine) -> SessionFactory:
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction(sessions: SessionFactory) -> Generator[Session]:
    """One unit of work: a request, a job or a command. All of it lands, or none of it."""
    with sessions.begin() as session:
        yield session


@contextmanager
def rolled_back_transaction(sessions: SessionFactory) -> Generator[Session]:
    """A unit of work done in earnest, of which nothing stays."""
    with sessions() as session:
        try:
            yield session
        finally:
            session.rollback()


def run_with_retries(
    sessions: SessionFactory, work: Callable[[Session], ResultT], *, rehearse: bool = False
) -> ResultT:
    """Do one unit of work, again if another writer's lock order stood against it.

    Also again if the connection turns out to be broken, as after a restart of the database. The
    work must be safe to repeat: of a commit that broke nobody knows whether it happened.
    """
    for tries_left in reversed(range(MAX_ATTEMPTS)):
        try:
            with (rolled_back_transaction if rehearse else transaction)(sessions) as session:
                return work(session)
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            passes = error.connection_invalidated or state in {DEADLOCK, SERIALIZATION_FAILURE}
            if not passes or not tries_left:
                raise
    raise AssertionError


class DatabaseSlots:
    """As many requests in the database at once as there are connections, and a short queue.

    Waiting here costs a task; waiting in the connection pool would hold a thread, and requests
    that have a connection but no thread would wait for each other.
    """

    def __init__(self, size: int, *, queue: int, wait_seconds: float = 2) -> None:
        self._semaphore = asyncio.Semaphore(size)
        self._free_places = size + queue
        self._wait_seconds = wait_seconds

    async def __aenter__(self) -> None:
        if self._free_places <= 0:
            raise RetryLaterError("Too many requests at once; nothing was stored.")
        self._free_places -= 1
        try:
            await asyncio.wait_for(self._semaphore.acquire(), self._wait_seconds)
        except TimeoutError:
            self._free_places += 1
            raise RetryLaterError("Too many requests at once; nothing was stored.") from None
        except BaseException:
            self._free_places += 1
            raise

    async def __aexit__(self, *_: object) -> None:
        self._free_places += 1
        self._semaphore.release()


@asynccontextmanager
async def database_slot(request: Request) -> AsyncGenerator[None]:
    """Hold one slot, however many parts of a request ask: with two, requests block each other."""
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
    async with database_slot(request):
        session: Session = request.app.state.sessions()
        try:
            yield session
            await run_in_threadpool(session.commit)
        finally:
            if session.in_transaction():
                await run_in_threadpool(session.close)


async def read_session(request: Request) -> AsyncGenerator[Session]:
    """Read without BEGIN and COMMIT: for routes that change nothing."""
    async with database_slot(request):
        session: Session = request.app.state.autocommit_sessions()
        try:
            yield session
        finally:
            session.close()


# scope="function" commits before the response leaves: no 2xx for work that was lost.
SessionDep = Annotated[Session, Depends(request_session, scope="function")]
ReadSessionDep = Annotated[Session, Depends(read_session, scope="function")]
