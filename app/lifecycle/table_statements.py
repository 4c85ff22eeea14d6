"""SQL generated from the columns of a table, so that a new column is never forgotten."""

from functools import cache

from sqlalchemy import TextClause, inspect, text

from app.accounts.tables import Account, Subscription
from app.core.db import Table

MERGE_EXPRESSIONS = {
    "traits": "s.traits || t.traits",
    "feature_exceptions": "s.feature_exceptions || t.feature_exceptions",
    "started_on": "least(t.started_on, s.started_on)",
    "traits_at": "greatest(t.traits_at, s.traits_at)",
    "created_at": "least(t.created_at, s.created_at)",
    "parent_id": "t.parent_id",
}
"""How a merge combines columns; for all others it is ``coalesce(target, source)``."""


def _columns(table: type[Table]) -> list[str]:
    return [column.name for column in table.__table__.columns]


def _key(table: type[Table]) -> list[str]:
    return [column.name for column in inspect(table).primary_key]


@cache
def copy_account() -> TextClause:
    """Copy the account's row to another id; return no row if that account exists."""
    rest = ", ".join(name for name in _columns(Account) if name != "account_id")
    return text(
        f"INSERT INTO account (account_id, {rest}) SELECT :target_id, {rest} FROM account"  # noqa: S608 - our own names
        " WHERE workspace_id = :workspace_id AND account_id = :account_id"
        " ON CONFLICT DO NOTHING RETURNING account_id"
    )


@cache
def merge_account() -> TextClause:
    """Merge the columns of the account into the target (``MERGE_EXPRESSIONS``)."""
    merged = ", ".join(
        f"{name} = {MERGE_EXPRESSIONS.get(name, f'coalesce(t.{name}, s.{name})')}"
        for name in _columns(Account)
        if name not in _key(Account)
    )
    return text(
        f"UPDATE account t SET {merged} FROM account s"  # noqa: S608 - our own names
        " WHERE t.workspace_id = :workspace_id AND t.account_id = :target_id"
        " AND s.workspace_id = :workspace_id AND s.account_id = :account_id"
    )


DELETE_ACCOUNT = text(
    "DELETE FROM account WHERE workspace_id = :workspace_id AND account_id = :account_id"
)


@cache
def move_subscriptions() -> TextClause:
    """Move subscription periods; an id that the target has too gets the old account id as prefix.

    ``first`` is false when the worker repeats the move: a period that was written under the old id
    in the last moment then joins its subscription, which may have the prefix.
    """
    rest = ", ".join(
        name for name in _columns(Subscription) if name not in {"account_id", "subscription_id"}
    )
    return text(f"""
        WITH theirs AS (
            SELECT DISTINCT subscription_id FROM subscription
            WHERE workspace_id = :workspace_id AND account_id = :target_id
        ),
        gone AS (
            DELETE FROM subscription
            WHERE workspace_id = :workspace_id AND account_id = :account_id
            RETURNING *, CASE
                WHEN length(:account_id || subscription_id) < 250
                THEN :account_id || ':' || subscription_id
                ELSE left(:account_id || ':' || subscription_id, 200) || ':'
                     || md5(:account_id || ':' || subscription_id) END AS prefixed
        ),
        moved AS (
            INSERT INTO subscription (account_id, subscription_id, {rest})
            SELECT :target_id, CASE
                WHEN prefixed IN (SELECT subscription_id FROM theirs) THEN prefixed
                WHEN :first AND subscription_id IN (SELECT subscription_id FROM theirs)
                THEN prefixed ELSE subscription_id END, {rest}
            FROM gone
            ON CONFLICT DO NOTHING
        )
        SELECT count(*) FROM gone
    """)  # noqa: S608 - our own names


@cache
def move_rows(table: type[Table]) -> TextClause:
    """Update the account id of rows; skip rows whose key the target has already."""
    name = table.__tablename__
    other_keys = [key for key in _key(table) if key != "account_id"]
    same = " AND ".join(f"x.{key} = {name}.{key}" for key in other_keys)
    taken = f" AND NOT EXISTS (SELECT FROM {name} x WHERE x.account_id = :target_id AND {same})"
    return text(
        f"UPDATE {name} SET account_id = :target_id WHERE workspace_id = :workspace_id"  # noqa: S608
        f" AND account_id = :account_id{taken if 'account_id' in _key(table) else ''}"
    )


@cache
def delete_page(table: type[Table]) -> TextClause:
    """Delete up to ``:limit`` rows of the accounts ``:ids``."""
    name, key = table.__tablename__, ", ".join(_key(table))
    return text(
        f'DELETE FROM "{name}" WHERE workspace_id = :workspace_id'  # noqa: S608 - our own names
        f' AND ({key}) IN (SELECT {key} FROM "{name}"'
        " WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:ids AS text[]))"
        f" ORDER BY {key} LIMIT :limit)"
    )
