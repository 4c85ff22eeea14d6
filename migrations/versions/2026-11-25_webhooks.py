"""Webhook endpoints, and messages on their way to them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "message_sequence",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("message_sequence_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", name=op.f("message_sequence_pkey")),
    )
    op.create_table(
        "webhook_endpoint",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("header_names", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("types", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "filter", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("personal_data", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("paused", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("state", sa.Text(collation="C"), server_default="active", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resume_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(collation="C"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("webhook_endpoint_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("webhook_endpoint_pkey")),
    )
    op.create_table(
        "delivery",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("endpoint_id", sa.Text(collation="C"), nullable=False),
        sa.Column("message_id", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "endpoint_id"],
            ["webhook_endpoint.workspace_id", "webhook_endpoint.id"],
            name="delivery_endpoint_fkey",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "message_id"],
            ["message.workspace_id", "message.id"],
            name="delivery_message_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "endpoint_id", "message_id", name=op.f("delivery_pkey")
        ),
    )
    op.create_index(
        "delivery_due_idx",
        "delivery",
        ["endpoint_id", "due_at"],
        unique=False,
        postgresql_where="state = 'pending'",
    )
    op.create_index(
        op.f("delivery_workspace_id_message_id_idx"),
        "delivery",
        ["workspace_id", "message_id"],
        unique=False,
    )
    op.create_table(
        "attempt",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("endpoint_id", sa.Text(collation="C"), nullable=False),
        sa.Column("message_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(collation="C"), nullable=True),
        sa.Column("response", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "endpoint_id", "message_id"],
            ["delivery.workspace_id", "delivery.endpoint_id", "delivery.message_id"],
            name="attempt_delivery_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "endpoint_id", "message_id", "id", name=op.f("attempt_pkey")
        ),
    )
    op.add_column("message", sa.Column("personal_body", sa.LargeBinary(), nullable=True))
    op.drop_index(op.f("message_workspace_id_created_at_idx"), table_name="message")
    op.create_index(
        op.f("message_account_id_workspace_id_id_idx"),
        "message",
        ["account_id", "workspace_id", "id"],
        unique=False,
    )
    op.create_index(op.f("message_created_at_idx"), "message", ["created_at"], unique=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index(op.f("message_created_at_idx"), table_name="message")
    op.drop_index(op.f("message_account_id_workspace_id_id_idx"), table_name="message")
    op.create_index(
        op.f("message_workspace_id_created_at_idx"), "message", ["workspace_id", "created_at"]
    )
    op.drop_column("message", "personal_body")
    for table in ("attempt", "delivery", "webhook_endpoint", "message_sequence"):
        op.drop_table(table)
