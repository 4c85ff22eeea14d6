from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.core.errors import NotFoundError
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import NO_KEY_UPDATE, fetch_page, filter_if_given, get_row
from app.webhooks import statements
from app.webhooks.endpoint_state import EndpointState
from app.webhooks.tables import Attempt, Delivery, Message, WebhookEndpoint


def next_sequence_numbers(
    session: Session, workspace_id: str, accounts: Sequence[str]
) -> Sequence[int]:
    """Number messages about these accounts, one for each place; rising for each account."""
    if not accounts:
        return []
    counts = [{"account_id": name, "messages": many} for name, many in Counter(accounts).items()]
    values = {"workspace_id": workspace_id, "counts": orjson.dumps(counts).decode()}
    last = {row.account_id: row.last for row in session.execute(statements.NEXT_SEQUENCES, values)}
    left = Counter(accounts)
    numbers = []
    for account_id in accounts:
        left[account_id] -= 1
        numbers.append(last[account_id] - left[account_id])
    return numbers


def load_accounts(
    session: Session, workspace_id: str, ids: Collection[str]
) -> Mapping[str, Mapping[str, Any]]:
    """Describe accounts as filters see them, by id."""
    values = {"workspace_id": workspace_id, "ids": sorted(ids)}
    rows = session.execute(statements.ACCOUNTS, values).mappings()
    return {row["account_id"]: dict(row) for row in rows}


def load_current_ids(session: Session, workspace_id: str, ids: Collection[str]) -> dict[str, str]:
    """Map old ids of accounts to those of today."""
    values = {"workspace_id": workspace_id, "ids": sorted(ids)}
    return {
        row.account_id: row.target_id for row in session.execute(statements.CURRENT_IDS, values)
    }


def lock_enabled_endpoints(
    session: Session, workspace_id: str, endpoint_id: str | None = None
) -> Sequence[WebhookEndpoint]:
    """Return the endpoints that get messages; while we write to them nobody can delete them."""
    found = select(WebhookEndpoint).where(
        WebhookEndpoint.workspace_id == workspace_id,
        WebhookEndpoint.state != EndpointState.DISABLED,
    )
    if endpoint_id is not None:
        found = found.where(WebhookEndpoint.id == endpoint_id)
    return session.scalars(
        found.order_by(WebhookEndpoint.id).with_for_update(read=True, key_share=True)
    ).all()


def upsert_deliveries(
    session: Session,
    workspace_id: str,
    rows: Sequence[Mapping[str, str]],
    *,
    again: Collection[str] = (),
    now: datetime,
) -> int:
    """Have messages delivered. Returns how many that is; ``again``: see the statement."""
    if not rows:
        return 0
    values = {
        "workspace_id": workspace_id,
        "rows": orjson.dumps(rows).decode(),
        "again": list(again),
        "now": now,
    }
    return len(session.execute(statements.ADD_DELIVERIES, values).all())


def fail_pending_deliveries(
    session: Session, workspace_id: str, endpoint_id: str, *, now: datetime
) -> None:
    """Let what waits for an endpoint have failed."""
    values = {"workspace_id": workspace_id, "endpoint_id": endpoint_id, "now": now}
    session.execute(statements.GIVE_UP, values)


def get_endpoint(
    session: Session, workspace_id: str, endpoint_id: str, *, lock: bool = False
) -> WebhookEndpoint:
    key = (workspace_id, endpoint_id)
    return get_row(session, WebhookEndpoint, key, lock=NO_KEY_UPDATE if lock else False)


def count_endpoints(session: Session, workspace_id: str) -> int:
    of_workspace = WebhookEndpoint.workspace_id == workspace_id
    return session.scalar(select(func.count()).where(of_workspace)) or 0


def list_endpoints(session: Session, workspace_id: str, paging: Paging) -> RowPage[WebhookEndpoint]:
    """In the order of their ids, which is that of their making."""
    rows = select(WebhookEndpoint).where(WebhookEndpoint.workspace_id == workspace_id)
    return fetch_page(session, rows, WebhookEndpoint.id, paging=paging)


def delete_endpoint(session: Session, workspace_id: str, endpoint_id: str) -> None:
    session.execute(
        delete(WebhookEndpoint).where(
            WebhookEndpoint.workspace_id == workspace_id, WebhookEndpoint.id == endpoint_id
        )
    )


def get_message(session: Session, workspace_id: str, message_id: str) -> Message:
    return get_row(session, Message, (workspace_id, message_id))


def list_messages(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    type: str | None,  # noqa: A002 - what it is called everywhere
    account_id: str | None,
) -> RowPage[Message]:
    """Newest first."""
    rows = select(Message).where(Message.workspace_id == workspace_id)
    rows = filter_if_given(rows, type=type, account_id=account_id)
    return fetch_page(session, rows, Message.id, paging=paging, newest=True)


def list_messages_between(
    session: Session, workspace_id: str, *, after: str, before: str, limit: int
) -> Sequence[Message]:
    """In order; both ends are ids, and left out."""
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
    """Newest message first."""
    rows = select(Delivery).where(
        Delivery.workspace_id == workspace_id, Delivery.endpoint_id == endpoint_id
    )
    rows = filter_if_given(rows, state=state)
    return fetch_page(session, rows, Delivery.message_id, paging=paging, newest=True)


def list_attempts(
    session: Session, workspace_id: str, endpoint_id: str, message_id: str, paging: Paging
) -> RowPage[Attempt]:
    """Newest first."""
    rows = select(Attempt).where(
        Attempt.workspace_id == workspace_id,
        Attempt.endpoint_id == endpoint_id,
        Attempt.message_id == message_id,
    )
    return fetch_page(session, rows, Attempt.id, paging=paging, newest=True)
