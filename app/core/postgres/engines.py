"""Connection pools: what a connection asks of the server, and what happens if it is lost."""

import select
from functools import partial
from typing import Any

import orjson
import psycopg
from psycopg.abc import RV, PQGen
from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from app.core import metrics

REQUEST_TIMEOUT_SECONDS, COMMAND_TIMEOUT_SECONDS = 5, 86_400
"""The statement time-outs of requests, and of commands and workers."""

READ_ONLY = "25006"
"""The SQL state of a write to a read-only server."""

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

    A connection that the server has closed, as at its restart, is replaced when it is next used.

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
        pool_pre_ping=False,  # a round trip for each use: see _watch_connections
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
    _watch_connections(engine, pool_size)
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


def _watch_connections(engine: Engine, pool_size: int) -> None:
    """Replace connections that the server has closed, and count those in use."""
    in_use: set[ConnectionPoolEntry] = set()

    def take(connection: psycopg.Connection[Any], record: ConnectionPoolEntry, _: object) -> None:
        if record.info.get("was_used") and _is_closed(connection):
            raise DisconnectionError
        record.info["was_used"] = True
        in_use.add(record)
        metrics.CONNECTIONS_IN_USE.inc()

    def give_back(_: object, record: ConnectionPoolEntry) -> None:
        if record in in_use:  # else the new connection failed
            in_use.discard(record)
            metrics.CONNECTIONS_IN_USE.dec()

    event.listen(engine, "checkout", take)
    event.listen(engine, "checkin", give_back)
    event.listen(engine, "engine_disposed", lambda _: metrics.CONNECTIONS_LIMIT.dec(pool_size))
    metrics.CONNECTIONS_LIMIT.inc(pool_size)


def _is_closed(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has closed an idle connection: there is its farewell or an end to read."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def database_address(url: SecretStr | None) -> str:
    """Return the host, port and name of a database, without its user and password; "" for None."""
    if url is None:
        return ""
    parsed = make_url(url.get_secret_value())
    host = parsed.host or parsed.query.get("host", "")
    return f"{host}{f':{parsed.port}' if parsed.port else ''}/{parsed.database or ''}"
