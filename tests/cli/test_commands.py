"""Commands say what is wrong in one line, and print whole lists into pipes."""

import re
import socket
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from app.cli import app, explain
from app.core.db import create_session_factory
from app.core.postgres import migrations
from app.core.postgres.embedded_postgres import DataFolderError
from app.core.postgres.engines import open_engine
from app.core.settings import VERSION
from tests.conftest import CreateDatabase

pytestmark = pytest.mark.usefixtures("quiet_logs")

COLUMNS = ["id", "name", "scopes", "created", "expires", "revoked", "last used"]


def run(*arguments: str) -> str:
    """Run a command that must succeed; return what it prints."""
    answer = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.output


def refusal(*arguments: str) -> str:
    """Run a command that must fail; return its one line."""
    answer = CliRunner().invoke(app, arguments)
    assert isinstance(answer.exception, Exception), answer.output
    sentence = explain(answer.exception)
    assert sentence is not None, answer.exception
    assert "\n" not in sentence
    assert "Serving on" not in answer.output
    return sentence


@pytest.fixture
def database(
    databases: CreateDatabase, migrated: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> str:
    url = databases("cli", template=migrated)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEALTH_DATABASE_URL", url)
    monkeypatch.setenv("HEALTH_LOG_LEVEL", "warning")
    return url


def set_revision(url: str, revision: str) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    engine.dispose()


@pytest.mark.usefixtures("database")
def test_an_unknown_workspace_is_named_without_another_one() -> None:
    assert refusal("key", "list", "-w", "acme") == "No workspace acme."
    assert refusal("key", "revoke", "k1") == "No API key k1."
    assert refusal("key", "rotate", "k1") == "No API key k1."
    assert refusal("train", "-w", "acme") == "No workspace acme."
    assert refusal("key", "create", "-w", "acme", "--scope", "health:read") == "No workspace acme."
    assert refusal("refresh", "--as-of", "2026-01-01", "-w", "acme") == "No workspace acme."


@pytest.mark.usefixtures("database")
def test_workspaces_are_listed() -> None:
    run("workspace", "create", "Acme")
    run("workspace", "create", "Other Company")

    names, *rows = run("workspace", "list").splitlines()

    assert names == "id\tname\tcreated"
    assert [row.split("\t")[:2] for row in rows] == [
        ["acme", "Acme"],
        ["other-company", "Other Company"],
    ]


@pytest.mark.usefixtures("database")
def test_a_list_of_keys_is_whole_when_it_is_piped() -> None:
    name = "a key with a name that is longer than a terminal is wide, [and with brackets]" * 2
    run("workspace", "create", "Acme")
    run("key", "create", "-w", "acme", "--scope", "health:read", "--scope", "admin", "--name", name)

    names, *rows = run("key", "list", "-w", "acme").splitlines()

    assert names.split("\t") == COLUMNS
    assert [len(row.split("\t")) for row in rows] == [7] * 3
    assert name in [row.split("\t")[1] for row in rows]


def test_the_version_is_printed() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()

    assert run("--version") == f"{VERSION}\n"
    assert f'\nversion = "{VERSION}"\n' in project


@pytest.mark.parametrize("kind", ["events", "subscriptions", "accounts", "users"])
def test_the_help_shows_brackets(kind: str) -> None:
    words = re.sub(r"[^\w=\[\]{},]+", " ", run("import", kind, "--help"))

    assert "column[other=value]" in words.replace(" ", "")
    assert "\\" not in words


def test_a_taken_port_is_refused_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEALTH_DATABASE_URL", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("HEALTH_PORT", str(port))

        assert refusal("serve").startswith(f"127.0.0.1:{port} cannot be served (")

    monkeypatch.setenv("HEALTH_HOST", "no-such-host.invalid")
    assert "set HEALTH_HOST" in refusal("serve")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [("serve",), ("worker",), ("migrate",), ("workspace", "list")])
def test_an_unknown_log_level_is_one_line(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("HEALTH_LOG_LEVEL", "trace")

    assert refusal(*command) == (
        "HEALTH_LOG_LEVEL: 'trace' is no log level. Use one of: debug, info, warning, error,"
        " critical."
    )


@pytest.mark.parametrize("command", [("migrate",), ("workspace", "list"), ("worker",)])
def test_a_folder_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEALTH_DATABASE_URL", raising=False)
    for folder in (tmp_path / "file", tmp_path / "file" / "data", Path("/proc/data")):
        monkeypatch.setenv("HEALTH_DATA_DIR", str(folder))

        sentence = refusal(*command)

        assert sentence.startswith(f"The data folder {folder} cannot be used (")
        assert "HEALTH_DATA_DIR" in sentence


def test_an_error_of_the_folder_is_an_expected_one() -> None:
    assert explain(DataFolderError("The data folder x.")) == "The data folder x."
    assert explain(PermissionError(13, "Permission denied", "/x")) == "/x: Permission denied."
    assert explain(ValueError("a bug")) is None


def test_a_schema_newer_than_the_code_is_not_migrated_and_still_served(database: str) -> None:
    set_revision(database, "9999")

    assert refusal("migrate") == (
        "The database has schema 9999, and this version of the service knows schemas up to"
        f" {migrations.HEAD}: start the newer version, or restore a backup made before its"
        " migration."
    )
    engine = open_engine(database, pool_size=1)
    checks = migrations.readiness_checks(create_session_factory(engine))
    assert checks == {
        "database": True,
        "session_settings": True,
        "writes": True,
        "migrations": True,
    }

    set_revision(database, "0001")
    checks = migrations.readiness_checks(create_session_factory(engine))
    assert checks == {
        "database": True,
        "session_settings": True,
        "writes": True,
        "migrations": False,
    }
    engine.dispose()
