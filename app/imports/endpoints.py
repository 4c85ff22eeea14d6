"""Files as durable jobs: sent once, worked off by the workers, watched from here."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page, PagingDep
from app.core.schemas import Id, problem_responses
from app.imports import queries, service, stored_file
from app.imports.files import OpenFile, compute_fingerprint
from app.imports.kinds import ImportKind
from app.imports.mapping import MappingError
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.imports.schemas import UPLOAD_BODY, ImportOut, ImportRowErrorOut
from app.imports.uploads import UploadDep
from app.jobs import queries as jobs
from app.jobs import service as job_service
from app.jobs.states import JobState
from app.workspaces.auth import AccountActor, AccountWriter, Reader
from app.workspaces.keys import Scope

router = APIRouter(
    prefix="/api/v1", tags=["imports"], responses=problem_responses(401, 403, 404, 422)
)

TEXT_PATTERN = r"^[^\x00]*$"
CONTENT_TYPES = {"text/csv": FileFormat.CSV, "application/x-ndjson": FileFormat.NDJSON}


def parse_plan(
    request: Request,
    kind: ImportKind,
    format: Annotated[  # noqa: A002 - the word of the wire
        FileFormat | None, Query(description="Null: by the content type, else CSV.")
    ] = None,
    map: Annotated[  # noqa: A002 - the word of the wire
        list[Annotated[str, Query(max_length=1000, pattern=TEXT_PATTERN)]],
        Query(
            max_length=100,
            description="`field=column`, `field={template}` or `field=column[other=value]`, for"
            " each field; none: columns that are named like fields.",
            examples=[["account_id=acct-{id}", "name=company"]],
        ),
    ] = [],  # noqa: B006 - FastAPI copies it
    lookup: Annotated[
        list[Annotated[str, Query(max_length=1000, pattern=TEXT_PATTERN)]],
        Query(
            max_length=1000,
            description="`column:value=meaning`: what stands for a value of a column.",
            examples=[["type:13=Report Exported"]],
        ),
    ] = [],  # noqa: B006 - FastAPI copies it
    split: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=10,
            pattern=TEXT_PATTERN,
            description="The event name of a row is several, joined by it.",
        ),
    ] = None,
    *,
    dry_run: Annotated[bool, Query(description="Judge every row, store nothing.")] = False,
) -> ImportPlan:
    """Read from the query how the file is to be read."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    known = format or CONTENT_TYPES.get(content_type, FileFormat.CSV)
    return ImportPlan(kind, known, tuple(map), _lookups(lookup), split, dry_run)


def _lookups(pairs: Iterable[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for pair in pairs:
        column, has_value, rest = pair.partition(":")
        value, has_meaning, meaning = rest.partition("=")
        if not (has_value and has_meaning):
            raise MappingError(f"{pair!r} is not column:value=meaning.")
        found.setdefault(column, {})[value] = meaning
    return found


@router.post(
    "/imports",
    status_code=202,
    responses=problem_responses(400, 408, 413, 415),
    openapi_extra=UPLOAD_BODY,
)
def create_import(
    request: Request,
    caller: AccountWriter,
    change: AccountActor,
    wanted: Annotated[ImportPlan, Depends(parse_plan)],
    file: UploadDep,
    session: SessionDep,
) -> ImportOut:
    """Take a CSV or NDJSON file in, to be imported by the workers.

    The same file that is to be read in the same way is the same import, unless that one failed or
    was cancelled. Events need the scope `ingest:write` too.
    """
    if wanted.kind is ImportKind.EVENTS:
        caller.require(Scope.INGEST_WRITE)
    source = OpenFile(file)
    wanted.check(source)
    content = compute_fingerprint(source.blocks(0), limit=request.app.state.import_bytes)
    job, is_new = service.start_import(
        session,
        change,
        wanted,
        content,
        kind=service.UPLOAD_JOB,
        again_after={JobState.FAILED, JobState.CANCELLED},
    )
    if is_new:
        stored_file.store_file(session, caller.workspace_id, job.id, source.blocks(0))
    return ImportOut.of(job)


@router.get("/imports")
def list_imports(session: ReadSessionDep, caller: Reader, paging: PagingDep) -> Page[ImportOut]:
    """List imports, newest first. What has ended is kept for 30 days."""
    found = jobs.list_jobs(session, caller.workspace_id, paging, kinds=service.JOB_KINDS)
    return found.to_page(ImportOut.of)


@router.get("/imports/{import_id}")
def get_import(import_id: Id, session: ReadSessionDep, caller: Reader) -> ImportOut:
    """Show how far an import is, and what has become of its rows so far."""
    return ImportOut.of(service.get_import(session, caller.workspace_id, import_id))


@router.get("/imports/{import_id}/errors")
def list_import_errors(
    import_id: Id, session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[ImportRowErrorOut]:
    """List rows that could not be used, in the order of the file; at most the first 10,000."""
    service.get_import(session, caller.workspace_id, import_id)
    found = queries.list_errors(session, caller.workspace_id, import_id, paging)
    return found.to_page(ImportRowErrorOut.model_validate)


@router.post("/imports/{import_id}/cancel", responses=problem_responses(409))
def cancel_import(import_id: Id, session: SessionDep, caller: AccountWriter, now: Now) -> ImportOut:
    """End an import. What its pages have stored so far stays; the uploaded file goes."""
    job = service.get_import(session, caller.workspace_id, import_id, lock=True)
    job_service.cancel(job, now=now)
    service.finish_import(session, caller.workspace_id, job, now=now)
    return ImportOut.of(job)
