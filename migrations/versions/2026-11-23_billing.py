"""What billing systems tell, and the days of trials and deletion."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DAYS = ("trial_started_on", "trial_ends_on", "deleted_on")
TABLES = (
    *("invoice", "billing_subscription", "billing_customer", "billing_event", "billing_source"),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in DAYS:
        op.add_column("account", sa.Column(name, sa.Date(), nullable=True))
    op.create_table(
        "billing_source",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("system", sa.Text(collation="C"), nullable=False),
        sa.Column("source_id", sa.Text(collation="C"), nullable=False),
        sa.Column("signing_secret", sa.Text(), nullable=False),
        sa.Column("account_key", sa.Text(), nullable=False),
        sa.Column("plans", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seat_prices", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_event_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("billing_source_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "system", name=op.f("billing_source_pkey")),
    )
    op.create_index(
        op.f("billing_source_source_id_idx"), "billing_source", ["source_id"], unique=True
    )
    op.create_table(
        "billing_event",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("system", sa.Text(collation="C"), nullable=False),
        sa.Column("event_id", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("object_id", sa.Text(collation="C"), nullable=False),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=True),
        sa.Column("subscription_id", sa.Text(collation="C"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("said", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("billing_event_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "system", "event_id", name=op.f("billing_event_pkey")
        ),
    )
    op.create_index(
        op.f("billing_event_customer_id_workspace_id_system_idx"),
        "billing_event",
        ["customer_id", "workspace_id", "system"],
        unique=False,
    )
    op.create_index(
        "billing_event_object_idx",
        "billing_event",
        ["object_id", "workspace_id", "system"],
        unique=False,
        postgresql_where=sa.text("customer_id IS NULL"),
    )
    op.create_table(
        "billing_customer",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("system", sa.Text(collation="C"), nullable=False),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("unsettled", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("erased", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("billing_customer_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "system", "customer_id", name=op.f("billing_customer_pkey")
        ),
    )
    op.create_index(
        op.f("billing_customer_account_id_workspace_id_idx"),
        "billing_customer",
        ["account_id", "workspace_id"],
        unique=False,
    )
    op.create_index(
        "billing_customer_unmatched_idx",
        "billing_customer",
        ["workspace_id", "system", "customer_id"],
        unique=False,
        postgresql_where=sa.text("account_id IS NULL"),
    )
    op.create_index(
        "billing_customer_unsettled_idx",
        "billing_customer",
        ["workspace_id", "system", "customer_id"],
        unique=False,
        postgresql_where=sa.text("unsettled"),
    )
    op.create_table(
        "billing_subscription",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("system", sa.Text(collation="C"), nullable=False),
        sa.Column("subscription_id", sa.Text(collation="C"), nullable=False),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("unknown", sa.Text(), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("billing_subscription_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "system", "subscription_id", name=op.f("billing_subscription_pkey")
        ),
    )
    op.create_index(
        op.f("billing_subscription_account_id_workspace_id_idx"),
        "billing_subscription",
        ["account_id", "workspace_id"],
        unique=False,
    )
    op.create_index(
        "billing_subscription_amiss_idx",
        "billing_subscription",
        ["workspace_id", "system", "subscription_id"],
        unique=False,
        postgresql_where=sa.text("account_id IS NULL OR unknown IS NOT NULL"),
    )
    op.create_table(
        "invoice",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("system", sa.Text(collation="C"), nullable=False),
        sa.Column("invoice_id", sa.Text(collation="C"), nullable=False),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False),
        sa.Column("subscription_id", sa.Text(collation="C"), nullable=True),
        sa.Column("account_id", sa.Text(collation="C"), nullable=True),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_due_cents", sa.BigInteger(), nullable=False),
        sa.Column("amount_paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finalized_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("invoice_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "system", "invoice_id", name=op.f("invoice_pkey")),
    )
    op.create_index(
        op.f("invoice_account_id_workspace_id_created_at_invoice_id_idx"),
        "invoice",
        ["account_id", "workspace_id", "created_at", "invoice_id"],
        unique=False,
    )
    op.create_index(
        op.f("invoice_customer_id_workspace_id_system_idx"),
        "invoice",
        ["customer_id", "workspace_id", "system"],
        unique=False,
    )
    op.create_index(
        "invoice_unmatched_idx",
        "invoice",
        ["workspace_id", "system", "invoice_id"],
        unique=False,
        postgresql_where=sa.text("account_id IS NULL"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        op.drop_table(table)
    for name in DAYS:
        op.drop_column("account", name)
