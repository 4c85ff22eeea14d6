"""Accounts whose health score equals a trait, so that a test can set it directly."""

from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import pipeline
from app.alerts.rules import BUILT_IN_RULES
from app.alerts.tables import AlertRule
from app.tables import Account, Alert, Message
from tests import factories
from tests.conftest import NOW

MEASURE: dict[str, Any] = {
    "name": "fit",
    "source": {"trait": "fit"},
    "transform": {"kind": "linear_bounded", "at_0": 0, "at_100": 100},
}
CARD: dict[str, Any] = {"default": {"measures": [MEASURE]}}


def create_accounts(session: Session, *account_ids: str, score: float | None = 80) -> None:
    """Create a workspace whose scores equal the trait ``fit``, with old paying accounts."""
    factories.scorecard(session, CARD)
    for account_id in account_ids:
        factories.account(session, account_id, traits={} if score is None else {"fit": score})
        factories.first_use(session, factories.LONG_AGO.date(), account_id=account_id)
        factories.usage(session, NOW.date() - timedelta(days=1), account_id=account_id)
        factories.subscription(session, account_id)


def activate_rule(session: Session, key: str, **config: Any) -> None:  # noqa: ANN401 - fields of a rule
    """Activate one rule and disable the built-in rules."""
    factories.workspace(session)
    defaults = {"name": key, "severity": "high", "keep_seconds": 0, "cooldown_seconds": 0}
    insert_rule(session, key, defaults | config)
    for name, built_in in BUILT_IN_RULES.items():
        if session.get(AlertRule, ("acme", name, 2)) is None:
            insert_rule(session, name, built_in.model_dump(mode="json") | {"enabled": False})


def insert_rule(session: Session, key: str, config: dict[str, Any], *, version: int = 2) -> None:
    row = AlertRule(
        workspace_id="acme",
        key=key,
        version=version,
        active=True,
        config=config,
        created_at=NOW,
        created_by="test",
    )
    session.add(row)
    session.flush()


def set_score(session: Session, score: float | None, *account_ids: str) -> None:
    session.execute(
        update(Account)
        .where(Account.account_id.in_(account_ids))
        .values(traits={} if score is None else {"fit": score})
    )


def refresh(
    session: Session,
    *account_ids: str,
    now: datetime = NOW,
    swept: bool = False,
    silent: bool = False,
) -> None:
    pipeline.refresh(
        session,
        "acme",
        account_ids,
        as_of=now.date(),
        now=now,
        swept=account_ids if swept else (),
        silent=account_ids if silent else (),
    )


def sent_messages(session: Session) -> list[tuple[str, dict[str, Any]]]:
    """Return type and data of all messages but suggestions, in order."""
    rows = session.scalars(
        select(Message)
        .where(~Message.type.startswith("suggestion."))
        .order_by(Message.created_at, Message.id)
    )
    return [
        (row.type, {"account_id": row.account_id} | orjson.loads(row.body)["data"]) for row in rows
    ]


def sent_types(session: Session) -> list[str]:
    return [kind for kind, _ in sent_messages(session)]


def stored_alerts(session: Session, **where: Any) -> list[Alert]:  # noqa: ANN401 - columns
    rows = select(Alert).filter_by(**where).order_by(Alert.opened_at, Alert.account_id)
    return list(session.scalars(rows, execution_options={"populate_existing": True}))
