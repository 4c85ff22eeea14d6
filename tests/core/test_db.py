"""Connections to a database that restarts, and how many are in use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from app.core.postgres.embedded_postgres import EmbeddedPostgres
from app.core.postgres.engines import database_address, open_engine


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server of the test, which it restarts."""
    with EmbeddedPostgres(tmp_path / "db") as server:
        yield server


def restart(server: EmbeddedPostgres, mode: str) -> None:
    server._pg_ctl("stop", "-m", mode)  # noqa: SLF001 - as its watcher does
    server._start_if_down()  # noqa: SLF001


def ask(engine: Engine) -> int:
    """Ask for the process of the session, as a request does with its first statement."""
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")))


def gauge(name: str) -> float:
    return REGISTRY.get_sample_value(f"health_database_connections_{name}") or 0.0


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_the_first_statement_after_a_restart_works_on_every_connection(
    server: EmbeddedPostgres, mode: str
) -> None:
    """Both pools of the API; two connections each, which all were used before."""
    pools = [open_engine(server.url, pool_size=2, autocommit=each) for each in (False, True)]
    for pool in pools:
        with pool.connect() as first:
            first.execute(text("SELECT 1"))
            before = ask(pool)
        restart(server, mode)

        with pool.connect() as first:
            after = {int(first.scalar(text("SELECT pg_backend_pid()"))), ask(pool)}

        assert len(after) == 2
        assert before not in after
        pool.dispose()


def test_a_connection_is_used_again_while_the_server_runs(server: EmbeddedPostgres) -> None:
    engine = open_engine(server.url, pool_size=2)

    assert len({ask(engine) for _ in range(5)}) == 1

    engine.dispose()


def test_connections_in_use_are_counted_also_when_the_server_is_away(
    server: EmbeddedPostgres,
) -> None:
    used, limit = gauge("in_use"), gauge("limit")
    engine = open_engine(server.url, pool_size=3)
    assert gauge("limit") == limit + 3
    with engine.connect(), engine.connect():
        assert gauge("in_use") == used + 2
    assert gauge("in_use") == used

    server._pg_ctl("stop", "-m", "fast")  # noqa: SLF001
    for _ in range(3):
        with pytest.raises(OperationalError):
            ask(engine)
    assert gauge("in_use") == used
    server._start_if_down()  # noqa: SLF001

    ask(engine)
    engine.dispose()
    assert (gauge("in_use"), gauge("limit")) == (used, limit)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("postgresql://user:secret@db.example:5433/health", "db.example:5433/health"),
        ("postgresql://db.example/health", "db.example/health"),
        ("postgresql://postgres@/postgres?host=/data/postgres", "/data/postgres/postgres"),
    ],
)
def test_the_address_of_a_database_has_no_password(url: str, address: str) -> None:
    assert database_address(SecretStr(url)) == address
