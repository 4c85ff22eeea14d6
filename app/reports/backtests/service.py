"""Enqueue backtests as durable jobs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app.alerts import rule_service
from app.churn.registry import model_queries
from app.core.query_helpers import advisory_lock
from app.health.definition import scorecard_queries
from app.health.versions.prediction import BACKTEST
from app.jobs import service as jobs
from app.jobs.tables import Job
from app.reports.backtests import queries
from app.workspaces.queries import list_workspaces
from app.workspaces.service import Actor

KIND = BACKTEST
AUTOMATIC = "service"


@dataclass(frozen=True, slots=True)
class BacktestSubject:
    """What is tested. ``kind``: model, scorecard or alert_rule. ``key``: version or key of rule."""

    kind: str
    key: str


def enqueue_backtest(
    session: Session, actor: Actor, subjects: Sequence[BacktestSubject], *, since: date | None
) -> Job:
    """Enqueue one job for all subjects. Subjects of one kind are tested on the same rows.

    ``since``: the first observation day; None: all of them. Raises NotFoundError for an unknown
    subject.
    """
    for each in subjects:
        _check_exists(session, actor.workspace_id, each)
    config = {
        "subjects": [asdict(each) for each in subjects],
        "since": since.isoformat() if since else None,
        "until": (actor.at.date() - timedelta(days=1)).isoformat(),
    }
    job = jobs.enqueue(session, actor, KIND, config)
    job.position = {"subject": 0, "day": 0, "rows": []}
    return job


def _check_exists(session: Session, workspace_id: str, subject: BacktestSubject) -> None:
    match subject.kind:
        case "model":
            model_queries.get_model(session, workspace_id, int(subject.key))
        case "scorecard":
            scorecard_queries.get_scorecard_config(session, workspace_id, int(subject.key))
        case _:
            rule_service.get(session, workspace_id, subject.key)


def enqueue_activated(session: Session, *, now: datetime) -> None:
    """Enqueue a backtest of every active model, scorecard and rule that has none yet.

    The newest draft is tested together with the active scorecard, to compare them on the same days.
    """
    for workspace in list_workspaces(session):
        advisory_lock(session, "backtests", workspace.id)
        active = queries.list_active_subjects(session, workspace.id)
        tested = queries.list_tested_subjects(session, workspace.id, KIND)
        wanted = [{subject} for subject in active]
        draft = queries.find_newest_draft(session, workspace.id)
        wanted += [{draft, card} for card in active if draft and card[0] == draft[0]]
        missing = [each for each in wanted if not any(each <= job for job in tested)]
        untested = [BacktestSubject(*each) for each in sorted(set().union(*missing))]
        if untested:
            enqueue_backtest(session, Actor(workspace.id, AUTOMATIC, now), untested, since=None)
