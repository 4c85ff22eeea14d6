"""Do jobs page by page; the caller of ``step`` decides what runs between two pages."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.db import SessionFactory, transaction
from app.core.errors import ProblemError
from app.core.logs import get_logger
from app.core.outages import is_outage
from app.jobs import service
from app.jobs.service import ClaimedJob, JobHandler, LostLeaseError

log = get_logger()

TIME_SLICE = timedelta(seconds=10)
"""After this time a job is released, so that waiting jobs get a turn."""


@dataclass
class JobRunner:
    """Does jobs page by page. It holds one job at a time, over several pages.

    ``job``: one that the caller has claimed; it gets no time slice and runs to its end.
    """

    sessions: SessionFactory
    handlers: Mapping[str, JobHandler]
    job: ClaimedJob | None = None
    slice_ends_at: datetime | None = None

    def step(self, now: datetime) -> bool:
        """Do one page of one job. Return whether there was one.

        Database failures are raised and do not count as failures of the page: the job stays
        claimed, and the next call tries its page again.
        """
        if self.job is None:
            self.job = service.claim(self.sessions, self.handlers.keys(), now=now)
            self.slice_ends_at = now + TIME_SLICE
        if self.job is None:
            return False
        try:
            self._do_page(self.job, now)
        except LostLeaseError:
            log.info("job_lost", job_id=self.job.id)
            self.job = None
        return True

    def _do_page(self, claimed: ClaimedJob, now: datetime) -> None:
        job = service.renew_lease(self.sessions, claimed, now=now)
        try:
            more = self.handlers[job.kind](self.sessions, job, now)
        except LostLeaseError:
            raise
        except Exception as error:
            if is_outage(error):
                raise
            self._record_failure(job, error, now)
            return
        if not more:
            with transaction(self.sessions) as session:
                service.finish(session, job, now=now)
            self.job = None
        elif self._is_slice_over(now):
            self.release(now)

    def _is_slice_over(self, now: datetime) -> bool:
        """Whether other jobs get a turn; a clock that goes back does not prolong the slice."""
        if self.slice_ends_at is None:
            return False
        self.slice_ends_at = min(self.slice_ends_at, now + TIME_SLICE)
        return now >= self.slice_ends_at

    def _record_failure(self, job: ClaimedJob, error: Exception, now: datetime) -> None:
        log.warning("job_page_failed", job_id=job.id, kind=job.kind, exc_info=error)
        with transaction(self.sessions) as session:
            if service.record_failure(session, job, _reason(error), now=now):
                self.job = None

    def release(self, now: datetime) -> None:
        """Release the current job, so that another process can continue at once."""
        if self.job is not None:
            with suppress(LostLeaseError), transaction(self.sessions) as session:
                service.release(session, self.job, now=now)
            self.job = None


def _reason(error: Exception) -> str:
    """Return a sentence for the user; an unexpected error is named by its class only."""
    if isinstance(error, ProblemError):
        return error.detail
    return f"Internal error ({type(error).__name__}). The server's log has the details."
