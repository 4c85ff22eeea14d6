"""The schema is created by migrations only, and they can be undone."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from app.core.db import create_session_factory
from app.core.postgres import migrations
from app.core.postgres.engines import open_engine
from app.core.postgres.partitions import PARTITIONED_TABLES
from app.tables import metadata
from tests.conftest import CreateDatabase

VERSIONS = Path(__file__).parent.parent / "migrations" / "versions"


@pytest.fixture
def empty(databases: CreateDatabase) -> Iterator[Engine]:
    engine = open_engine(databases("empty"), pool_size=2)
    yield engine
    engine.dispose()


def downgrade(engine: Engine) -> None:
    settings = migrations.alembic_config()
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, "base")


def schema(engine: Engine) -> dict[str, object]:
    """Return the tables, columns and indexes of the database."""
    inspector = inspect(engine)
    return {
        table: (
            [(column["name"], str(column["type"])) for column in inspector.get_columns(table)],
            sorted(str(index["name"]) for index in inspector.get_indexes(table)),
            inspector.get_pk_constraint(table)["constrained_columns"],
        )
        for table in inspector.get_table_names()
    }


def test_the_migrations_create_the_tables_of_the_code(empty: Engine) -> None:
    """``alembic check`` raises if a migration is missing."""
    migrations.upgrade(empty)
    settings = migrations.alembic_config()
    settings.stdout = sys.stdout  # the default is that of the test that imported Alembic first

    with empty.begin() as connection:
        settings.attributes["connection"] = connection
        command.check(settings)

    assert set(metadata.tables) <= set(schema(empty))


def test_the_newest_revision_is_the_one_that_readiness_expects() -> None:
    scripts = ScriptDirectory.from_config(migrations.alembic_config())

    assert scripts.get_current_head() == migrations.HEAD


def test_migrations_can_be_applied_undone_and_applied_again(empty: Engine) -> None:
    migrations.upgrade(empty)
    first = schema(empty)
    assert len(first) > len(metadata.tables)

    downgrade(empty)
    assert set(schema(empty)) == {"alembic_version"}

    migrations.upgrade(empty)
    assert schema(empty) == first


def test_upgrading_twice_changes_nothing(empty: Engine) -> None:
    migrations.upgrade(empty)
    first = schema(empty)

    migrations.upgrade(empty)

    assert schema(empty) == first


def test_a_process_is_ready_only_at_the_newest_revision(empty: Engine) -> None:
    sessions = create_session_factory(empty)
    assert migrations.readiness_checks(sessions) == {"database": True, "migrations": False}

    migrations.upgrade(empty)

    assert migrations.readiness_checks(sessions) == {
        "database": True,
        "migrations": True,
        "session_settings": True,
        "writes": True,
    }


def test_every_partitioned_table_has_a_default_partition(empty: Engine) -> None:
    migrations.upgrade(empty)
    with empty.connect() as connection:
        partitioned = connection.scalars(
            text("SELECT relname FROM pg_class WHERE relkind = 'p' ORDER BY 1")
        ).all()
        with_default = connection.scalars(
            text(
                "SELECT relname FROM pg_partitioned_table JOIN pg_class ON pg_class.oid = partrelid"
                " WHERE partdefid <> 0 ORDER BY 1"
            )
        ).all()

    assert partitioned == sorted(each.table for each in PARTITIONED_TABLES)
    assert with_default == partitioned


def test_migrations_form_one_line_and_are_named_by_date() -> None:
    scripts = ScriptDirectory.from_config(migrations.alembic_config())
    names = sorted(path.name for path in VERSIONS.glob("*.py"))

    assert len(scripts.get_heads()) == 1
    assert len(list(scripts.walk_revisions())) == len(names)
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}_[a-z0-9_]+\.py", name) for name in names)


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("*.py")), ids=lambda path: path.stem)
def test_every_migration_has_a_lock_timeout(path: Path) -> None:
    source = path.read_text()

    assert source.count("SET LOCAL lock_timeout = '5s'") == 2


def test_earlier_merges_are_noted_when_a_database_is_upgraded(empty: Engine) -> None:
    """A merge of 23:30 in UTC belongs to its day in UTC, and only the account that ceased to be."""
    settings = migrations.alembic_config()
    with empty.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0035")
        connection.execute(text("INSERT INTO workspace (id, name) VALUES ('acme', 'Acme')"))
        for kind, account_id in (("merge", "old"), ("rename", "first")):
            connection.execute(
                text(
                    "INSERT INTO id_change (workspace_id, id, kind, account_id, target_id,"
                    " requested_by, requested_at, ready_at) VALUES ('acme', :kind, :kind, :id,"
                    " 'new', 'k', '2026-01-31T23:30:00Z', '2026-01-31T23:30:00Z')"
                ),
                {"kind": kind, "id": account_id},
            )
        command.upgrade(settings, "head")
        noted = connection.execute(
            text("SELECT account_id, CAST(merged_on AS text), is_source FROM account_before_merge")
        ).all()

    assert [tuple(row) for row in noted] == [("old", "2026-01-31", True)]
