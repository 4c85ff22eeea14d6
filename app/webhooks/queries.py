"""Queries for endpoints, messages, deliveries and attempts of one workspace."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import TextClause, delete, func, select
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import (
    NO_KEY_UPDATE,
    fetch_page,
    filter_if_given,
    get_row,
    known_mrr_cents,
)
from app.core.sql import load_sql
from app.webhooks.endpoint_state import EndpointState
from app.webhooks.tables import Attempt, Delivery, Message, WebhookEndpoint

SQL = load_sql(__file__, known_mrr_cents=known_mrr_cents("h"))


def next_sequence_numbers(
    session: Session, workspace_id: str, account_ids: Sequence[str]
) -> Sequence[int]:
    """Return one number for each position of ``account_ids``, rising for each account."""
    if not account_ids:
        return []
    remaining = Counter(account_ids)
    counts = [{"account_id": name, "messages": count} for name, count in remaining.items()]
    values = {"workspace_id": workspace_id, "counts": orjson.dumps(counts).decode()}
    last = {row.account_id: row.last for row in session.execute(SQL.next_sequences, values)}
    numbers = []
    for account_id in account_ids:
        remaining[account_id] -= 1
        numbers.append(last[account_id] - remaining[account_id])
    return numbers


def load_accounts(
    session: Session, workspace_id: str, ids: Collection[str]
) -> Mapping[str, Mapping[str, Any]]:
    """Return the fields of accounts that filters can test, by account id."""
    return _load_by_account(session, SQL.accounts, workspace_id, ids)


def load_account_facts(
    session: Session, workspace_id: str, ids: Collection[str]
) -> Mapping[str, Mapping[str, Any]]:
    """Return name, owner, price and renewal of accounts, as messages contain them."""
    return _load_by_account(session, SQL.account_facts, workspace_id, ids)


def _load_by_account(
    session: Session, statement: TextClause, workspace_id: str, ids: Collection[str]
) -> Mapping[str, Mapping[str, Any]]:
    rows = session.execute(statement, {"workspace_id": workspace_id, "ids": sorted(ids)})
    return {row["account_id"]: dict(row) for row in rows.mappings()}


def load_current_ids(session: Session, workspace_id: str, ids: Collection[str]) -> dict[str, str]:
    """Map former account ids to current ones; ids that were never changed are left out."""
    values = {"workspace_id": workspace_id, "ids": sorted(ids)}
    return {row.account_id: row.target_id for row in session.execute(SQL.current_ids, values)}


def lock_enabled_endpoints(
    session: Session, workspace_id: str, endpoint_id: str | None = None
) -> Sequence[WebhookEndpoint]:
    """Return all endpoints that are not disabled, or the one with ``endpoint_id``.

    Other transactions cannot delete them until this one ends.
    """
    rows = select(WebhookEndpoint).where(WebhookEndpoint.state != EndpointState.DISABLED)
    rows = filter_if_given(rows.filter_by(workspace_id=workspace_id), id=endpoint_id)
    rows = rows.order_by(WebhookEndpoint.id).with_for_update(read=True, key_share=True)
    return session.scalars(rows).all()


def upsert_deliveries(
    session: Session,
    workspace_id: str,
    rows: Sequence[Mapping[str, str]],
    *,
    again: Collection[str] = (),
    now: datetime,
) -> int:
    """Create deliveries, due now, from rows of ``endpoint_id`` and ``message_id``.

    An existing delivery does not change, unless its state is one of ``again``: then it starts over.
    Return how many were created or started over.
    """
    if not rows:
        return 0
    values = {
        "workspace_id": workspace_id,
        "rows": orjson.dumps(rows).decode(),
        "again": list(again),
        "now": now,
    }
    return len(session.execute(SQL.upsert_deliveries, values).all())


def fail_pending_deliveries(
    session: Session, workspace_id: str, endpoint_id: str, *, now: datetime
) -> None:
    values = {"workspace_id": workspace_id, "endpoint_id": endpoint_id, "now": now}
    session.execute(SQL.fail_pending, values)


def get_endpoint(
    session: Session, workspace_id: str, endpoint_id: str, *, lock: bool = False
) -> WebhookEndpoint:
    key = (workspace_id, endpoint_id)
    return get_row(session, WebhookEndpoint, key, lock=NO_KEY_UPDATE if lock else False)


def count_endpoints(session: Session, workspace_id: str) -> int:
    in_workspace = WebhookEndpoint.workspace_id == workspace_id
    return session.scalar(select(func.count()).where(in_workspace)) or 0


def list_endpoints(session: Session, workspace_id: str, paging: Paging) -> RowPage[WebhookEndpoint]:
    """Return a page of endpoints in the order of ids, which is the order of creation."""
    rows = select(WebhookEndpoint).where(WebhookEndpoint.workspace_id == workspace_id)
    return fetch_page(session, rows, WebhookEndpoint.id, paging=paging)


def delete_endpoint(session: Session, workspace_id: str, endpoint_id: str) -> None:
    statement = delete(WebhookEndpoint).filter_by(workspace_id=workspace_id, id=endpoint_id)
    session.execute(statement)


def get_message(session: Session, workspace_id: str, message_id: str) -> Message:
    return get_row(session, Message, (workspace_id, message_id))


def list_messages(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    type: str | None,  # noqa: A002 - the name in the API
    account_id: str | None,
) -> RowPage[Message]:
    """Return a page of messages, newest first."""
    rows = select(Message).where(Message.workspace_id == workspace_id)
    rows = filter_if_given(rows, type=type, account_id=account_id)
    return fetch_page(session, rows, Message.id, paging=paging, descending=True)


def list_messages_between(
    session: Session, workspace_id: str, *, after: str, before: str, limit: int
) -> Sequence[Message]:
    """Return messages in the order of ids, between two ids that are both excluded."""
    return session.scalars(
        select(Message)
        .where(Message.workspace_id == workspace_id, Message.id > after, Message.id < before)
        .order_by(Message.id)
        .limit(limit)
    ).all()


def get_delivery(
    session: Session, workspace_id: str, endpoint_id: str, message_id: str
) -> Delivery:
    row = session.get(Delivery, (workspace_id, endpoint_id, message_id), populate_existing=True)
    if row is None:
        raise NotFoundError("delivery", message_id)
    return row


def list_deliveries(
    session: Session, workspace_id: str, endpoint_id: str, paging: Paging, *, state: str | None
) -> RowPage[Delivery]:
    """Return a page of deliveries, newest message first."""
    rows = select(Delivery).filter_by(workspace_id=workspace_id, endpoint_id=endpoint_id)
    rows = filter_if_given(rows, state=state)
    return fetch_page(session, rows, Delivery.message_id, paging=paging, descending=True)


def list_attempts(
    session: Session, workspace_id: str, endpoint_id: str, message_id: str, paging: Paging
) -> RowPage[Attempt]:
    """Return a page of the attempts of a delivery, newest first."""
    key = {"workspace_id": workspace_id, "endpoint_id": endpoint_id, "message_id": message_id}
    rows = select(Attempt).filter_by(**key)
    return fetch_page(session, rows, Attempt.id, paging=paging, descending=True)
