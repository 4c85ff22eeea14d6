from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from app.accounts.tables import Subscription
from app.churn.model.artifacts import current_versions
from app.churn.tables import ChurnModel
from app.jobs.states import JobState
from app.jobs.tables import Job
from app.usage.tables import FirstUse
from app.workspaces.tables import Workspace

MIN_PAST = timedelta(days=60)


def find_open_job(session: Session, workspace_id: str, kind: str) -> Job | None:
    is_open = Job.state.in_([JobState.QUEUED, JobState.RUNNING])
    query = select(Job).where(Job.workspace_id == workspace_id, Job.kind == kind, is_open)
    return session.scalar(query.order_by(Job.id).limit(1))


def list_workspaces_to_train(
    session: Session, kind: str, *, since: datetime, unfit_since: datetime, today: date
) -> Sequence[str]:
    """List those with a past for whom nothing was ordered since then.

    Where other versions of libraries run than those that made the active model, less is enough.
    """
    newest = (
        select(func.max(Job.created_at))
        .where(Job.workspace_id == Workspace.id, Job.kind == kind)
        .scalar_subquery()
    )
    unfit = exists().where(
        ChurnModel.workspace_id == Workspace.id,
        ChurnModel.state == "active",
        ChurnModel.card["versions"] != current_versions(),
    )
    long_ago = today - MIN_PAST
    has_past = or_(
        exists().where(FirstUse.workspace_id == Workspace.id, FirstUse.day < long_ago),
        exists().where(
            Subscription.workspace_id == Workspace.id, Subscription.starts_on < long_ago
        ),
    )
    is_due = or_(newest.is_(None), newest < since, unfit & (newest < unfit_since))
    return session.scalars(select(Workspace.id).where(has_past, is_due)).all()
