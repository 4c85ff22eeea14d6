"""Load the cases of accounts: everything that decides what is suggested for them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus
from app.interventions import queries
from app.interventions.playbooks.audience import load_matching_accounts
from app.interventions.playbooks.definition import CustomerType, Playbooks
from app.interventions.playbooks.templates import FieldValue, Money
from app.interventions.ranking import Case, profile_gaps
from app.interventions.states import COMPLETED_STATES, OPEN_STATES, InterventionState
from app.interventions.tables import Intervention
from app.signals.detect import signal_sort_key
from app.signals.queries import load_open_signals
from app.signals.signal import Severity, Signal

DISMISSED_FOR = timedelta(days=30)
FIXED_WITHIN = timedelta(days=90)


def load_cases(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    playbooks: Playbooks,
    *,
    stored: Mapping[str, Sequence[Intervention]],
    names: Mapping[str, str],
    plan_names: Mapping[str, str],
    now: datetime,
) -> list[Case]:
    """Return the cases of accounts with a score, in a fixed number of statements.

    ``stored``: interventions by account. ``names``, ``plan_names``: key to name of product
    features and of plans.
    """
    rows = queries.load_case_rows(session, workspace_id, account_ids)
    ids = [row.account_id for row in rows]
    drivers = _load_drivers(session, workspace_id, rows, now)
    matching = load_matching_accounts(
        session,
        workspace_id,
        {key: playbook.audience.filter for key, playbook in playbooks.items()},
        ids,
        today=now.date(),
    )
    return [
        Case(
            account_id=row.account_id,
            business=_customer_type(row.customer_type),
            status=HealthStatus(row.status),
            band=Band(row.band),
            mrr_cents=row.mrr_cents,
            probability=row.probability,
            level=row.level,
            drivers=drivers[row.account_id],
            field_values=_field_values(row, names, plan_names),
            blocked=blocked_playbooks(stored.get(row.account_id, ()), playbooks, now),
            matched=frozenset(
                key for key, matched in matching.items() if row.account_id in matched
            ),
        )
        for row in rows
    ]


def _customer_type(trait: str | None) -> CustomerType:
    is_consumer = (trait or "").lower() == CustomerType.B2C
    return CustomerType.B2C if is_consumer else CustomerType.B2B


def _load_drivers(
    session: Session, workspace_id: str, rows: Sequence[Row[Any]], now: datetime
) -> dict[str, list[Signal]]:
    """Return open signals, most severe first, followed by the signals that are derived here."""
    stored = load_open_signals(session, workspace_id, [row.account_id for row in rows])
    churned = [row.account_id for row in rows if row.status == HealthStatus.CHURNED]
    since = now - FIXED_WITHIN
    fixed = (
        queries.load_fixed_feedback(session, workspace_id, churned, since=since) if churned else {}
    )
    drivers: dict[str, list[Signal]] = {}
    for row in rows:
        open_signals = [each.signal for each in stored.get(row.account_id, ())]
        drivers[row.account_id] = sorted(open_signals, key=signal_sort_key)
        if row.account_id in fixed:
            topic, at = fixed[row.account_id]
            evidence = {"topic": topic, "fixed_on": at.date().isoformat()}
            signal = Signal("cause_fixed", Severity.INFO, at.date(), evidence)
            drivers[row.account_id].append(signal)
        if gaps := profile_gaps(row, row.created_at.date()):
            drivers[row.account_id].append(gaps)
    return drivers


def blocked_playbooks(
    stored: Iterable[Intervention], playbooks: Playbooks, now: datetime
) -> frozenset[str]:
    """Return playbooks not to suggest: open, done within the cooldown, or recently dismissed."""
    return frozenset(row.playbook for row in stored if _blocks(row, playbooks, now))


def next_unblocked_at(
    stored: Iterable[Intervention], playbooks: Playbooks, now: datetime
) -> datetime | None:
    """Return when the next playbook is no longer blocked by the passage of time alone."""
    ends = (_blocked_until(row, playbooks) for row in stored)
    return min((at for at in ends if at is not None and at > now), default=None)


def _blocks(row: Intervention, playbooks: Playbooks, now: datetime) -> bool:
    until = _blocked_until(row, playbooks)
    return row.state in OPEN_STATES or (until is not None and now < until)


def _blocked_until(row: Intervention, playbooks: Playbooks) -> datetime | None:
    """Return until when a closed intervention blocks its playbook."""
    if row.state == InterventionState.DISMISSED and row.decided_at:
        return row.decided_at + DISMISSED_FOR
    if row.state in COMPLETED_STATES and row.done_at and row.playbook in playbooks:
        return row.done_at + playbooks[row.playbook].cooldown
    return None


def _field_values(
    row: Row[Any], names: Mapping[str, str], plan_names: Mapping[str, str]
) -> dict[str, FieldValue | Money]:
    """Return the values of the account's placeholders (``template_fields.ACCOUNT_FIELDS``)."""
    unused = row.unused or []
    idle = None if row.seats is None or row.active_users is None else row.seats - row.active_users
    price = Money(row.mrr_cents, row.currency) if row.mrr_cents and row.currency else None
    return {
        "account": row.name,
        "owner": row.owner,
        "industry": row.industry,
        "plan": plan_names.get(row.plan, row.plan),
        "price": price,
        "seats": row.seats,
        "active_users": row.active_users,
        "idle_seats": None if idle is None else max(idle, 0),
        "reached": row.reached,
        "features_used": None if row.adopted is None else len(row.adopted),
        "features_unused": len(unused),
        "unused_feature": names.get(unused[0], unused[0]) if unused else None,
        "last_used_on": row.last_used_on,
        "renewal_on": row.renewal_on,
    }
