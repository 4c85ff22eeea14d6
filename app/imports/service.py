"""Start and finish imports, which are durable jobs over files (docs/adr/0015)."""

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
from app.jobs.tables import Job, JobState
from app.webhooks import outbox
from app.webhooks.outbox import NewMessage
from app.workspaces.service import Actor

UPLOAD_JOB, LOCAL_JOB = "import", "local_import"
"""Kinds of jobs: an uploaded file, which any worker reads, and a file that a command reads."""
REPEATED_AFTER = {
    UPLOAD_JOB: {JobState.FAILED, JobState.CANCELLED},
    LOCAL_JOB: {JobState.DONE},  # one that failed or was cancelled is resumed
}
"""In these states of the latest import of a file, importing it again starts a new import."""
JOB_KINDS = tuple(REPEATED_AFTER)
ROW_COUNTS = ("rows", "stored", "duplicates", "rejected")


def start_import(
    session: Session, actor: Actor, plan: ImportPlan, file: FileFingerprint, *, kind: str
) -> tuple[Job, bool]:
    """Return the import of a file and whether it was created now.

    The same content with an equal plan is the same import (but see ``REPEATED_AFTER``).
    """
    workspace_id, signature = actor.workspace_id, plan.signature(file)
    advisory_lock(session, f"import {signature}", workspace_id)
    latest = queries.find_latest_import(session, workspace_id, signature, kind=kind)
    if latest is not None and latest.state not in REPEATED_AFTER[kind]:
        return latest, False
    config = {**plan.config(), "digest": file.digest, "size": file.size}
    progress = dict.fromkeys(("bytes", *ROW_COUNTS, "seconds"), 0) | {"bytes_total": file.size}
    job = jobs.enqueue(session, actor, kind, config, progress=progress)
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
    """Delete the content and the notes of an ended import, and publish ``import.completed``.

    If rows were stored, mark benchmarks, churn risks and all accounts to be computed again, without
    notifications.
    """
    first_day = ended.position.get("first_day")
    if ended.progress["stored"] and first_day and not ended.config["dry_run"]:
        since = date.fromisoformat(first_day)
        retire_benchmarks_since(session, workspace_id, since=since)
        churn.mark_all_outdated(session, workspace_id)
        mark_all_due(session, workspace_id, priority=Priority.SILENT)
        onboarding.enqueue_backfill(session, Actor(workspace_id, "import", now))
    queries.delete_chunks(session, workspace_id, ended.id)
    if isinstance(ended, ClaimedJob) or ended.kind == UPLOAD_JOB:  # a local import can be resumed
        queries.clear_lookups(session, workspace_id, ended.id)
        queries.delete_noted_periods(session, workspace_id, ended.id)
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
        **{name: ended.progress[name] for name in ROW_COUNTS},
    }
    return NewMessage("import.completed", data)


def finish_ended_imports(session: Session, *, now: datetime) -> None:
    """Finish imports that failed or were cancelled half-way; stored pages are kept."""
    for job in queries.lock_unsettled_imports(session):
        finish_import(session, job.workspace_id, job, now=now)
