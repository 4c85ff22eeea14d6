"""Small files, and what they are imported with."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.core.db import SessionFactory, transaction
from app.imports import service, stored
from app.imports.files import content_of
from app.imports.plan import Plan
from app.imports.running import Importer
from app.jobs.running import Runner
from app.jobs.states import State
from app.tables import Job
from app.workspaces.service import Actor
from tests.conftest import NOW


@dataclass(frozen=True)
class Text:
    """A file that is a text; ``piece``: in blocks of so many bytes."""

    content: bytes
    piece: int = 1 << 20

    def blocks(self, offset: int) -> Iterator[bytes]:
        for start in range(offset, len(self.content), self.piece):
            yield self.content[start : start + self.piece]


def begin(sessions: SessionFactory, plan: Plan, content: bytes) -> str:
    """Upload a file; return the id of its import."""
    source = Text(content)
    plan.check(source)
    with transaction(sessions) as session:
        job, is_new = service.begin(
            session,
            Actor("acme", "test", NOW),
            plan,
            content_of(source.blocks(0)),
            kind=service.UPLOADED,
            again_after={State.FAILED, State.CANCELLED},
        )
        if is_new:
            stored.store(session, "acme", job.id, source.blocks(0))
        return job.id


def work_off(sessions: SessionFactory) -> None:
    """Do all imports that wait, in this thread: the sessions of a test share a connection."""
    runner = Runner(sessions, {service.UPLOADED: Importer(ahead=False)})
    while runner.step(NOW):
        pass


def imported(sessions: SessionFactory, plan: Plan, content: bytes) -> Job:
    """Import a file to its end."""
    import_id = begin(sessions, plan, content)
    work_off(sessions)
    with transaction(sessions) as session:
        return service.get(session, "acme", import_id)
