"""Gather what bears on what to do about accounts: standing, signals, decisions of the past."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.filters.matching import MATCH_ALL
from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus
from app.interventions import suggestion_queries as queries
from app.interventions.playbooks.definition import CustomerType, Playbooks
from app.interventions.playbooks.templates import FieldValue, Money
from app.interventions.ranking import Case, profile_gaps
from app.interventions.states import COMPLETED_STATES, OPEN_STATES, InterventionState
from app.interventions.tables import Intervention
from app.portfolio import account_queries
from app.portfolio import segment_service as segments
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
    now: datetime,
) -> list[Case]:
    """Describe accounts that have a score, in a few statements, however many there are.

    ``stored``: their interventions. ``names``: of product features, by key.
    """
    rows = queries.load_case_rows(session, workspace_id, account_ids)
    ids = [row.account_id for row in rows]
    drivers = _drivers(session, workspace_id, rows, now)
    matched = matching_accounts(
        session,
        workspace_id,
        {key: playbook.audience.filter for key, playbook in playbooks.items()},
        ids,
        today=now.date(),
    )
    return [
        Case(
            account_id=row.account_id,
            business=_business(row.customer_type),
            status=HealthStatus(row.status),
            band=Band(row.band),
            mrr_cents=row.mrr_cents,
            probability=row.probability,
            drivers=drivers[row.account_id],
            facts=_facts(row, names),
            blocked=blocked_playbooks(stored.get(row.account_id, ()), playbooks, now),
            matched=frozenset(key for key, found in matched.items() if row.account_id in found),
        )
        for row in rows
    ]


def _business(said: str | None) -> CustomerType:
    return CustomerType.B2C if (said or "").lower() == CustomerType.B2C else CustomerType.B2B


def _drivers(
    session: Session, workspace_id: str, rows: Sequence[Row[Any]], now: datetime
) -> dict[str, list[Signal]]:
    """Return open signals, the gravest first, and after them what is derived here."""
    kept = load_open_signals(session, workspace_id, [row.account_id for row in rows])
    gone = [row.account_id for row in rows if row.status == HealthStatus.CHURNED]
    since = now - FIXED_WITHIN
    fixed = queries.load_fixed_feedback(session, workspace_id, gone, since=since) if gone else {}
    found: dict[str, list[Signal]] = {}
    for row in rows:
        signals = sorted(
            (each.signal for each in kept.get(row.account_id, ())), key=signal_sort_key
        )
        found[row.account_id] = signals
        if row.account_id in fixed:
            topic, at = fixed[row.account_id]
            said = {"topic": topic, "fixed_on": at.date().isoformat()}
            found[row.account_id].append(Signal("cause_fixed", Severity.INFO, at.date(), said))
        if gaps := profile_gaps(row, row.created_at.date()):
            found[row.account_id].append(gaps)
    return found


def matching_accounts(
    session: Session,
    workspace_id: str,
    filters: Mapping[str, Any],
    account_ids: Sequence[str],
    *,
    today: date,
) -> dict[str, frozenset[str]]:
    """Return by key the accounts that its filter lets through; one statement for each filter."""
    everybody = frozenset(account_ids)
    found = {}
    for key, raw in filters.items():
        wanted = segments.parse_account_filter(raw)
        found[key] = everybody
        if wanted != MATCH_ALL and everybody:
            let = account_queries.load_matching_ids(
                session, workspace_id, wanted, account_ids, today=today
            )
            found[key] = frozenset(let)
    return found


def blocked_playbooks(
    stored: Iterable[Intervention], playbooks: Playbooks, now: datetime
) -> frozenset[str]:
    """Name the playbooks that are not proposed: open, done within the cooldown, or dismissed."""
    return frozenset(row.playbook for row in stored if _blocks(row, playbooks, now))


def _blocks(row: Intervention, playbooks: Playbooks, now: datetime) -> bool:
    if row.state in OPEN_STATES:
        return True
    if row.state == InterventionState.DISMISSED and row.decided_at:
        return now - row.decided_at < DISMISSED_FOR
    if row.state in COMPLETED_STATES and row.done_at and row.playbook in playbooks:
        return now - row.done_at < playbooks[row.playbook].cooldown
    return False


def _facts(row: Row[Any], names: Mapping[str, str]) -> dict[str, FieldValue | Money]:
    """Name what is known of an account as templates ask for it."""
    unused = row.unused or []
    idle = None if row.seats is None or row.active_users is None else row.seats - row.active_users
    price = Money(row.mrr_cents, row.currency) if row.mrr_cents and row.currency else None
    return {
        "account": row.name,
        "owner": row.owner,
        "industry": row.industry,
        "plan": row.plan,
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
