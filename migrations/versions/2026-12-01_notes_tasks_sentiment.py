"""Notes with their earlier versions, tasks, and the sentiment of owners."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def _key(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _participants() -> sa.Column[object]:
    return sa.Column("participants", sa.ARRAY(sa.Text()), nullable=False)


def _workspace(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id"],
        ["workspace.id"],
        name=op.f(f"{table}_workspace_id_fkey"),
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "note",
        _key("workspace_id"),
        _key("id"),
        _key("account_id"),
        _key("kind"),
        _text("text"),
        _time("at"),
        _participants(),
        _text("author"),
        sa.Column("version", sa.Integer(), nullable=False),
        _time("created_at"),
        _time("edited_at", nullable=True),
        _workspace("note"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("note_pkey")),
    )
    op.create_index(
        op.f("note_account_id_workspace_id_at_idx"), "note", ["account_id", "workspace_id", "at"]
    )
    op.create_index(op.f("note_workspace_id_at_idx"), "note", ["workspace_id", "at"])
    op.create_table(
        "note_version",
        _key("workspace_id"),
        _key("note_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        _key("kind"),
        _text("text"),
        _time("at"),
        _participants(),
        _time("replaced_at"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "note_id"],
            ["note.workspace_id", "note.id"],
            name=op.f("note_version_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "note_id", "version", name=op.f("note_version_pkey")
        ),
    )
    op.create_table(
        "task",
        _key("workspace_id"),
        _key("id"),
        _key("account_id"),
        _text("title"),
        _text("owner", nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        _text("author"),
        _time("created_at"),
        _time("done_at", nullable=True),
        _text("done_by", nullable=True),
        _workspace("task"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("task_pkey")),
    )
    op.create_index(
        op.f("task_account_id_workspace_id_idx"), "task", ["account_id", "workspace_id"]
    )
    op.create_index(
        "task_open_idx",
        "task",
        ["workspace_id", "owner", "due_on"],
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "sentiment",
        _key("workspace_id"),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _key("account_id"),
        sa.Column("value", sa.Integer(), nullable=False),
        _text("reason"),
        _text("author"),
        _time("at"),
        _workspace("sentiment"),
        sa.CheckConstraint("value >= 1 AND value <= 5", name=op.f("sentiment_value_check")),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("sentiment_pkey")),
    )
    op.create_index(
        op.f("sentiment_account_id_workspace_id_id_idx"),
        "sentiment",
        ["account_id", "workspace_id", "id"],
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in ("sentiment", "task", "note_version", "note"):
        op.drop_table(table)
