"""The command that repairs what older versions stored wrongly."""

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from app.cli import app
from tests.cli.test_commands import database, refusal, run

__all__ = ["database"]
pytestmark = pytest.mark.usefixtures("quiet_logs")


REACH = (
    "INSERT INTO daily_reach (workspace_id, account_id, day, known_on, end_customer_id) VALUES"
    " (:id, 'a1', '2026-03-01', '2026-03-01', 'c1')"
)


def doctor(*options: str) -> tuple[int, list[str]]:
    """Run the command; return its exit code and what it prints."""
    answer = CliRunner().invoke(app, ["doctor", *options], catch_exceptions=False)
    return answer.exit_code, answer.output.splitlines()


def store_unnamed_reach(url: str, workspace_id: str) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text(REACH), {"id": workspace_id})
    engine.dispose()


@pytest.mark.usefixtures("database")
def test_a_sound_database_has_no_faults() -> None:
    run("workspace", "create", "Acme")

    assert run("doctor") == "0 faults, 0 repaired, 0 left.\n"
    assert refusal("doctor", "-w", "other") == "No workspace other."


def test_what_cannot_be_repaired_is_listed_with_exit_code_1(database: str) -> None:
    run("workspace", "create", "Acme")
    run("workspace", "create", "Other")
    store_unnamed_reach(database, "other")

    code, lines = doctor()

    assert code == 1
    assert lines[1].split("\t") == [
        *("other", "a1", "reach"),
        "1 rows of reach name no user; their events are gone.",
        "Nothing stored tells what is right.",
    ]
    assert lines[2] == "1 faults, 0 repaired, 1 left."
    assert doctor("-w", "acme") == (0, ["0 faults, 0 repaired, 0 left."])
    dry = "1 faults, 0 repaired, 1 left (dry run: nothing was changed)."
    assert doctor("--dry-run")[1][-1] == dry
