"""Alert rules, where they stand with accounts, and what they opened."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def key(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable)


def at(name: str, *, nullable: bool = True) -> sa.Column[object]:
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
    op.execute(sa.schema.CreateSequence(sa.Sequence("alert_evaluation")))
    op.create_table(
        "alert_rule",
        key("workspace_id"),
        key("key"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        at("created_at", nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        of_workspace("alert_rule"),
        sa.PrimaryKeyConstraint("workspace_id", "key", "version", name=op.f("alert_rule_pkey")),
    )
    op.create_index(
        "alert_rule_active_key",
        "alert_rule",
        ["workspace_id", "key"],
        unique=True,
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "alert_state",
        key("workspace_id"),
        key("account_id"),
        key("rule_key"),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        key("phase"),
        at("since"),
        sa.Column("episode", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "openings",
            postgresql.ARRAY(sa.DateTime(timezone=True)),
            server_default="{}",
            nullable=False,
        ),
        at("resolved_at"),
        sa.Column("armed", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("shift", sa.Float(), server_default="0", nullable=False),
        sa.Column("yardstick", sa.Text(), nullable=True),
        at("check_at"),
        at("snoozed_until"),
        of_workspace("alert_state"),
        sa.PrimaryKeyConstraint(
            "workspace_id", "account_id", "rule_key", name=op.f("alert_state_pkey")
        ),
    )
    op.create_index(
        op.f("alert_state_check_at_idx"),
        "alert_state",
        ["check_at"],
        postgresql_where=sa.text("check_at IS NOT NULL"),
    )
    _create_alert()


def _create_alert() -> None:
    op.create_table(
        "alert",
        key("workspace_id"),
        key("id"),
        key("account_id"),
        key("rule_key"),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("rule_name", sa.Text(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        key("severity"),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        at("opened_at", nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        key("direction"),
        *(
            sa.Column(name, postgresql.JSONB(none_as_null=True), nullable=True)
            for name in ("previous", "current", "threshold", "last")
        ),
        sa.Column(
            "drivers",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
        ),
        sa.Column("scorecard_version", sa.Integer(), nullable=True),
        sa.Column("model_version", sa.Text(), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        at("acknowledged_at"),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        at("resolved_at"),
        sa.Column("resolution", sa.Text(), nullable=True),
        key("feedback", nullable=True),
        sa.Column("feedback_note", sa.Text(), nullable=True),
        at("feedback_at"),
        sa.Column("told", sa.Text(collation="C"), server_default="nothing", nullable=False),
        sa.Column("owed_on", sa.Date(), nullable=True),
        of_workspace("alert"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("alert_pkey")),
    )
    op.create_index(
        "alert_open_key",
        "alert",
        ["workspace_id", "account_id", "rule_key"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(
        op.f("alert_workspace_id_opened_at_idx"), "alert", ["workspace_id", "opened_at"]
    )
    op.create_index(
        op.f("alert_workspace_id_owed_on_idx"),
        "alert",
        ["workspace_id", "owed_on"],
        postgresql_where=sa.text("owed_on IS NOT NULL"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("alert")
    op.drop_table("alert_state")
    op.drop_table("alert_rule")
    op.execute(sa.schema.DropSequence(sa.Sequence("alert_evaluation")))
