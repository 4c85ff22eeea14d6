"""Scorecard versions, benchmarks that are kept, overrides, restated history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False)


def instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def of_workspace(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id"],
        ["workspace.id"],
        name=op.f(f"{table}_workspace_id_fkey"),
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("scorecard")
    op.create_table(
        "scorecard",
        key("workspace_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("config", postgresql.JSONB(), nullable=False),
        instant("created_at"),
        sa.Column("created_by", sa.Text(), nullable=False),
        instant("activated_at", nullable=True),
        sa.Column("activated_by", sa.Text(), nullable=True),
        instant("retired_at", nullable=True),
        of_workspace("scorecard"),
        sa.PrimaryKeyConstraint("workspace_id", "version", name=op.f("scorecard_pkey")),
    )
    op.create_index(
        "scorecard_active_key",
        "scorecard",
        ["workspace_id"],
        unique=True,
        postgresql_where="state = 'active'",
    )
    op.create_table(
        "score_definition",
        key("workspace_id"),
        key("digest"),
        sa.Column("config", postgresql.JSONB(), nullable=False),
        instant("created_at"),
        of_workspace("score_definition"),
        sa.PrimaryKeyConstraint("workspace_id", "digest", name=op.f("score_definition_pkey")),
    )
    op.drop_table("benchmark")  # what it held is fitted again
    op.create_table(
        "benchmark",
        key("workspace_id"),
        key("id"),
        sa.Column("month", sa.Date(), nullable=False),
        key("meaning"),
        sa.Column("config", postgresql.JSONB(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        instant("computed_at"),
        of_workspace("benchmark"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("benchmark_pkey")),
    )
    op.create_index(
        op.f("benchmark_workspace_id_month_meaning_idx"),
        "benchmark",
        ["workspace_id", "month", "meaning"],
    )
    op.create_table(
        "score_override",
        key("workspace_id"),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        key("account_id"),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        instant("created_at"),
        instant("expires_at"),
        instant("ended_at", nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("value >= 0 AND value <= 100", name=op.f("score_override_value_check")),
        of_workspace("score_override"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("score_override_pkey")),
    )
    op.create_index(
        "score_override_running_key",
        "score_override",
        ["workspace_id", "account_id"],
        unique=True,
        postgresql_where="ended_at IS NULL",
    )
    op.create_table(
        "restatement",
        key("workspace_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("scorecard_version", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        key("job_id"),
        instant("created_at"),
        sa.Column("created_by", sa.Text(), nullable=False),
        of_workspace("restatement"),
        sa.PrimaryKeyConstraint("workspace_id", "number", name=op.f("restatement_pkey")),
    )
    op.add_column(
        "health_history",
        sa.Column("restatement", sa.Integer(), nullable=False, server_default="0"),
    )
    _lead_history_by("workspace_id", "account_id", "as_of", "restatement", "change")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DELETE FROM health_history WHERE restatement > 0")
    _lead_history_by("workspace_id", "account_id", "as_of", "change")
    op.drop_column("health_history", "restatement")
    for table in ("restatement", "score_override", "benchmark", "score_definition", "scorecard"):
        op.drop_table(table)
    op.create_table(
        "benchmark",
        key("workspace_id"),
        key("segment"),
        sa.Column("month", sa.Date(), nullable=False),
        key("definition"),
        sa.Column("config", postgresql.JSONB(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        instant("computed_at"),
        of_workspace("benchmark"),
        sa.PrimaryKeyConstraint(
            "workspace_id", "segment", "month", "definition", name=op.f("benchmark_pkey")
        ),
    )
    op.create_table(
        "scorecard",
        key("workspace_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("config", postgresql.JSONB(), nullable=False),
        instant("activated_at"),
        of_workspace("scorecard"),
        sa.PrimaryKeyConstraint("workspace_id", "version", name=op.f("scorecard_pkey")),
    )


def _lead_history_by(*columns: str) -> None:
    op.drop_constraint("health_history_pkey", "health_history", type_="primary")
    op.create_primary_key("health_history_pkey", "health_history", list(columns))
