"""Start and finish imports, which are durable jobs over files (docs/adr/0015)."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.accounts.refresh_queue import Priority, mark_all_due
from app.churn.scoring import risk_queries as churn
from app.core.query_helpers import advisory_lock
from app.engagement import onboarding
from app.health.definition.benchmark_queries import retire_benchmarks_since
from app.imports import queries
from app.imports.files import FileFingerprint
from app.imports.plan import ImportPlan
from app.imports.tables import ImportFile
from app.jobs import queries as job_queries
from app.jobs import service as jobs
from app.jobs.service import ClaimedJob
from app.jobs.states import JobState
from app.jobs.tables import Job
from app.webhooks import outbox
from app.webhooks.outbox import NewMessage
from app.workspaces.service import Actor

UPLOAD_JOB, LOCAL_JOB = "import", "local_import"
"""Kinds of jobs: an uploaded file, which any worker reads, and a file that a command reads."""
JOB_KINDS = (UPLOAD_JOB, LOCAL_JOB)
INITIAL_PROGRESS = {
    "bytes": 0,
    "rows": 0,
    "stored": 0,
    "duplicates": 0,
    "rejected": 0,
    "seconds": 0,
}


def start_import(
    session: Session,
    actor: Actor,
    plan: ImportPlan,
    file: FileFingerprint,
    *,
    kind: str,
    again_after: Collection[JobState],
) -> tuple[Job, bool]:
    """Return the import of a file and whether it was created now.

    The same content with an equal plan is the same import, unless the latest one has a state of
    ``again_after``.
    """
    workspace_id, signature = actor.workspace_id, plan.signature(file)
    advisory_lock(session, f"import {signature}", workspace_id)
    latest = queries.find_latest_import(session, workspace_id, signature, kind=kind)
    if latest is not None and latest.state not in again_after:
        return latest, False
    config = {**plan.config(), "digest": file.digest, "size": file.size}
    progress = {**INITIAL_PROGRESS, "bytes_total": file.size}
    job = jobs.enqueue(
        session, workspace_id, kind, config, actor=actor.name, now=actor.at, progress=progress
    )
    session.add(ImportFile(workspace_id=workspace_id, import_id=job.id, signature=signature))
    details = {"kind": plan.kind, "dry_run": plan.dry_run, "bytes": file.size}
    actor.audit(session, "import.created", job.id, details)
    session.flush()
    return job, True


def get_import(session: Session, workspace_id: str, import_id: str, *, lock: bool = False) -> Job:
    return job_queries.get_job(
        session, workspace_id, import_id, kinds=JOB_KINDS, noun="import", lock=lock
    )


def finish_import(
    session: Session, workspace_id: str, ended: ClaimedJob | Job, *, now: datetime
) -> None:
    """Recompute silently what an import changed, delete the uploaded content, announce the end.

    Benchmarks and churn risks are recomputed and all accounts rescored if history was stored.
    """
    first_day = ended.position.get("first_day")
    if ended.progress["stored"] and first_day and not ended.config["dry_run"]:
        since = date.fromisoformat(first_day)
        retire_benchmarks_since(session, workspace_id, since=since)
        churn.mark_all_outdated(session, workspace_id)
        mark_all_due(session, workspace_id, priority=Priority.SILENT)
        onboarding.enqueue_backfill(session, workspace_id, actor="import", now=now)
    queries.delete_chunks(session, workspace_id, ended.id)
    queries.mark_settled(session, workspace_id, ended.id, now=now)
    outbox.publish(session, workspace_id, [_completed_message(ended)], now=now)


def _completed_message(ended: ClaimedJob | Job) -> NewMessage:
    """Build ``import.completed``. A claimed job is at its last page, so its state will be done."""
    data = {
        "link": f"/api/v1/imports/{ended.id}",
        "import_id": ended.id,
        "kind": ended.config["kind"],
        "dry_run": ended.config["dry_run"],
        "state": ended.state if isinstance(ended, Job) else JobState.DONE,
        **{name: ended.progress[name] for name in ("rows", "stored", "duplicates", "rejected")},
    }
    return NewMessage("import.completed", data)


def finish_ended_imports(session: Session, *, now: datetime) -> None:
    """Finish imports that failed or were cancelled half-way; stored pages are kept."""
    for job in queries.lock_unsettled_imports(session):
        finish_import(session, job.workspace_id, job, now=now)
