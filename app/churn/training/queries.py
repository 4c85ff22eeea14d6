from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from app.accounts.excluded_users import without_excluded_users
from app.accounts.renewals import grace_days, renewals
from app.accounts.tables import Subscription
from app.churn.model.artifacts import current_versions
from app.churn.model.horizon import USUAL_GAP_QUANTILE, Horizon, HorizonBasis, choose_horizon
from app.churn.model.rules_reason import RulesReason
from app.churn.tables import ChurnModel
from app.core.sql import load_sql
from app.features.queries import PLAN_FOR_MANY_ROWS
from app.features.table_queries import AccountDay
from app.jobs.tables import Job, JobState
from app.usage.tables import FirstUse
from app.workspaces.tables import Workspace

MIN_PAST = timedelta(days=60)
TRAINING = "train_model"
"""The kind of the jobs that train."""

ENDED_LATELY = "p.known_end BETWEEN CAST({day} AS date) - CAST(:grace_days AS int) AND {day}"
SQL = load_sql(__file__, without_excluded_users=without_excluded_users())
PAYING_ACCOUNTS = SQL.compose(
    "paying_accounts",
    known_by="CAST(:day AS date)",
    renewals=renewals(ends_on="known_end", is_wanted=ENDED_LATELY.format(day=":day")),
)
LEFT_ON_DAYS = SQL.compose(
    "left_on_days",
    known_by="w.day",
    renewals=renewals(
        key="n",
        later="later_period",
        ends_on="known_end",
        is_wanted=ENDED_LATELY.format(day="p.day"),
    ),
)
USING_ACCOUNTS = SQL.compose(
    "using_accounts", without_excluded_users=without_excluded_users(":day")
)
USED_BEFORE_DAYS = SQL.compose(
    "used_before_days", without_excluded_users=without_excluded_users("w.day")
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether an account has churned. ``left_on``: the day since which it pays nothing."""

    has_churned: bool
    left_on: date | None = None


def find_open_job(session: Session, workspace_id: str, kind: str) -> Job | None:
    is_open = Job.state.in_([JobState.QUEUED, JobState.RUNNING])
    query = select(Job).where(Job.workspace_id == workspace_id, Job.kind == kind, is_open)
    return session.scalar(query.order_by(Job.id).limit(1))


def list_workspaces_to_train(
    session: Session, kind: str, *, since: datetime, unusable_since: datetime, today: date
) -> Sequence[str]:
    """List workspaces with enough history that have no training job since ``since``.

    If the active model was written by other library versions, ``unusable_since`` applies instead.
    """
    newest = (
        select(func.max(Job.created_at))
        .where(Job.workspace_id == Workspace.id, Job.kind == kind)
        .scalar_subquery()
    )
    has_unusable_model = exists().where(
        ChurnModel.workspace_id == Workspace.id,
        ChurnModel.state == "active",
        ChurnModel.card["versions"] != current_versions(),
    )
    before = today - MIN_PAST
    has_past = or_(
        exists().where(FirstUse.workspace_id == Workspace.id, FirstUse.day < before),
        exists().where(Subscription.workspace_id == Workspace.id, Subscription.starts_on < before),
    )
    is_due = or_(newest.is_(None), newest < since, has_unusable_model & (newest < unusable_since))
    return session.scalars(select(Workspace.id).where(has_past, is_due)).all()


def load_rules_reason(session: Session, workspace_id: str) -> RulesReason | None:
    """Return why risks by rules are not by a model: by the models, else by the last training.

    None: the last training was by an older version, which did not store its reason.
    """
    models = select(ChurnModel.state).where(ChurnModel.workspace_id == workspace_id)
    newest = (ChurnModel.state != "active", ChurnModel.retired_at.desc().nulls_last())
    state = session.scalar(models.order_by(*newest).limit(1))
    if state is not None:
        return RulesReason({"active": "not_applied", "retired": "rolled_back"}.get(state, state))
    is_ended = Job.state.in_([JobState.DONE, JobState.FAILED])
    trainings = select(Job).where(Job.workspace_id == workspace_id, Job.kind == TRAINING, is_ended)
    job = session.scalar(trainings.order_by(Job.id.desc()).limit(1))
    if job is None:
        return RulesReason("not_trained")
    if job.state == JobState.FAILED:
        return RulesReason("training_failed")
    shortage = job.progress.get("shortage")
    return RulesReason(**shortage) if shortage else None


def load_horizon(
    session: Session, workspace_id: str, *, as_of: date, days: int | None = None
) -> Horizon:
    """Choose the workspace's horizon as of a day. ``days`` overrides its length.

    The end of a subscription is churn if any account had a paid subscription by then.
    """
    has_paid = exists().where(
        Subscription.workspace_id == workspace_id,
        Subscription.mrr_cents > 0,
        Subscription.known_on <= as_of,
    )
    pays, gap = session.scalar(select(has_paid)), None
    if not pays and days is None:
        values = {"workspace_id": workspace_id, "as_of": as_of, "share": USUAL_GAP_QUANTILE}
        gap = session.scalar(SQL.usual_gap, values)
    return choose_horizon(pays=bool(pays), usual_gap_days=gap, days=days)


def find_first_day(session: Session, workspace_id: str, basis: HorizonBasis) -> date | None:
    """Find the day of the first subscription or of the first use, whichever ``basis`` names."""
    day = Subscription.starts_on if basis is HorizonBasis.SUBSCRIPTION else FirstUse.day
    return session.scalar(select(func.min(day)).where(day.class_.workspace_id == workspace_id))


def list_active_accounts(
    session: Session, workspace_id: str, *, day: date, horizon: Horizon
) -> Sequence[str]:
    """List the accounts that can churn after a day, as known on that day, in key order."""
    values: dict[str, Any] = {"workspace_id": workspace_id, "day": day}
    if horizon.basis is HorizonBasis.SUBSCRIPTION:
        values["grace_days"] = grace_days(session)
        return session.scalars(PAYING_ACCOUNTS, values).all()
    values["after"] = day - timedelta(days=horizon.days)
    return session.scalars(USING_ACCOUNTS, values).all()


def load_outcomes(
    session: Session,
    workspace_id: str,
    account_days: Sequence[AccountDay],
    *,
    horizon: Horizon,
    until: date,
) -> list[Outcome]:
    """Return what became of each account by the end of its horizon, as known then.

    A contract that was renewed within the grace has not ended, if the renewal was known by
    ``until``.
    """
    if not account_days:
        return []
    session.execute(PLAN_FOR_MANY_ROWS)
    ends = [day + timedelta(days=horizon.days) for _, day in account_days]
    values = {
        "workspace_id": workspace_id,
        "account_ids": [account_id for account_id, _ in account_days],
        "days": ends,
    }
    if horizon.basis is HorizonBasis.SUBSCRIPTION:
        known = {"grace_days": grace_days(session), "until": until}
        rows = session.execute(LEFT_ON_DAYS, {**values, **known})
        return [Outcome(row.has_left, row.paid_until if row.has_left else None) for row in rows]
    bounds = {"within": horizon.days, "first_day": min(ends), "last_day": max(ends)}
    rows = session.execute(USED_BEFORE_DAYS, {**values, **bounds})
    return [Outcome(not is_active) for _, is_active in rows]
