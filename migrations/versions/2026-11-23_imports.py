"""Durable jobs and imports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("import_error", "import_chunk", "import_file", "job")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "job",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        *(
            sa.Column(
                name, postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
            )
            for name in ("position", "progress")
        ),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("job_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("job_pkey")),
    )
    op.create_index(op.f("job_workspace_id_id_idx"), "job", ["workspace_id", "id"], unique=False)
    op.create_index(
        "job_open_idx",
        "job",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "import_file",
        sa.Column("import_id", sa.Text(collation="C"), nullable=False),
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("signature", sa.Text(collation="C"), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        _of_a_job("import_file"),
        sa.PrimaryKeyConstraint("import_id", name=op.f("import_file_pkey")),
    )
    op.create_index(
        op.f("import_file_workspace_id_signature_idx"),
        "import_file",
        ["workspace_id", "signature"],
        unique=False,
    )
    op.create_index(
        "import_file_unsettled_idx",
        "import_file",
        ["import_id"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "import_chunk",
        sa.Column("import_id", sa.Text(collation="C"), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _of_a_job("import_chunk"),
        sa.PrimaryKeyConstraint("import_id", "start", name=op.f("import_chunk_pkey")),
    )
    op.create_table(
        "import_error",
        sa.Column("import_id", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        _of_a_job("import_error"),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("import_error_pkey")),
    )


def _of_a_job(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["import_id"], ["job.id"], name=op.f(f"{table}_import_id_fkey"), ondelete="CASCADE"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        op.drop_table(table)
