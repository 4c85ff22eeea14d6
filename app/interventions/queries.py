from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Date, Row, case, cast, func, or_, select
from sqlalchemy.orm import Session

from app.accounts.renewals import grace_days
from app.accounts.tables import Account
from app.changes.sort_change_queries import StablePosition, list_stable_rows
from app.core.pagination import Paging, RowPage
from app.core.query_helpers import (
    fetch_page,
    filter_if_given,
    get_row,
    known_mrr_cents,
    same_account,
)
from app.core.sql import load_sql
from app.health.scoring.assess import HealthStatus
from app.health.tables import HealthHistory
from app.interventions.outcome import AccountSnapshot
from app.interventions.states import OPEN_STATES, InterventionState
from app.interventions.tables import Assignment, Intervention

SQL = load_sql(__file__, known_mrr_cents=known_mrr_cents("h"))
PAGE_SIZE, MAX_OF_ACCOUNT = 200, 10
SNAPSHOT_DAYS = 7
"""The score of an account on a day is at most that old, as in the statement ``snapshots``."""
UNDECIDED_OR_OPEN = (InterventionState.SUGGESTED, InterventionState.LAPSED, *OPEN_STATES)


def load_case_rows(
    session: Session, workspace_id: str, account_ids: Sequence[str]
) -> Sequence[Row[Any]]:
    """Return the data of accounts with a score, except accounts whose event source is silent."""
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids)}
    return session.execute(SQL.cases, values).all()


def load_fixed_feedback(
    session: Session, workspace_id: str, account_ids: Sequence[str], *, since: datetime
) -> dict[str, tuple[str | None, datetime]]:
    """Return the feedback that was fixed last for each account: topic and instant."""
    values = {"workspace_id": workspace_id, "account_ids": list(account_ids), "since": since}
    rows = session.execute(SQL.fixed_feedback, values)
    return {row.account_id: (row.topic, row.resolved_at) for row in rows}


def load_recent_interventions(
    session: Session, workspace_id: str, account_ids: Collection[str], *, since: datetime
) -> Sequence[Intervention]:
    """Return interventions undecided, open, or decided or done after ``since``, oldest first."""
    is_recent = or_(
        Intervention.state.in_(UNDECIDED_OR_OPEN),
        Intervention.done_at > since,
        Intervention.decided_at > since,
    )
    return session.scalars(
        select(Intervention)
        .where(Intervention.workspace_id == workspace_id, is_recent)
        .where(Intervention.account_id.in_(account_ids))
        .order_by(Intervention.created_at, Intervention.id)
        .execution_options(populate_existing=True)
    ).all()


def upsert_suggestions(
    session: Session, workspace_id: str, rows: Sequence[Mapping[str, Any]], *, now: datetime
) -> None:
    """Write suggestions; a row that was decided in the meantime stays as it is."""
    if rows:
        values = {"workspace_id": workspace_id, "now": now, "rows": orjson.dumps(rows).decode()}
        session.execute(SQL.upsert_suggestions, values)


def list_account_suggestions(
    session: Session, workspace_id: str, account_id: str
) -> Sequence[Intervention]:
    """List the suggestions of an account, the most valuable first."""
    rows = select(Intervention).filter_by(
        workspace_id=workspace_id, account_id=account_id, state=InterventionState.SUGGESTED
    )
    ordered = rows.order_by(Intervention.value_cents.desc(), Intervention.id.desc())
    return session.scalars(ordered.limit(MAX_OF_ACCOUNT)).all()


def list_suggestions(
    session: Session,
    workspace_id: str,
    *,
    playbook: str | None = None,
    owner: str | None = None,
    position: StablePosition,
    limit: int,
) -> Sequence[Row[Any]]:
    """List suggestions with the value by which they are sorted, the most valuable first.

    It is the value at the snapshot of the list.
    """
    rows = select(Intervention).filter_by(
        workspace_id=workspace_id, state=InterventionState.SUGGESTED
    )
    rows = filter_if_given(rows, playbook=playbook)
    rows = rows.join(Account, same_account(Account, Intervention))
    if owner is not None:
        rows = rows.where(Account.owner == owner)
    return list_stable_rows(
        session,
        workspace_id,
        rows,
        position,
        key={"account_id": Intervention.account_id, "intervention_id": Intervention.id},
        value=Intervention.__table__.columns["value_cents"],
        id_column=Intervention.__table__.columns["id"],
        limit=limit,
    )


def get_intervention(
    session: Session, workspace_id: str, intervention_id: str, *, lock: bool = False
) -> Intervention:
    return get_row(session, Intervention, (workspace_id, intervention_id), lock=lock)


def list_interventions(
    session: Session,
    workspace_id: str,
    paging: Paging,
    *,
    state: InterventionState | None,
    **where: str | None,
) -> RowPage[Intervention]:
    """List interventions, newest first; lapsed ones only if that state is given.

    ``where``: column to its value (None: any).
    """
    rows = select(Intervention).where(
        Intervention.workspace_id == workspace_id,
        Intervention.state == state if state else Intervention.state != InterventionState.LAPSED,
    )
    columns = (Intervention.created_at, Intervention.id)
    filtered = filter_if_given(rows, **where)
    return fetch_page(session, filtered, *columns, paging=paging, descending=True)


def claim_due_interventions(session: Session, *, today: date) -> Sequence[Intervention]:
    """Lock a page of interventions whose outcome is due, of all workspaces.

    Rows locked by another worker are skipped, and those whose account may still renew.
    """
    due_on = Intervention.__table__.columns["outcome_due_on"]
    is_open = may_renew(Intervention, due_on, today=today, grace=grace_days(session))
    return session.scalars(
        select(Intervention)
        .where(Intervention.outcome_due_on < today, ~is_open)
        .order_by(Intervention.outcome_due_on, Intervention.id)
        .limit(PAGE_SIZE)
        .with_for_update(skip_locked=True)
    ).all()


def may_renew(
    table: type[Intervention | Assignment],
    due_on: ColumnElement[date],
    *,
    today: date,
    grace: int,
) -> ColumnElement[bool]:
    """Whether the account of a row was churned on its due day and is still within the grace.

    Its last contract ended so lately that a renewal that comes today would bridge the gap.
    """
    ended_on = case(
        (
            HealthHistory.status == HealthStatus.CHURNED,
            cast(HealthHistory.details[("inputs", "paid_until")].astext, Date),
        )
    )
    rows = select(ended_on).where(
        same_account(HealthHistory, table),
        HealthHistory.as_of <= due_on,
        HealthHistory.as_of > due_on - SNAPSHOT_DAYS,
    )
    newest = rows.order_by(
        HealthHistory.as_of.desc(), HealthHistory.restatement.desc(), HealthHistory.change.desc()
    ).limit(1)
    last_end = newest.scalar_subquery()
    return func.coalesce(last_end >= today - timedelta(days=grace), False)


def load_snapshots(
    session: Session, workspace_id: str, account_days: Sequence[tuple[str, date]]
) -> dict[tuple[str, date], AccountSnapshot]:
    """Return the snapshots of accounts on days; unknown ones are omitted."""
    accounts, days = zip(*account_days, strict=True) if account_days else ((), ())
    values = {"workspace_id": workspace_id, "account_ids": list(accounts), "days": list(days)}
    return {
        (row.account_id, row.day): AccountSnapshot(
            row.as_of, HealthStatus(row.status), row.score, _scores(row), row.paid_until
        )
        for row in session.execute(SQL.snapshots, values)
    }


def _scores(row: Row[Any]) -> dict[str, float]:
    return {each["name"]: each["score"] for each in row.measures or [] if each["score"] is not None}


def load_treated_days(session: Session, workspace_id: str) -> Mapping[str, Sequence[date]]:
    """Return the days on which interventions were done, by account."""
    done = select(Intervention.account_id, Intervention.done_at).where(
        Intervention.workspace_id == workspace_id, Intervention.done_at.is_not(None)
    )
    days: dict[str, list[date]] = {}
    for account_id, at in session.execute(done):
        if at is not None:
            days.setdefault(account_id, []).append(at.date())
    return days
