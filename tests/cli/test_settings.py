"""A wrong setting ends a command with one line that says what to write."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import serving
from app.cli import app
from app.cli.first_steps import suggest_workspace
from app.cli.runtime import load_settings
from app.core.settings import Settings, unknown_names
from tests.cli.test_commands import database, refusal, run

__all__ = ["database"]
pytestmark = pytest.mark.usefixtures("quiet_logs")

DATABASE_ADVICE = (
    "HEALTH_DATABASE_URL: The value must be a URL such as"
    " postgresql://user:password@host:5432/database."
)


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HEALTH_PORT", "99999", "less than or equal to 65535."),
        ("HEALTH_PORT", "0", "greater than or equal to 1."),
        ("HEALTH_PORT", "http", "valid integer"),
        ("HEALTH_METRICS_PORT", "70000", "less than or equal to 65535."),
        ("HEALTH_METRICS_PORT", "8000", "use another one."),
        ("HEALTH_WORKERS", "0", "greater than or equal to 1."),
        ("HEALTH_ENCRYPTION_KEY", "c2hvcnQ=", "The key must be 32 bytes in base64"),
        ("HEALTH_ENCRYPTION_KEY", "no base64!", "The key must be 32 bytes in base64"),
        ("HEALTH_PUBLIC_URL", "health.example.com", "such as https://health.example.com."),
        ("HEALTH_PUBLIC_URL", "https://a.example/path", "such as https://health.example.com."),
        ("HEALTH_WEBHOOK_ALLOWED_NETWORKS", "localhost", "IPv4 or IPv6 network"),
        ("HEALTH_CLOCK_OFFSET_SECONDS", "nan", "Input should be"),
        ("HEALTH_CLOCK_OFFSET_SECONDS", "1e20", "Input should be"),
    ],
)
def test_an_invalid_value_is_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)

    line = refusal("serve")

    assert line.startswith(f"{name}: ")
    assert sentence in line
    assert line.count(name) == 1


@pytest.mark.parametrize(
    "url",
    [
        "mysql://host/database",
        "postgres://host/database",
        "postgresql+asyncpg://host/database",
        "host=localhost dbname=health",
        "postgresql://user:secret@host:port/database",
        "postgresql://user:s@cret@host/database",
        "postgresql://user:s/cret@host/database",
        "postgresql://user:secret@host:99999/database",
    ],
)
def test_a_url_that_is_no_address_of_postgresql_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HEALTH_DATABASE_URL", url)

    line = refusal("migrate")

    assert line.startswith(DATABASE_ADVICE)
    assert "cret" not in line


@pytest.mark.parametrize("command", [("migrate",), ("workspace", "list"), ("key", "revoke", "k")])
def test_a_database_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, database: str, command: tuple[str, ...]
) -> None:
    absent = {
        "postgresql://user:secret@127.0.0.1:1/health": "Connection refused",
        "postgresql://user:secret@localhost:1/health": "Connection refused",
        "postgresql://user:secret@no-such-host.invalid/health": "no-such-host.invalid",
        database.replace("_cli?", "_no_such_database?"): "_no_such_database",
        database.replace("postgres@", "no_such_user@"): "no_such_user",
    }
    for url, reason in absent.items():
        monkeypatch.setenv("HEALTH_DATABASE_URL", url)

        line = refusal(*command)

        assert line.startswith("Database: ")
        assert reason in line
        assert "secret" not in line


def test_a_database_without_a_schema_says_what_to_run(
    monkeypatch: pytest.MonkeyPatch, databases: object
) -> None:
    monkeypatch.setenv("HEALTH_DATABASE_URL", databases("cli_empty"))  # type: ignore[operator]

    assert refusal("workspace", "list") == (
        "The database has no schema, or an older one: run `python -m app migrate`."
    )


def test_an_empty_database_url_does_not_start_a_private_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEALTH_DATABASE_URL", "")

    assert refusal("worker").startswith("HEALTH_DATABASE_URL is empty: ")
    assert list(tmp_path.iterdir()) == []


def test_other_empty_values_are_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEALTH_PORT", "HEALTH_EMBED_WORKER", "HEALTH_METRICS_PORT"):
        monkeypatch.setenv(name, "")

    settings = Settings()

    assert (settings.port, settings.embed_worker, settings.metrics_port) == (8000, None, None)


def test_a_slash_behind_the_public_url_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_PUBLIC_URL", "https://health.example.com/")

    assert Settings().public_url == "https://health.example.com"


def test_a_misspelled_setting_is_warned_of_with_the_near_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEALTH_PROT", "9000")
    monkeypatch.setenv("HEALTH_LOGLEVEL", "info")
    (tmp_path / ".env").write_text("HEALTH_WORKER=2\nHEALTH_PORT=8100\nPOSTGRES_PASSWORD=x\n")

    settings = load_settings()

    assert settings.port == 8100
    lines = map(json.loads, capsys.readouterr().err.splitlines())
    warned = {line["setting"]: line["nearest"] for line in lines}
    assert warned == {
        "HEALTH_PROT": "HEALTH_PORT",
        "HEALTH_LOGLEVEL": "HEALTH_LOG_LEVEL",
        "HEALTH_WORKER": "HEALTH_WORKERS",
    }


def test_a_name_that_is_near_to_none_has_no_suggestion() -> None:
    names = ["HEALTH_SOMETHING_ELSE", "PATH", "health_port", "HEALTH_PARENT_PID"]

    assert unknown_names(names) == {"HEALTH_SOMETHING_ELSE": None}


def test_a_settings_file_that_is_not_utf8_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"HEALTH_PORT=\xff")

    assert refusal("serve") == (
        "The file .env in the working directory is not UTF-8: save it as UTF-8."
    )


@pytest.mark.usefixtures("database")
def test_lists_that_are_empty_say_what_to_do() -> None:
    [names, hint] = run("workspace", "list").splitlines()

    assert names == "id\tname\tcreated"
    assert hint.startswith("There is no workspace yet. Create one: ")
    assert hint.endswith("python -m app workspace create NAME")


@pytest.mark.usefixtures("database")
def test_serve_says_how_to_create_a_workspace_if_there_is_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = Settings(_env_file=None)
    assert settings.database_url is not None

    with serving.engine_to(settings, settings.database_url.get_secret_value()) as engine:
        suggest_workspace(engine)
        first = capsys.readouterr().err
        run("workspace", "create", "Acme")
        suggest_workspace(engine)

    assert first.startswith("There is no workspace yet. Create one in another terminal, ")
    assert first.endswith("python -m app workspace create NAME\n")
    assert capsys.readouterr().err == ""


def test_serve_says_nothing_of_workspaces_without_a_database(
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = "postgresql://127.0.0.1:1/health"
    with serving.engine_to(Settings(_env_file=None), url) as engine:
        suggest_workspace(engine)

    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("refresh", "--as-of", "2026-01-31"), "--as-of needs --workspace too."),
        (("refresh", "-w", "acme"), "--workspace needs --as-of too."),
        (("refresh", "--as-of", "2999-01-01", "-w", "acme"), "is in the future."),
        (
            ("key", "create", "-w", "acme", "--scope", "admin", "--expires-in-days", "999999"),
            "36500",
        ),
        (("import", "accounts", "missing.csv", "-w", "acme"), "does not exist"),
        (("import", "accounts", ".", "-w", "acme"), "is a directory"),
    ],
)
def test_invalid_options_are_refused_before_anything_is_done(
    arguments: tuple[str, ...], sentence: str
) -> None:
    answer = CliRunner().invoke(app, arguments)

    assert answer.exit_code == 2
    assert sentence in answer.output
    assert "scored" not in answer.output


@pytest.mark.usefixtures("database")
def test_a_name_that_is_too_long_is_refused() -> None:
    assert refusal("workspace", "create", "x" * 201).startswith(
        "The name of a workspace has at most 200 characters"
    )
