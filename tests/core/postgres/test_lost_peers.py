"""A server or a client that hangs does not hold the other one for ever."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from app.core.postgres import engines
from app.core.postgres.engines import open_engine

WANTED = {
    "idle_in_transaction_session_timeout": "25s",
    "tcp_keepalives_idle": "10",
    "tcp_user_timeout": "20s",
}


@contextmanager
def opened(url: str, seconds: float = 0) -> Iterator[Engine]:
    engine = open_engine(url, pool_size=1, statement_timeout_seconds=seconds)
    yield engine
    engine.dispose()


@contextmanager
def stopped(process_id: int) -> Iterator[None]:
    """Stop a server process, which then neither answers nor closes its connection."""
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


def test_the_server_ends_the_transaction_of_a_process_that_hangs(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = engines.LOST_CLIENT_OPTIONS.replace("=25000", "=100")
    monkeypatch.setattr(engines, "LOST_CLIENT_OPTIONS", soon)
    lock = text("SELECT pg_advisory_lock(4711)")
    with (
        opened(database_url) as hanging,
        opened(database_url) as other,
        hanging.connect() as first,
        other.connect() as second,
    ):
        first.execute(lock)
        second.execute(lock)  # waits until the server has ended the first session
        with pytest.raises(DBAPIError, match="idle-in-transaction timeout"):
            first.execute(text("SELECT 1"))


def test_every_connection_asks_for_the_settings(database_url: str) -> None:
    with opened(database_url) as engine, engine.connect() as connection:
        names = [name for name in WANTED if not name.startswith("tcp")]  # a socket has no TCP
        found = {name: connection.scalar(text(f"SHOW {name}")) for name in names}
        options = connection.connection.driver_connection.info.get_parameters()["options"]  # type: ignore[union-attr]

    assert found == {name: WANTED[name] for name in names}
    assert "tcp_keepalives_idle=10" in options
    assert "tcp_user_timeout=20000" in options


def test_a_request_does_not_wait_for_a_server_that_hangs(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "SERVER_GRACE_SECONDS", 0.2)
    with opened(database_url, 0.2) as engine:
        with engine.connect() as connection:
            backend = connection.scalar(text("SELECT pg_backend_pid()"))
            with stopped(backend), pytest.raises(DBAPIError) as caught:
                connection.execute(text("SELECT 1"))
            assert caught.value.connection_invalidated
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1


def test_a_statement_time_out_leaves_the_connection_open(database_url: str) -> None:
    with opened(database_url, 0.1) as engine, engine.connect() as connection:
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
        with pytest.raises(DBAPIError, match="statement timeout"):
            connection.execute(text("SELECT pg_sleep(10)"))
        connection.rollback()

        assert connection.scalar(text("SELECT pg_backend_pid()")) == backend
