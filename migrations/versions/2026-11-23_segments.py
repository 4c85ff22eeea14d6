"""Saved segments; what lists of accounts ask of a score's details, as columns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The details of a score are too large to be read for every account of a list.
TEXTS = ("renewal_on", "last_used_on", "currency")
NUMBERS = {
    "seats": "details -> 'seats'::text",
    "price_cents": "details -> 'price_cents'::text",
    "trend7": "details #> '{trend,d7}'::text[]",
    "trend28": "details #> '{trend,d28}'::text[]",
    "trend90": "details #> '{trend,d90}'::text[]",
    "value_leak_cents": "details #> '{entitlement,value_leak_cents}'::text[]",
}


def text(name: str) -> sa.Column[str]:
    said = sa.Computed(f"details ->> '{name}'::text", persisted=True)
    return sa.Column(name, sa.Text(collation="C"), said)


def number(name: str, path: str) -> sa.Column[float]:
    said = (
        f"CASE WHEN jsonb_typeof({path}) = 'number'::text THEN ({path})::double precision"
        " ELSE NULL::double precision END"
    )
    return sa.Column(name, sa.Double(), sa.Computed(said, persisted=True))


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "saved_segment",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filter", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("saved_segment_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "key", name=op.f("saved_segment_pkey")),
    )
    for name in TEXTS:
        op.add_column("health_score", text(name))
    for name, path in NUMBERS.items():
        op.add_column("health_score", number(name, path))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in (*NUMBERS, *TEXTS):
        op.drop_column("health_score", name)
    op.drop_table("saved_segment")
