"""Database access: engines, sessions, transactions, column types. Only this module commits."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import partial
from typing import Annotated, Any, TypeVar

import orjson
import psycopg
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from psycopg.abc import RV, PQGen
from sqlalchemy import (
    ClauseElement,
    ColumnOperators,
    DateTime,
    Engine,
    MetaData,
    Text,
    any_,
    create_engine,
    event,
    literal,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import ExceptionContext
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

DEADLOCK, SERIALIZATION_FAILURE, READ_ONLY = "40P01", "40001", "25006"
REQUEST_TIMEOUT_SECONDS, COMMAND_TIMEOUT_SECONDS = 5, 86_400
"""The statement time-outs of requests, and of commands and workers."""

IDLE_TRANSACTION_SECONDS, KEEPALIVE_SECONDS, UNACKNOWLEDGED_SECONDS = 25, 10, 20
LOST_CLIENT_OPTIONS = (
    f"-c idle_in_transaction_session_timeout={IDLE_TRANSACTION_SECONDS * 1000}"
    f" -c tcp_keepalives_idle={KEEPALIVE_SECONDS} -c tcp_keepalives_interval=5"
    f" -c tcp_keepalives_count=3 -c tcp_user_timeout={UNACKNOWLEDGED_SECONDS * 1000}"
)
"""The server ends the transaction of a process that hangs, or whose machine is lost, in 30 s."""

LOST_SERVER_PARAMETERS = {
    "keepalives_idle": KEEPALIVE_SECONDS,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": UNACKNOWLEDGED_SECONDS * 1000,
}
"""The process notices that the machine of the server is lost."""

SERVER_GRACE_SECONDS = 5
"""How much longer than its time-out a statement of a request may take to answer."""

STATEMENT_TIMEOUT_OPTION = "wanted_statement_timeout"
"""The execution option of an engine that holds its statement time-out, in milliseconds."""

PREPARED_AFTER = 2
"""A statement is prepared when it runs for this time on a connection."""

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


def open_engine(
    url: str,
    *,
    pool_size: int,
    statement_timeout_seconds: float = 0,
    point_access: bool = False,
    autocommit: bool = False,
    prepared_statements: bool = True,
) -> Engine:
    """Open a connection pool; the server cancels statements that exceed the time-out.

    ``point_access``: for requests, which touch single rows. Their prepared plans live for a long
    time and must not scan a table that was small when the plan was made. ``autocommit``: each
    statement is its own transaction, without the round trips for BEGIN and COMMIT.
    ``prepared_statements``: False behind a pooler that gives each transaction another session.
    """
    timeout = round(statement_timeout_seconds * 1000)
    planner = " -c enable_seqscan=off" if point_access else ""
    autocommitting: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=False,
        json_deserializer=orjson.loads,
        hide_parameters=True,  # an error in the log must not contain values of a row
        connect_args={
            "options": f"-c statement_timeout={timeout} {LOST_CLIENT_OPTIONS}"
            f" -c timezone=UTC -c jit=off -c search_path=public{planner}",
            "prepare_threshold": PREPARED_AFTER if prepared_statements else None,
            "connect_timeout": 5,
            **LOST_SERVER_PARAMETERS,
        },
        execution_options={STATEMENT_TIMEOUT_OPTION: timeout},
        **(autocommitting if autocommit else {}),
    )
    event.listen(engine, "handle_error", _leave_read_only_server)
    if 0 < statement_timeout_seconds < COMMAND_TIMEOUT_SECONDS:
        deadline = statement_timeout_seconds + SERVER_GRACE_SECONDS
        event.listen(engine, "do_connect", partial(_connect_with_deadline, deadline))
    return engine


def _leave_read_only_server(context: ExceptionContext) -> None:
    """Give up all connections to a server that became read-only, as after a failover."""
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True


def _connect_with_deadline(
    deadline: float,
    _dialect: object,
    _record: object,
    arguments: list[str],
    parameters: dict[str, Any],
) -> "DeadlineConnection":
    connection = DeadlineConnection.connect(*arguments, **parameters)
    connection.deadline = deadline
    return connection


class DeadlineConnection(psycopg.Connection[Any]):
    """A connection that is closed if the server does not answer in time, not even with an error.

    The server itself ends a statement at its time-out, unless it hangs.
    """

    deadline: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, timeout or self.deadline)
        except psycopg.OperationalError as error:
            if error.sqlstate is None:  # not an error that the server sent
                self.pgconn.finish()
            raise


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
