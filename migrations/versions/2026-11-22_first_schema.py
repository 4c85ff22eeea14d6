"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PARTITIONED = ("event", "daily_usage", "daily_reach")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "daily_reach",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("end_customer_id", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id",
            "account_id",
            "day",
            "known_on",
            "end_customer_id",
            name=op.f("daily_reach_pkey"),
        ),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "daily_usage",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("event_name", sa.Text(collation="C"), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id",
            "account_id",
            "day",
            "known_on",
            "user_id",
            "is_anonymous",
            "event_name",
            name=op.f("daily_usage_pkey"),
        ),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "due",
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("notify", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("priority", "id", name=op.f("due_pkey")),
    )
    op.create_table(
        "event",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("client_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.Text(collation="C"), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=True),
        sa.Column("user_id", sa.Text(collation="C"), nullable=True),
        sa.Column("anonymous_id", sa.Text(collation="C"), nullable=True),
        sa.Column("key_id", sa.Text(collation="C"), nullable=False),
        sa.Column("sdk", sa.Text(), nullable=True),
        sa.Column("skew_seconds", sa.Integer(), nullable=True),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "client_at", "message_id", name=op.f("event_pkey")),
        postgresql_partition_by="RANGE (client_at)",
    )
    op.create_table(
        "event_name",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("is_view", sa.Boolean(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "name", name=op.f("event_name_pkey")),
    )
    op.create_table(
        "first_use",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "account_id", "known_on", name=op.f("first_use_pkey")
        ),
    )
    op.create_table(
        "health_history",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("band", sa.Text(collation="C"), nullable=False),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("coverage", sa.Double(), nullable=False),
        sa.Column("mrr_cents", sa.BigInteger(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "account_id", "as_of", "change", name=op.f("health_history_pkey")
        ),
    )
    op.create_table(
        "health_score",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("band", sa.Text(collation="C"), server_default="unknown", nullable=False),
        sa.Column(
            "status", sa.Text(collation="C"), server_default="insufficient_data", nullable=False
        ),
        sa.Column("coverage", sa.Double(), server_default="0", nullable=False),
        sa.Column("mrr_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("data_through", sa.DateTime(timezone=True), nullable=True),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", name=op.f("health_score_pkey")),
    )
    op.create_index(
        op.f("health_score_workspace_id_score_account_id_idx"),
        "health_score",
        ["workspace_id", "score", "account_id"],
        unique=False,
    )
    op.create_table(
        "quarantined_event",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("pointer", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("sdk", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Text(collation="C"), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "fingerprint", name=op.f("quarantined_event_pkey")),
    )
    op.create_index(
        "quarantined_event_id_key", "quarantined_event", ["workspace_id", "number"], unique=True
    )
    op.create_index(
        op.f("quarantined_event_last_received_at_idx"),
        "quarantined_event",
        ["last_received_at"],
        unique=False,
    )
    op.create_table(
        "unattributed_event",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("client_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.Text(collation="C"), nullable=False),
        sa.Column("user_id", sa.Text(collation="C"), nullable=True),
        sa.Column("anonymous_id", sa.Text(collation="C"), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.Text(collation="C"), nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("row", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "client_at", "message_id", name=op.f("unattributed_event_pkey")
        ),
    )
    op.create_index(
        op.f("unattributed_event_anonymous_id_workspace_id_idx"),
        "unattributed_event",
        ["anonymous_id", "workspace_id"],
        unique=False,
    )
    op.create_index(
        op.f("unattributed_event_received_at_idx"),
        "unattributed_event",
        ["received_at"],
        unique=False,
    )
    op.create_index(
        op.f("unattributed_event_user_id_workspace_id_idx"),
        "unattributed_event",
        ["user_id", "workspace_id"],
        unique=False,
    )
    op.create_table(
        "workspace",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("base_currency", sa.Text(), server_default="USD", nullable=False),
        sa.Column(
            "end_customer_keys",
            sa.ARRAY(sa.Text()),
            server_default="{end_customer_id,customer_id,recipient_id,contact_id}",
            nullable=False,
        ),
        sa.Column("reach", sa.Text(), server_default="ids", nullable=False),
        sa.Column("reach_property", sa.Text(), nullable=True),
        sa.Column("reach_events", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("internal_domains", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("simulated", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("swept_on", sa.Date(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("workspace_pkey")),
    )
    op.create_table(
        "account",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("employees", sa.BigInteger(), nullable=True),
        sa.Column("end_customers", sa.BigInteger(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column(
            "traits", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("traits_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "feature_exceptions",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column("excluded", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("account_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", name=op.f("account_pkey")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("api_key_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("api_key_pkey")),
    )
    op.create_index(op.f("api_key_workspace_id_idx"), "api_key", ["workspace_id"], unique=False)
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("audit_entry_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_entry_pkey")),
    )
    op.create_index(
        op.f("audit_entry_workspace_id_id_idx"), "audit_entry", ["workspace_id", "id"], unique=False
    )
    op.create_table(
        "benchmark",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("segment", sa.Text(collation="C"), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("definition", sa.Text(collation="C"), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("benchmark_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "segment", "month", "definition", name=op.f("benchmark_pkey")
        ),
    )
    op.create_table(
        "parked_account",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("parked_account_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "account_id", name=op.f("parked_account_pkey")),
    )
    op.create_table(
        "plan",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("product_features", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("plan_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "key", name=op.f("plan_pkey")),
    )
    op.create_table(
        "product_feature",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("event_names", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("weight", sa.Double(), server_default="1", nullable=False),
        sa.Column("differentiating", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("product_feature_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "key", name=op.f("product_feature_pkey")),
    )
    op.create_table(
        "scorecard",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("scorecard_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "version", name=op.f("scorecard_pkey")),
    )
    op.create_table(
        "subscription",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("subscription_id", sa.Text(collation="C"), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("mrr_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("seats", sa.BigInteger(), nullable=True),
        sa.Column("renewal_on", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("subscription_period_check")),
        sa.CheckConstraint("mrr_cents >= 0", name=op.f("subscription_mrr_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("subscription_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id",
            "account_id",
            "subscription_id",
            "starts_on",
            "known_on",
            name=op.f("subscription_pkey"),
        ),
    )
    op.create_table(
        "user",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=True),
        sa.Column("account_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column(
            "traits", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("traits_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("excluded", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("user_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", name=op.f("user_pkey")),
    )
    op.create_index(
        op.f("user_account_id_workspace_id_user_id_idx"),
        "user",
        ["account_id", "workspace_id", "user_id"],
        unique=False,
    )
    op.create_index(
        "user_excluded_idx",
        "user",
        ["workspace_id", "user_id"],
        unique=False,
        postgresql_where="excluded",
    )
    op.create_table(
        "user_alias",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("anonymous_id", sa.Text(collation="C"), nullable=False),
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("user_alias_workspace_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "anonymous_id", name=op.f("user_alias_pkey")),
    )
    for table in PARTITIONED:
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    # The queue is written and emptied all day long: clean up by rows, not by share.
    op.execute(
        "ALTER TABLE due SET (autovacuum_vacuum_scale_factor = 0,"
        " autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("user_alias")
    op.drop_index("user_excluded_idx", table_name="user", postgresql_where="excluded")
    op.drop_index(op.f("user_account_id_workspace_id_user_id_idx"), table_name="user")
    op.drop_table("user")
    op.drop_table("subscription")
    op.drop_table("scorecard")
    op.drop_table("product_feature")
    op.drop_table("plan")
    op.drop_table("parked_account")
    op.drop_table("benchmark")
    op.drop_index(op.f("audit_entry_workspace_id_id_idx"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_index(op.f("api_key_workspace_id_idx"), table_name="api_key")
    op.drop_table("api_key")
    op.drop_table("account")
    op.drop_table("workspace")
    op.drop_index(
        op.f("unattributed_event_user_id_workspace_id_idx"), table_name="unattributed_event"
    )
    op.drop_index(op.f("unattributed_event_received_at_idx"), table_name="unattributed_event")
    op.drop_index(
        op.f("unattributed_event_anonymous_id_workspace_id_idx"), table_name="unattributed_event"
    )
    op.drop_table("unattributed_event")
    op.drop_index(op.f("quarantined_event_last_received_at_idx"), table_name="quarantined_event")
    op.drop_index("quarantined_event_id_key", table_name="quarantined_event")
    op.drop_table("quarantined_event")
    op.drop_index(op.f("health_score_workspace_id_score_account_id_idx"), table_name="health_score")
    op.drop_table("health_score")
    op.drop_table("health_history")
    op.drop_table("first_use")
    op.drop_table("event_name")
    op.drop_table("event")
    op.drop_table("due")
    op.drop_table("daily_usage")
    op.drop_table("daily_reach")
