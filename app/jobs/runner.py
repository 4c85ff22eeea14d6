"""Do pages of jobs, so that whoever asks for the next page decides what comes between them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError

from app.core.db import SessionFactory, transaction
from app.core.errors import ProblemError
from app.jobs import service
from app.jobs.service import ClaimedJob, JobHandler, LostLeaseError

log = structlog.get_logger()

TIME_SLICE = timedelta(seconds=10)
"""How long one job is worked at before others that wait get their turn."""


@dataclass
class JobRunner:
    """Holds one job at a time, from page to page."""

    sessions: SessionFactory
    handlers: Mapping[str, JobHandler]
    work: ClaimedJob | None = None
    turn_ends_at: datetime | None = None

    def step(self, now: datetime) -> bool:
        """Do one page of one job. Returns whether there was one to do.

        Trouble with the database is raised: the job is held, and its page tried again.
        """
        if self.work is None:
            self.work = service.claim(self.sessions, self.handlers.keys(), now=now)
            self.turn_ends_at = now + TIME_SLICE
        if self.work is None:
            return False
        try:
            self._page(self.work, now)
        except LostLeaseError:
            log.info("job_lost", job_id=self.work.id)
            self.work = None
        return True

    def _page(self, held: ClaimedJob, now: datetime) -> None:
        work = service.renew_lease(self.sessions, held, now=now)
        try:
            more = self.handlers[work.kind](self.sessions, work, now)
        except LostLeaseError:
            raise
        except Exception as error:
            if _passes(error):
                raise
            self._note_failure(work, error, now)
            return
        if not more:
            with transaction(self.sessions) as session:
                service.finish(session, work, now=now)
            self.work = None
        elif self.turn_ends_at is not None and now >= self.turn_ends_at:
            self.release(now)

    def _note_failure(self, work: ClaimedJob, error: Exception, now: datetime) -> None:
        log.warning("job_page_failed", job_id=work.id, kind=work.kind, exc_info=error)
        with transaction(self.sessions) as session:
            if service.record_failure(session, work, _reason(error), now=now):
                self.work = None

    def release(self, now: datetime) -> None:
        """Let others go on with the job at once."""
        if self.work is not None:
            with suppress(LostLeaseError), transaction(self.sessions) as session:
                service.release(session, self.work, now=now)
            self.work = None


def _passes(error: Exception) -> bool:
    """Whether it is trouble with the database, which says nothing about the page."""
    broken = isinstance(error, DBAPIError) and error.connection_invalidated
    return broken or isinstance(error, OperationalError)


def _reason(error: Exception) -> str:
    """Say what stood in the way: our own sentences as they are, of a bug only its kind."""
    if isinstance(error, ProblemError):
        return error.detail
    return f"Something is wrong on our side ({type(error).__name__})."
