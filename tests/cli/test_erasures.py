"""Erasures are written to a file and repeated from it."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.cli.test_commands import database, refusal, run

__all__ = ["database"]
pytestmark = pytest.mark.usefixtures("quiet_logs")


ERASURE = """
UPDATE workspace SET erasure_key = '\\x00';
INSERT INTO id_change (workspace_id, id, kind, requested_by, requested_at, ready_at)
VALUES ('acme', 'er_1', 'erase_user', 'key:k', now(), now());
INSERT INTO tombstone VALUES ('acme', '\\x01', 'user', 'er_1', now())
"""


def execute(url: str, statements: str) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text(statements.replace(":", r"\:")))
    engine.dispose()


def test_what_export_writes_reapply_reads(database: str, tmp_path: Path) -> None:
    file = tmp_path / "erasures.ndjson"
    run("workspace", "create", "Acme")
    execute(database, ERASURE)

    assert run("erasures", "export", str(file)).startswith("1 erasures written to")
    assert file.stat().st_mode & 0o077 == 0
    assert "known\t1" in run("erasures", "reapply", str(file))
    execute(database, "DELETE FROM tombstone; DELETE FROM id_change")
    assert "refused\t1" in run("erasures", "reapply", str(file))
    assert "known\t1" in run("erasures", "reapply", str(file))


@pytest.mark.usefixtures("database")
def test_another_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other"
    file.write_text("x")

    assert refusal("erasures", "reapply", str(file)) == (
        "Line 1 is no erasure: use a file that `erasures export` wrote."
    )
