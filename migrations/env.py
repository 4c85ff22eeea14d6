"""How Alembic reaches the database, and what it compares the tables in it with."""

import re
from contextlib import ExitStack

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.schema import SchemaItem

from app.core.postgres.embedded_postgres import EmbeddedPostgres
from app.core.postgres.engines import open_engine
from app.core.settings import Settings
from app.tables import metadata

PARTITION = re.compile(r".+_(p\d{6}|default)")


def include_object(
    _item: SchemaItem,
    name: str | None,
    kind: str,
    reflected: bool,  # noqa: FBT001 - Alembic calls it so
    declared: SchemaItem | None,
) -> bool:
    """Leave out the partitions that the running service makes and drops itself."""
    undeclared_table = kind == "table" and reflected and declared is None
    return not (undeclared_table and PARTITION.fullmatch(name or ""))


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        include_object=include_object,
    )
    with context.begin_transaction():
        context.execute("SET lock_timeout = '5s'")
        context.run_migrations()
        context.execute("RESET lock_timeout")  # the connection may go back to a pool


def connect_and_migrate() -> None:
    settings = Settings()
    with ExitStack() as stack:
        if settings.database_url is None:
            url = stack.enter_context(EmbeddedPostgres(settings.data_dir)).url
        else:
            url = settings.database_url.get_secret_value()
        engine = open_engine(url, pool_size=1)
        stack.callback(engine.dispose)
        migrate(stack.enter_context(engine.connect()))


if (connection := context.config.attributes.get("connection")) is not None:
    migrate(connection)
else:
    connect_and_migrate()
