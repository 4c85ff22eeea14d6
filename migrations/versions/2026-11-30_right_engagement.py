"""Reach and completed onboarding steps know their user, so that excluded users can be left out."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

REACH_KEY = ("workspace_id", "account_id", "day", "known_on", "end_customer_id")
STEP_KEY = ("workspace_id", "account_id", "step_key", "known_on")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("daily_reach", _user_id())
    op.add_column(
        "daily_reach",
        sa.Column("is_anonymous", sa.Boolean(), server_default="false", nullable=False),
    )
    _replace_key("daily_reach", *REACH_KEY, "user_id", "is_anonymous")
    op.add_column("onboarding_completion", _user_id())
    _replace_key("onboarding_completion", *STEP_KEY, "user_id")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _keep_one_row("daily_reach", REACH_KEY, first_by="user_id, is_anonymous")
    _replace_key("daily_reach", *REACH_KEY)
    op.drop_column("daily_reach", "is_anonymous")
    op.drop_column("daily_reach", "user_id")
    _keep_one_row("onboarding_completion", STEP_KEY, first_by="done_at, user_id")
    _replace_key("onboarding_completion", *STEP_KEY)
    op.drop_column("onboarding_completion", "user_id")


def _user_id() -> "sa.Column[str]":
    return sa.Column("user_id", sa.Text(collation="C"), server_default="", nullable=False)


def _replace_key(table: str, *columns: str) -> None:
    """Replace the primary key. Its index is built anew while the table is locked."""
    op.drop_constraint(f"{table}_pkey", table, type_="primary")
    op.create_primary_key(f"{table}_pkey", table, columns)


def _keep_one_row(table: str, key: tuple[str, ...], *, first_by: str) -> None:
    """Delete rows that have the same shorter key, except the first one."""
    columns = ", ".join(key)
    op.execute(
        f"DELETE FROM {table} t USING (SELECT tableoid, ctid, row_number() OVER ("  # noqa: S608
        f"PARTITION BY {columns} ORDER BY {first_by}) AS n FROM {table}) AS x"
        " WHERE t.tableoid = x.tableoid AND t.ctid = x.ctid AND x.n > 1"
    )
