"""Which event names each source sends since when, and cheaper records of sort values.

Use before a source began is unknown. Names and sources of earlier releases count as known since the
first event of their workspace. Updates of scores, risks and suggestions record old sort values once
for each statement instead of once for each row, and those of unused features too.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

RECORDED = {
    "health_score": ("score", "mrr_cents", "band", "renewal_on", "trend7", "trend28"),
    "churn_risk": ("probability", "level", "risk", "revenue_at_risk_cents"),
    "intervention": ("value_cents",),
}
TRANSACTION = "CAST(CAST(pg_current_xact_id() AS text) AS bigint)"
UPDATES = """
CREATE FUNCTION record_{source}_updates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sort_change (
        workspace_id, account_id, source, transaction_id, created_at, {names})
    SELECT o.workspace_id, o.account_id, '{source}', {transaction}, clock_timestamp(), {values}
    FROM old_rows o JOIN new_rows n
        ON n.workspace_id = o.workspace_id AND n.account_id = o.account_id{same}
    WHERE {is_changed};
    RETURN NULL;
END $$
"""
EXISTENCE = """
CREATE OR REPLACE FUNCTION record_health_score_sort_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO sort_change (
            workspace_id, account_id, source, transaction_id, created_at{unused})
        VALUES (NEW.workspace_id, NEW.account_id, 'health_score', {transaction},
                clock_timestamp(){none});
    ELSE
        INSERT INTO sort_change (
            workspace_id, account_id, source, transaction_id, created_at, {names})
        VALUES (OLD.workspace_id, OLD.account_id, 'health_score', {transaction},
                clock_timestamp(), {values});
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "source_event_name",
        sa.Column("workspace_id", sa.Text(collation="C"), nullable=False),
        sa.Column("key_id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "key_id", "name", name=op.f("source_event_name_pkey")
        ),
    )
    op.execute(
        "INSERT INTO source_event_name (workspace_id, key_id, name, first_day)"
        " SELECT k.workspace_id, k.key_id, k.name, f.day FROM ("
        " SELECT workspace_id, '' AS key_id, name FROM event_name"
        " UNION ALL SELECT workspace_id, key_id, '' FROM source"
        ") AS k JOIN ("
        " SELECT workspace_id, min(day) AS day FROM first_use GROUP BY workspace_id"
        ") AS f ON f.workspace_id = k.workspace_id"
    )
    op.add_column("sort_change", sa.Column("unused", postgresql.JSONB(astext_type=sa.Text())))
    for source, columns in RECORDED.items():
        op.execute(_updates(source, columns))
        op.execute(f"DROP TRIGGER {source}_sort_update ON {source}")
        op.execute(
            f"CREATE TRIGGER {source}_sort_update AFTER UPDATE ON {source}"
            " REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"
            f" FOR EACH STATEMENT EXECUTE FUNCTION record_{source}_updates()"
        )
    op.execute(_existence({"unused": _unused("OLD")}))


def _updates(source: str, columns: tuple[str, ...]) -> str:
    """Return the function that records the old values of the rows that a statement changed."""
    values, same = {name: f"o.{name}" for name in columns}, ""
    is_changed = _is_changed(source, columns, "o", "n")
    if source == "health_score":
        old, new = _unused("o"), _unused("n")
        values["machine_value"] = _machine_value("o")
        values["unused"] = f"CASE WHEN {old} <> {new} THEN {old} END"
        is_changed += f" OR {old} <> {new}"
    if source == "intervention":
        values["intervention_id"], same = "o.id", " AND n.id = o.id"
    return UPDATES.format(
        source=source,
        names=", ".join(values),
        values=", ".join(values.values()),
        same=same,
        is_changed=is_changed,
        transaction=TRANSACTION,
    )


def _existence(more: dict[str, str]) -> str:
    """Return the function that records that a score begins or ceases to exist."""
    values = {name: f"OLD.{name}" for name in RECORDED["health_score"]}
    values |= {"machine_value": _machine_value("OLD")} | more
    return EXISTENCE.format(
        names=", ".join(values),
        values=", ".join(values.values()),
        unused=", unused" if more else "",
        none=", '[]'" if more else "",
        transaction=TRANSACTION,
    )


def _is_changed(source: str, columns: tuple[str, ...], old: str, new: str) -> str:
    before, after = (", ".join(f"{row}.{name}" for name in columns) for row in (old, new))
    is_changed = f"({before}) IS DISTINCT FROM ({after})"
    if source == "health_score":
        is_changed += f" OR {old}.status = 'overridden' OR {new}.status = 'overridden'"
    return is_changed


def _machine_value(row: str) -> str:
    """Return the computed score below an override, which the list of overrides is sorted by."""
    is_object = f"jsonb_typeof({row}.details -> 'machine') = 'object'"
    return (
        f"CASE WHEN {row}.status = 'overridden' AND {is_object}"
        f" THEN CAST({row}.details #>> '{{machine,value}}' AS double precision)"
        f" ELSE {row}.score END"
    )


def _unused(row: str) -> str:
    return f"coalesce({row}.details #> '{{entitlement,unused}}', '[]')"


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for source, columns in RECORDED.items():
        op.execute(f"DROP FUNCTION record_{source}_updates CASCADE")
        op.execute(
            f"CREATE TRIGGER {source}_sort_update AFTER UPDATE ON {source} FOR EACH ROW"
            f" WHEN ({_is_changed(source, columns, 'OLD', 'NEW')})"
            f" EXECUTE FUNCTION record_{source}_sort_change()"
        )
    op.execute(_existence({}))
    op.drop_column("sort_change", "unused")
    op.drop_table("source_event_name")
