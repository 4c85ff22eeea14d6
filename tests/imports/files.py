"""Small files and helpers that import them."""

from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile

from app.core.db import SessionFactory, transaction
from app.imports import service
from app.imports.import_job import Importer
from app.imports.plan import ImportPlan
from app.imports.uploads import prepare_upload, store_chunks
from app.jobs.runner import JobRunner
from app.tables import Job
from app.workspaces.service import Actor
from tests.conftest import NOW


@dataclass(frozen=True)
class TextSource:
    """A file from bytes in memory, read in blocks of ``piece`` bytes."""

    content: bytes
    piece: int = 1 << 20

    def blocks(self, offset: int) -> Iterator[bytes]:
        for start in range(offset, len(self.content), self.piece):
            yield self.content[start : start + self.piece]


def start_import(sessions: SessionFactory, plan: ImportPlan, content: bytes) -> str:
    """Upload a file. Return the id of its import."""
    with TemporaryFile() as file, transaction(sessions) as session:
        upload = prepare_upload(plan, TextSource(content), file)
        actor = Actor("acme", "test", NOW)
        job, is_new = service.start_import(
            session, actor, plan, upload.fingerprint, kind=service.UPLOAD_JOB
        )
        if is_new:
            store_chunks(session, "acme", job.id, upload.chunks)
        return job.id


def run_imports(sessions: SessionFactory) -> None:
    """Run all queued imports in this thread: the sessions of a test share one connection."""
    runner = JobRunner(sessions, {service.UPLOAD_JOB: Importer(read_ahead=False)})
    while runner.step(NOW):
        pass


def run_import(sessions: SessionFactory, plan: ImportPlan, content: bytes) -> Job:
    """Import a file to its end."""
    import_id = start_import(sessions, plan, content)
    run_imports(sessions)
    with transaction(sessions) as session:
        return service.get_import(session, "acme", import_id)
