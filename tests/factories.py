"""Plain functions that insert one valid row each. A test passes only the columns it is about."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import numpy as np
from sqlalchemy.orm import Session

from app.alerts.rules import BUILT_IN_RULES
from app.churn.model import artifacts
from app.churn.model.artifacts import Artifact
from app.churn.model.linear import Linear
from app.churn.model.model import Model
from app.churn.registry import model_queries
from app.core.db import Table
from app.tables import (
    Account,
    AccountSignal,
    Alert,
    ChurnModel,
    DailyReach,
    DailyUsage,
    FirstUse,
    Intervention,
    Invoice,
    Scorecard,
    Subscription,
    Workspace,
)
from app.workspaces import service
from app.workspaces.keys import Scope

RowT = TypeVar("RowT", bound=Table)

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)

BASE_RATE_MODEL = artifacts.dump(
    Model(("recency",), 30, (Linear.fit(np.zeros((4, 1)), np.array([0.0, 0.0, 0.0, 1.0])),))
)
"""A model that predicts a probability of one in four for every account."""


def workspace(session: Session, name: str = "acme") -> Workspace:
    existing = session.get(Workspace, name)
    return existing or service.create_workspace(session, name, actor_name="test", now=LONG_AGO)


def api_key(session: Session, owner: Workspace, scopes: Iterable[Scope] = tuple(Scope)) -> str:
    actor = service.Actor(owner.id, "test", LONG_AGO)
    return service.create_key(session, actor, name="test", scopes=scopes).text


def account(session: Session, account_id: str = "a1", **columns: Any) -> Account:  # noqa: ANN401
    columns.setdefault("workspace_id", workspace(session).id)
    return _add(session, Account(account_id=account_id, **columns))


def subscription(
    session: Session,
    account_id: str = "a1",
    *,
    mrr_cents: int = 100_00,
    **columns: Any,  # noqa: ANN401
) -> Subscription:
    defaults: dict[str, Any] = {
        "workspace_id": "acme",
        "subscription_id": "main",
        "starts_on": LONG_AGO.date(),
        "known_on": LONG_AGO.date(),
        "currency": "USD",
        "source": "api",
    }
    row = Subscription(account_id=account_id, mrr_cents=mrr_cents, **(defaults | columns))
    return _add(session, row)


def usage(
    session: Session,
    day: date,
    *,
    account_id: str = "a1",
    event_name: str = "Export",
    **columns: Any,  # noqa: ANN401
) -> DailyUsage:
    defaults: dict[str, Any] = {
        "workspace_id": "acme",
        "known_on": day,
        "user_id": "ada",
        "is_anonymous": False,
        "events": 1,
    }
    row = DailyUsage(account_id=account_id, day=day, event_name=event_name, **(defaults | columns))
    return _add(session, row)


def reach(
    session: Session, day: date, end_customer_id: str, *, account_id: str = "a1"
) -> DailyReach:
    return _add(
        session,
        DailyReach(
            workspace_id="acme",
            account_id=account_id,
            day=day,
            known_on=day,
            end_customer_id=end_customer_id,
        ),
    )


def first_use(session: Session, day: date, *, account_id: str = "a1") -> FirstUse:
    return _add(
        session,
        FirstUse(workspace_id="acme", account_id=account_id, known_on=day, day=day),
    )


def invoice(
    session: Session,
    account_id: str = "a1",
    **columns: Any,  # noqa: ANN401
) -> Invoice:
    defaults: dict[str, Any] = {
        "workspace_id": "acme",
        "system": "stripe",
        "invoice_id": "in_1",
        "customer_id": "cus_1",
        "status": "open",
        "currency": "USD",
        "amount_due_cents": 100_00,
        "amount_paid_cents": 0,
        "attempt_count": 1,
        "created_at": LONG_AGO,
    }
    return _add(session, Invoice(account_id=account_id, **(defaults | columns)))


def signal(
    session: Session,
    account_id: str = "a1",
    **columns: Any,  # noqa: ANN401
) -> AccountSignal:
    defaults: dict[str, Any] = {
        "workspace_id": "acme",
        "signal": "seats_idle",
        "key": "",
        "severity": "low",
        "since": LONG_AGO.date(),
        "evidence": {"seats": 10, "active": 2, "idle": 8},
        "opened_at": LONG_AGO,
        "changed_at": LONG_AGO,
    }
    return _add(session, AccountSignal(account_id=account_id, **(defaults | columns)))


def churn_model(
    session: Session,
    state: str = "active",
    *,
    artifact: Artifact = BASE_RATE_MODEL,
    workspace_id: str = "acme",
    **columns: Any,  # noqa: ANN401
) -> ChurnModel:
    workspace(session, workspace_id)
    defaults: dict[str, Any] = {
        "stage": "trusted",
        "horizon_days": 30,
        "data_through": LONG_AGO.date(),
        "known_through": LONG_AGO.date(),
        "card": {"data": {"rows": 4, "churned_rows": 1}},
        "sha256": artifact.sha256,
        "created_at": LONG_AGO,
        "created_by": "test",
    }
    values = {"state": state, "head": artifact.head, "trees": artifact.trees}
    return model_queries.insert_model(session, workspace_id, **(defaults | values | columns))


def scorecard(
    session: Session,
    config: dict[str, Any],
    *,
    version: int = 2,
    workspace_id: str = "acme",
) -> Scorecard:
    """Insert a version of the scorecard and make it the active one."""
    workspace(session, workspace_id)
    of_workspace = session.query(Scorecard).filter_by(workspace_id=workspace_id)
    of_workspace.update({"state": "retired", "retired_at": LONG_AGO})
    row = Scorecard(
        workspace_id=workspace_id,
        version=version,
        state="active",
        config=config,
        created_at=LONG_AGO,
        created_by="test",
        activated_at=LONG_AGO,
        activated_by="test",
    )
    return _add(session, row)


def alert(session: Session, account_id: str = "a1", **columns: Any) -> Alert:  # noqa: ANN401
    """Insert an open alert of a built-in rule, whose opening was notified."""
    rule = BUILT_IN_RULES["health_at_risk"]
    defaults: dict[str, Any] = {
        "workspace_id": "acme",
        "id": f"alr_{account_id}",
        "rule_key": "health_at_risk",
        "rule_version": 1,
        "rule_name": rule.name,
        "signal": rule.signal,
        "severity": rule.severity,
        "condition": rule.condition,
        "direction": rule.direction,
        "episode": 1,
        "sequence": 1,
        "opened_at": LONG_AGO,
        "previous": 31.5,
        "current": 22.0,
        "threshold": 25.0,
        "last_notified": "opened",
    }
    return _add(session, Alert(account_id=account_id, **(defaults | columns)))


def intervention(
    session: Session,
    account_id: str = "a1",
    **columns: Any,  # noqa: ANN401
) -> Intervention:
    """Insert an intervention, in the state ``suggested`` by default."""
    defaults: dict[str, Any] = {
        "workspace_id": "acme",
        "id": f"int_{account_id}_{columns.get('state', 'suggested')}",
        "playbook": "right_size",
        "state": "suggested",
        "signal": "price_rise",
        "rank": 1,
        "value_cents": 100.0,
        "details": {},
        "created_at": LONG_AGO,
        "changed_at": LONG_AGO,
        "outcomes": {},
    }
    return _add(session, Intervention(account_id=account_id, **(defaults | columns)))


def _add(session: Session, row: RowT) -> RowT:
    session.add(row)
    session.flush()
    return row
