"""Survey responses, feedback, goals and incidents have versions, computed from facts.

Stored rows become the present version, known from their ``known_on`` on. Their facts are written
when the next event or API call about them arrives, so the migration copies no rows. The primary
keys of five small tables are built anew while the tables are locked. Tickets know when their
account and author were named, so that the earliest event counts.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

VERSION_KEYS = {
    "survey_response": ("workspace_id", "response_id"),
    "feedback_item": ("workspace_id", "feedback_id"),
    "goal": ("workspace_id", "goal_id"),
    "incident": ("workspace_id", "incident_id"),
    "incident_account": ("workspace_id", "incident_id", "account_id"),
}
OBJECT_KEY = ("workspace_id", "object_kind", "object_id")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "engagement_object",
        *(_key(name) for name in OBJECT_KEY),
        _key("account_id", nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("engagement_object_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(*OBJECT_KEY, name=op.f("engagement_object_pkey")),
    )
    _index_accounts("engagement_object")
    op.create_table(
        "engagement_fact",
        *(_key(name) for name in OBJECT_KEY),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(_key(name) for name in ("message_id", "kind", "account_id")),
        sa.Column("known_on", sa.Date(), nullable=False),
        _key("user_id", nullable=True),
        sa.Column(
            "fields",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            OBJECT_KEY,
            [f"engagement_object.{name}" for name in OBJECT_KEY],
            name=op.f("engagement_fact_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            *(*OBJECT_KEY, "at", "message_id", "kind", "account_id"),
            name=op.f("engagement_fact_pkey"),
        ),
    )
    _index_accounts("engagement_fact")
    for table, key in VERSION_KEYS.items():
        op.add_column(
            table,
            sa.Column("known_until", sa.Date(), server_default="9999-12-31", nullable=False),
        )
        _replace_key(table, *key, "known_until")
    for column in ("account_at", "user_at"):
        op.add_column("ticket", sa.Column(column, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in ("user_at", "account_at"):
        op.drop_column("ticket", column)
    for table, key in VERSION_KEYS.items():
        op.execute(f"DELETE FROM {table} WHERE known_until < '9999-12-31'")  # noqa: S608
        _replace_key(table, *key)
        op.drop_column(table, "known_until")
    for table in ("engagement_fact", "engagement_object"):
        op.drop_index(op.f(f"{table}_account_id_workspace_id_idx"), table_name=table)
        op.drop_table(table)


def _key(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable)


def _index_accounts(table: str) -> None:
    op.create_index(
        op.f(f"{table}_account_id_workspace_id_idx"), table, ["account_id", "workspace_id"]
    )


def _replace_key(table: str, *columns: str) -> None:
    op.drop_constraint(f"{table}_pkey", table, type_="primary")
    op.create_primary_key(f"{table}_pkey", table, columns)
