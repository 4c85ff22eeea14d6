"""Record onboarding steps that are done because an event happened or the account has a trait.

Each refresh reads recent usage for them, so that ingestion does not have to.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app.accounts.excluded_users import is_excluded_user, without_excluded_users
from app.accounts.traits import trait_time
from app.core.db import SessionFactory, transaction
from app.core.sql import load_sql
from app.engagement.onboarding_queries import list_by_position, store_pace
from app.engagement.tables import OnboardingStep
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob
from app.workspaces.service import Actor

KIND = "onboarding"
LOOK_BACK = timedelta(days=56)
"""How much usage a refresh reads. Older usage is read once, by a job."""
BACKFILL_BATCH = 200

SQL = load_sql(
    __file__,
    without_excluded_users=without_excluded_users(),
    by_excluded_user=is_excluded_user("c.user_id"),
    trait_time=trait_time("a", "s.trait"),
)


def refresh(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    *,
    as_of: date,
    unchanged: Collection[str] = (),
) -> None:
    """Record the steps that accounts have done, as it was known on a day. Idempotent.

    ``unchanged`` accounts have nothing new since the last refresh except usage of that day, so only
    that day is read for them.
    """
    others = [key for key in account_ids if key not in unchanged]
    for ids, days in ((others, LOOK_BACK), (sorted(unchanged), timedelta(days=1))):
        if ids:
            _record_completions(session, workspace_id, ids, as_of=as_of, look_back=days)
    store_pace(session, workspace_id, as_of=as_of)


def _record_completions(
    session: Session,
    workspace_id: str,
    account_ids: Sequence[str],
    *,
    as_of: date,
    look_back: timedelta,
) -> None:
    values = {"account_ids": list(account_ids), "as_of": as_of, "since": as_of - look_back}
    session.execute(SQL.record_completions, {"workspace_id": workspace_id, **values})


def enqueue_backfill(session: Session, actor: Actor) -> None:
    """Enqueue a job that searches all usage for steps done: for new event names, after imports."""
    steps = list_by_position(session, actor.workspace_id, OnboardingStep)
    if any(step.event_names for step in steps):
        jobs.enqueue(session, actor, KIND, {})


def backfill_page(sessions: SessionFactory, job: ClaimedJob, now: datetime) -> bool:
    """Record steps from all usage of the next accounts; return whether more accounts may follow."""
    with transaction(sessions) as session:
        values = {"after": job.position.get("after", ""), "limit": BACKFILL_BATCH}
        workspace = {"workspace_id": job.workspace_id}
        ids = session.scalars(SQL.next_accounts, workspace | values).all()
        if not ids:
            return False
        everything = timedelta(days=now.date().toordinal() - 1)
        _record_completions(session, job.workspace_id, ids, as_of=now.date(), look_back=everything)
        session.execute(SQL.drop_pace, workspace)
        progress = {"accounts": job.progress.get("accounts", 0) + len(ids)}
        jobs.checkpoint(session, job, position={"after": ids[-1]}, progress=progress, now=now)
    return len(ids) == BACKFILL_BATCH
