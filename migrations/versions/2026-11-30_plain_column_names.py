"""Rename columns, tables and indexes to the field's words."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLES = (("churn_yardstick", "churn_scoring_context"), ("due_binding", "due_attribution"))
COLUMNS = (
    ("account_activity", "said", "activity"),
    ("alert", "told", "last_notified"),
    ("alert", "owed_on", "notify_after"),
    ("alert_state", "armed", "may_open"),
    ("alert_state", "shift", "config_offset"),
    ("alert_state", "yardstick", "offset_context"),
    ("benchmark", "meaning", "ranking_digest"),
    ("billing_customer", "unsettled", "needs_reconcile"),
    ("billing_event", "said", "data"),
    ("billing_source", "sealed", "encrypted_secret"),
    ("feedback_item", "told_at", "notified_at"),
    ("health_score", "told_band", "recorded_band"),
    ("health_score", "told_score", "recorded_score"),
    ("health_score", "told_status", "recorded_status"),
    ("import_file", "settled_at", "finished_at"),
    ("intervention", "told_at", "notified_at"),
    ("onboarding_pace", "said", "pace"),
    ("webhook_endpoint", "sealed", "encrypted"),
)
INDEXES = (
    ("alert_workspace_id_owed_on_idx", "alert_workspace_id_notify_after_idx"),
    (
        "benchmark_workspace_id_month_meaning_idx",
        "benchmark_workspace_id_month_ranking_digest_idx",
    ),
    ("billing_customer_unsettled_idx", "billing_customer_reconcile_idx"),
    ("churn_yardstick_pkey", "churn_scoring_context_pkey"),
    ("due_binding_pkey", "due_attribution_pkey"),
    ("import_file_unsettled_idx", "import_file_unfinished_idx"),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for old, new in TABLES:
        op.rename_table(old, new)
    for table, old, new in COLUMNS:
        op.alter_column(table, old, new_column_name=new)
    for old, new in INDEXES:
        op.execute(f"ALTER INDEX {old} RENAME TO {new}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for old, new in INDEXES:
        op.execute(f"ALTER INDEX {new} RENAME TO {old}")
    for table, old, new in COLUMNS:
        op.alter_column(table, new, new_column_name=old)
    for old, new in TABLES:
        op.rename_table(new, old)
