"""Imports over HTTP: upload a file, follow its import, list row errors, cancel."""

from collections.abc import AsyncGenerator, Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page, PagingDep
from app.core.schemas import NO_NUL, Id, problem_responses
from app.imports import queries, service
from app.imports.kinds import ImportKind
from app.imports.mapping import MappingError
from app.imports.plan import ImportPlan
from app.imports.records import FileFormat
from app.imports.schemas import UPLOAD_BODY, ImportOut, ImportRowErrorOut
from app.imports.uploads import PreparedUpload, receive_upload, store_chunks
from app.jobs import queries as jobs
from app.jobs import service as job_service
from app.workspaces.auth import AccountActor, AccountWriter, Reader
from app.workspaces.keys import Scope

router = APIRouter(
    prefix="/api/v1",
    tags=["imports"],
    responses=problem_responses(401, 403, 404, 422),
    route_class=DeclaredRoute,
)

CONTENT_TYPES = {"text/csv": FileFormat.CSV, "application/x-ndjson": FileFormat.NDJSON}
RuleText = Annotated[str, Query(max_length=1000, pattern=NO_NUL)]


def parse_plan(
    request: Request,
    kind: Annotated[ImportKind, Query(description="What the rows of the file are.")],
    format: Annotated[  # noqa: A002 - the name in the API
        FileFormat | None,
        Query(description="Default: by the Content-Type, and CSV if that is neither."),
    ] = None,
    map: Annotated[  # noqa: A002 - the name in the API
        list[RuleText],
        Query(
            max_length=100,
            description="The source of a field: `field=column`, `field={template}` or"
            " `field=column[other=value]`. Without any, columns named like fields are used.",
            examples=[["account_id=acct-{id}", "name=company"]],
        ),
    ] = [],  # noqa: B006 - FastAPI copies it
    lookup: Annotated[
        list[RuleText],
        Query(
            max_length=1000,
            description="Replaces a value of a column: `column:value=replacement`.",
            examples=[["type:13=Report Exported"]],
        ),
    ] = [],  # noqa: B006 - FastAPI copies it
    split: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=10,
            pattern=NO_NUL,
            description="Separates several event names in one cell: each becomes an event.",
            examples=[";"],
        ),
    ] = None,
    *,
    dry_run: Annotated[
        bool, Query(description="Whether to check all rows without storing anything.")
    ] = False,
    inclusive_ends: Annotated[
        bool,
        Query(
            description="Subscriptions only: whether `ends_on` is the last paid day. Default: it is"
            " the first day that is not paid."
        ),
    ] = False,
) -> ImportPlan:
    """Build the import plan from the query parameters and the Content-Type."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    file_format = format or CONTENT_TYPES.get(content_type, FileFormat.CSV)
    lookups = _lookups(lookup)
    return ImportPlan(kind, file_format, tuple(map), lookups, split, dry_run, inclusive_ends)


def _lookups(texts: Iterable[str]) -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    for text in texts:
        column, has_value, rest = text.partition(":")
        value, has_replacement, replacement = rest.partition("=")
        if not (has_value and has_replacement):
            raise MappingError(f"The look-up {text!r} must have the form column:value=replacement.")
        tables.setdefault(column, {})[value] = replacement
    return tables


async def get_upload(
    request: Request, caller: AccountWriter, plan: Annotated[ImportPlan, Depends(parse_plan)]
) -> AsyncGenerator[PreparedUpload]:
    """Yield the complete body, checked with the plan, before a database slot is requested."""
    if plan.kind is ImportKind.EVENTS:
        caller.require(Scope.INGEST_WRITE)
    async with receive_upload(request, caller.workspace_id, plan) as upload:
        yield upload


@router.post(
    "/imports",
    status_code=202,
    responses=problem_responses(400, 408, 413, 415, 429),
    openapi_extra=UPLOAD_BODY,
    summary="Start an import",
)
def create_import(
    caller: AccountWriter,
    actor: AccountActor,
    upload: Annotated[PreparedUpload, Depends(get_upload, scope="function")],
    session: SessionDep,
) -> ImportOut:
    """Upload a CSV or NDJSON file, plain or gzipped. The workers import it in the background.

    Idempotent: the same file with the same parameters returns the existing import, unless that
    one failed or was cancelled. Events also require the scope `ingest:write`. A workspace has at
    most two uploads at a time; a third is answered with 429.
    """
    job, is_new = service.start_import(
        session, actor, upload.plan, upload.fingerprint, kind=service.UPLOAD_JOB
    )
    if is_new:
        store_chunks(session, caller.workspace_id, job.id, upload.chunks)
    return ImportOut.from_job(job)


@router.get("/imports", summary="List imports")
def list_imports(session: ReadSessionDep, caller: Reader, paging: PagingDep) -> Page[ImportOut]:
    """List imports, newest first. Imports are deleted 30 days after they ended."""
    rows = jobs.list_jobs(session, caller.workspace_id, paging, kinds=service.JOB_KINDS)
    return rows.to_page(ImportOut.from_job)


@router.get("/imports/{import_id}", summary="Get an import")
def get_import(import_id: Id, session: ReadSessionDep, caller: Reader) -> ImportOut:
    """Return the state, progress and result of an import."""
    return ImportOut.from_job(service.get_import(session, caller.workspace_id, import_id))


@router.get("/imports/{import_id}/errors", summary="List an import's row errors")
def list_import_errors(
    import_id: Id, session: ReadSessionDep, caller: Reader, paging: PagingDep
) -> Page[ImportRowErrorOut]:
    """List rows that could not be imported, in the order of the file.

    Only the first 10,000 errors are stored; `rejected` of the import counts all.
    """
    service.get_import(session, caller.workspace_id, import_id)
    rows = queries.list_errors(session, caller.workspace_id, import_id, paging)
    return rows.to_page(ImportRowErrorOut.model_validate)


@router.post(
    "/imports/{import_id}/cancel", responses=problem_responses(409), summary="Cancel an import"
)
def cancel_import(import_id: Id, session: SessionDep, caller: AccountWriter, now: Now) -> ImportOut:
    """End a queued or running import and delete the uploaded file.

    Rows that were stored already are kept. Cancelling a cancelled import has no effect.
    """
    job = service.get_import(session, caller.workspace_id, import_id, lock=True)
    job_service.cancel(job, now=now)
    service.finish_import(session, caller.workspace_id, job, now=now)
    return ImportOut.from_job(job)
