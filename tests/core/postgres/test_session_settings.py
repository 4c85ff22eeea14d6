"""A pooler that ignores the settings of connections is found before requests fail."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.core.db import create_session_factory
from app.core.postgres import migrations
from app.core.postgres.engines import REQUEST_TIMEOUT_SECONDS, open_engine
from app.core.postgres.session_settings import SessionSettingsError, expect_session_settings

SOCKET_NAME = ".s.PGSQL.5432"


def without_options(startup: bytes) -> bytes:
    """Remove the parameter ``options`` of a start-up message, as PgBouncer does."""
    texts = startup[8:].split(b"\0")
    pairs = list(zip(texts[::2], texts[1::2], strict=False))
    others = b"".join(b"%s\0%s\0" % pair for pair in pairs if pair[0] not in {b"", b"options"})
    body = startup[4:8] + others + b"\0"
    return struct.pack("!I", len(body) + 4) + body


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def serve_client(client: socket.socket, server_path: str) -> None:
    with client, socket.socket(socket.AF_UNIX) as server:
        server.connect(server_path)
        [length] = struct.unpack("!I", client.recv(4, socket.MSG_PEEK))
        server.sendall(without_options(client.recv(length, socket.MSG_WAITALL)))
        answers = threading.Thread(target=copy, args=(server, client), daemon=True)
        answers.start()
        copy(client, server)
        answers.join()


@pytest.fixture
def pooled_url(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the test database behind a proxy that drops the settings of connections."""
    base, _, folder = database_url.partition("?host=")
    own = tmp_path_factory.mktemp("p")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(own / SOCKET_NAME))
        listener.listen()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    arguments = (client, str(Path(folder) / SOCKET_NAME))
                    threading.Thread(target=serve_client, args=arguments, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"{base}?host={own}"
        listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts


@pytest.fixture
def pooled(pooled_url: str) -> Iterator[Engine]:
    engine = open_engine(pooled_url, pool_size=1, statement_timeout_seconds=REQUEST_TIMEOUT_SECONDS)
    yield engine
    engine.dispose()


def test_ignored_settings_are_one_clear_line_at_start(pooled: Engine) -> None:
    with pytest.raises(SessionSettingsError) as refused:
        expect_session_settings(pooled)

    assert "statement_timeout gives 0 ms instead of 5000 ms" in str(refused.value)
    assert "docs/operations.md" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_ignored_settings_are_not_ready(pooled: Engine) -> None:
    assert migrations.readiness_checks(create_session_factory(pooled)) == {
        "database": True,
        "migrations": True,
        "session_settings": False,
        "writes": True,
    }


def test_settings_of_the_role_are_as_good(pooled: Engine) -> None:
    """Behind a pooler the same settings can be those of the role: ALTER ROLE ... SET."""
    with pooled.begin() as connection:
        connection.execute(text("ALTER ROLE CURRENT_USER SET statement_timeout = '5s'"))
    try:
        pooled.dispose()
        expect_session_settings(pooled)
    finally:
        with pooled.begin() as connection:
            connection.execute(text("ALTER ROLE CURRENT_USER RESET statement_timeout"))


def test_applied_settings_are_accepted(database_url: str) -> None:
    engine = open_engine(database_url, pool_size=1, statement_timeout_seconds=5)
    expect_session_settings(engine)
    engine.dispose()


def test_an_absent_database_is_left_to_the_first_statement(tmp_path: Path) -> None:
    expect_session_settings(open_engine(f"postgresql://x@/x?host={tmp_path}", pool_size=1))


@pytest.mark.parametrize(("prepared", "expected"), [(True, 1), (False, 0)])
def test_statements_are_not_prepared_if_the_setting_says_so(
    database_url: str,
    prepared: bool,  # noqa: FBT001
    expected: int,
) -> None:
    engine = open_engine(database_url, pool_size=1, prepared_statements=prepared)
    with engine.connect() as connection:
        for number in range(5):
            connection.execute(text("SELECT CAST(:number AS int)"), {"number": number})
        names = connection.scalar(
            text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%AS int%'")
        )
    engine.dispose()

    assert names == expected
