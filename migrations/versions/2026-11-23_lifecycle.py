"""Renamed, merged and erased accounts and people."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("workspace", sa.Column("erasure_key", sa.LargeBinary(), nullable=True))
    op.add_column(
        "workspace",
        sa.Column("has_aliases", sa.Boolean(), server_default="false", nullable=False),
    )
    op.create_table(
        "account_alias",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("target_id", sa.Text(collation="C"), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("account_alias_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", name=op.f("account_alias_pkey")),
    )
    op.create_index(
        op.f("account_alias_workspace_id_target_id_idx"),
        "account_alias",
        ["workspace_id", "target_id"],
        unique=False,
    )
    op.create_table(
        "tombstone",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("erasure_id", sa.Text(collation="C"), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("tombstone_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "hash", "kind", name=op.f("tombstone_pkey")),
    )
    op.create_index(
        op.f("tombstone_workspace_id_erasure_id_idx"),
        "tombstone",
        ["workspace_id", "erasure_id"],
        unique=False,
    )
    op.create_table(
        "id_change",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("target_id", sa.Text(), nullable=True),
        sa.Column("private", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column(
            "rows", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fenced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("id_change_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("id_change_pkey")),
    )
    op.create_index(
        "id_change_open_idx",
        "id_change",
        ["workspace_id", "number"],
        unique=False,
        postgresql_where=sa.text("step IS NOT NULL"),
    )
    op.create_index("id_change_number_key", "id_change", ["workspace_id", "number"], unique=True)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("id_change")
    op.drop_table("tombstone")
    op.drop_table("account_alias")
    op.drop_column("workspace", "has_aliases")
    op.drop_column("workspace", "erasure_key")
