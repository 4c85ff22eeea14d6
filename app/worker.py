"""The worker process: scores due accounts, attributes events, delivers webhooks, runs jobs."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy.exc import DBAPIError

from app import pipeline
from app.accounts.deadlines import schedule as deadlines
from app.accounts.refresh_queue import Priority
from app.alerts import service as alerts
from app.billing import service as billing
from app.changes import queries as changes
from app.changes import snapshots, sort_change_queries
from app.changes.feed import RETENTION
from app.churn.training import job as training_job
from app.churn.training.job import Trainer
from app.core import parent_process
from app.core.clock import Clock, DatabaseClock
from app.core.db import SessionFactory, transaction
from app.core.encryption import Encryptor
from app.core.errors import reason
from app.core.logs import OutageLog
from app.core.postgres import partitions
from app.core.postgres.commit_watch import Chore, CommitWatch
from app.core.postgres.engines import database_address
from app.core.settings import Settings
from app.digests import service as digests
from app.engagement import onboarding
from app.events.ingestion import attribution
from app.events.ingestion import queries as events
from app.events.quarantine import queries as quarantine
from app.events.sources import monitoring
from app.events.sources import queries as sources
from app.health.overrides import service as overrides
from app.health.restatements import restate
from app.imports import service as imports
from app.imports.import_job import Importer
from app.interventions import outcome_job
from app.jobs import queries as jobs
from app.jobs.runner import JobRunner
from app.jobs.service import JobHandler
from app.lifecycle import processing as lifecycle
from app.reports.backtests import job as backtest_job
from app.reports.backtests import service as backtests
from app.webhooks import delivery_queries, delivery_results, recovery
from app.webhooks.connector import Connector
from app.webhooks.delivery_worker import DeliveryThread, DeliveryWorker
from app.webhooks.http_client import HttpClient
from app.workspaces import idempotency_queries

IDLE_SECONDS = 0.1
DATABASE_ERROR_SECONDS = 1.0
CLOCK_SECONDS, TOLERATED_STEP = 1.0, timedelta(seconds=1)
HOUSEKEEPING_SECONDS = 60.0
ATTRIBUTION_SECONDS = 1.0
FULL_ATTRIBUTION_SECONDS, FULL_ATTRIBUTION_FACTOR = 60.0, 20
"""Pause between two passes over all unattributed events: at least these seconds, and at least
this many times the length of a pass."""
STATS_SECONDS = 5.0
STATS_DAYS = 400
JOB_SECONDS = 0.5
TRAINING_SECONDS = 2.0
BILLING_SECONDS = 2.0
ALERT_SECONDS = 1.0
DEADLINE_SECONDS = 1.0
ID_CHANGE_SECONDS = 0.5
BENCHMARK_SECONDS = 5.0
OUTCOME_SECONDS = 60.0
JOB_DAYS = 30
BACKGROUND_EVERY = 5
"""One set in this many is not of priority LIVE, so that a sweep makes progress under load."""


def job_handlers() -> Mapping[str, JobHandler]:
    """Return the function that processes a page of a job, by the kind of job."""
    return {
        restate.KIND: restate.restate_page,
        onboarding.KIND: onboarding.backfill_page,
        imports.UPLOAD_JOB: Importer(),
        backtests.KIND: backtest_job.run_backtest_page,
        recovery.KIND: recovery.recover_page,
    }


@dataclass
class Worker:
    """A loop over short transactions. Several workers share the work through locks."""

    sessions: SessionFactory
    settings: Settings
    clock: Clock
    stopping: threading.Event = field(default_factory=threading.Event)
    _next_full_attribution: float = 0
    _turns: Iterator[int] = field(default_factory=count)
    _latest: datetime | None = None

    def __post_init__(self) -> None:
        host = database_address(self.settings.database_url)
        self.outages = OutageLog("database_error", host=host)
        self.commits = CommitWatch(self.sessions)
        self.jobs = JobRunner(self.sessions, job_handlers())
        self.trainer = Trainer(self.sessions)
        self.chores: Sequence[Chore] = (
            Chore(self.follow_clock, CLOCK_SECONDS),
            Chore(self.housekeeping, HOUSEKEEPING_SECONDS),
            Chore(self.attribute_events, ATTRIBUTION_SECONDS),
            Chore(self.aggregate_stats, STATS_SECONDS),
            Chore(self.refit_benchmarks, BENCHMARK_SECONDS),
            Chore(self.refresh, 0),
            Chore(self.watch_deadlines, DEADLINE_SECONDS),
            Chore(self.watch_alerts, ALERT_SECONDS),
            Chore(self.process_id_changes, ID_CHANGE_SECONDS),
            Chore(self.reconcile_billing, BILLING_SECONDS),
            Chore(self.evaluate_outcomes, OUTCOME_SECONDS),
            Chore(self.run_job, JOB_SECONDS),
            Chore(self.train, TRAINING_SECONDS),
        )

    def run(self) -> None:
        """Work until asked to stop; a second thread only scores (docs/adr/0030)."""
        with self.deliveries(), ThreadPoolExecutor(1, "refresh") as threads:
            chore = Chore(self.refresh, 0)
            scoring = threads.submit(self._repeat, lambda: chore.step(self.commits.snapshot()))
            self._repeat(self.step)
        self.release()
        scoring.result()

    def _repeat(self, work: Callable[[], bool]) -> None:
        """Repeat until stopped; if one thread ends, so does the other."""
        try:
            while not self.stopping.is_set() and not parent_process.is_gone():
                try:
                    if not work():
                        self.stopping.wait(IDLE_SECONDS)
                except DBAPIError as error:
                    self.outages.report(reason=reason(error))
                    self.stopping.wait(DATABASE_ERROR_SECONDS)
        finally:
            self.stopping.set()

    def release(self) -> None:
        """Release the claimed jobs, and end the training process."""
        for claims in (self.jobs, self.trainer):
            with suppress(DBAPIError):
                claims.release(self.clock())

    def deliveries(self) -> DeliveryThread:
        """Return the thread that delivers webhooks independently of the loop."""
        key = self.settings.encryption_key
        encryptor = Encryptor.from_base64(key.get_secret_value() if key else None)
        client = HttpClient(Connector(self.settings.allowed_networks))
        worker = DeliveryWorker(
            self.sessions,
            encryptor,
            client,
            self.clock,
            self.commits,
            public_url=self.settings.public_url,
            outages=self.outages,
        )
        return DeliveryThread(worker)

    def step(self) -> bool:
        """Do one page of every chore that is due; return whether there may be more to do."""
        snapshot = self.commits.snapshot()
        worked = [chore.step(snapshot) for chore in self.chores]
        if any(worked):
            self.commits.forget()
        return any(worked)

    def follow_clock(self) -> bool:
        """Read the clock of the database. If it went back, end the waits that it made too long."""
        if isinstance(self.clock, DatabaseClock):
            self.clock.read(self.sessions)
        now = self.clock()
        went_back = self._latest is not None and now < self._latest - TOLERATED_STEP
        if went_back:
            with transaction(self.sessions) as session:
                delivery_results.limit_waits(session, now=now, clock_went_back=True)
        self._latest = now
        return False

    def refresh(self) -> bool:
        """Refresh the most urgent accounts; every fifth time also a set that is not LIVE."""
        done = 0
        turn, position = divmod(next(self._turns), BACKGROUND_EVERY)
        if position == 0:
            priority = Priority.SWEEP if turn % 2 else Priority.SILENT
            done = pipeline.refresh_due(self.sessions, now=self.clock(), from_priority=priority)
        return pipeline.refresh_due(self.sessions, now=self.clock()) + done > 0

    def refit_benchmarks(self) -> bool:
        """Fit benchmarks of today again where much data has come since."""
        return pipeline.refit_benchmarks(self.sessions, now=self.clock()) > 0

    def watch_deadlines(self) -> bool:
        """Make accounts due whose deadline has passed, such as that of a reply to a ticket."""
        with transaction(self.sessions) as session:
            return deadlines.mark_overdue_accounts_due(session, now=self.clock()) > 0

    def watch_alerts(self) -> bool:
        """Make accounts due whose alerts wait for time to pass; send held notifications."""
        now = self.clock()
        with transaction(self.sessions) as session:
            woken = alerts.mark_waiting_accounts_due(session, now=now)
        with transaction(self.sessions) as session:
            return alerts.send_held_notifications(session, now=now) + woken > 0

    def aggregate_stats(self) -> bool:
        """Add the tallies of batches to the hourly statistics."""
        monitoring.aggregate_stats(self.sessions)
        return False

    def reconcile_billing(self) -> bool:
        """Match billed customers with accounts that have become known."""
        return billing.reconcile_waiting(self.sessions, now=self.clock()) > 0

    def evaluate_outcomes(self) -> bool:
        """Record the outcomes of interventions and of experiment assignments."""
        return outcome_job.evaluate_outcomes(self.sessions, now=self.clock()) > 0

    def run_job(self) -> bool:
        """Process a page of a job."""
        return self.jobs.step(self.clock())

    def train(self) -> bool:
        """Start the training of a model, or check the training process that is running."""
        return self.trainer.step(self.clock())

    def process_id_changes(self) -> bool:
        """Process a page of an erasure, a rename or a merge."""
        return lifecycle.process_next_page(self.sessions, now=self.clock())

    def attribute_events(self) -> bool:
        """Attribute waiting events: marked ones at once, all of them now and then."""
        started = time.monotonic()
        everything = started >= self._next_full_attribution
        moved = attribution.attribute_events(self.sessions, now=self.clock(), everything=everything)
        ended = time.monotonic()
        if everything and not moved:
            pause = max(FULL_ATTRIBUTION_SECONDS, FULL_ATTRIBUTION_FACTOR * (ended - started))
            self._next_full_attribution = ended + pause
        return moved > 0

    def housekeeping(self) -> bool:
        """Create partitions, delete what is past its retention, and start the daily sweep."""
        now = self.clock()
        settings = self.settings
        events_before = now - timedelta(days=settings.event_retention_days)
        usage_before = now - timedelta(days=settings.usage_retention_days)
        quarantine_before = now - timedelta(days=settings.quarantine_retention_days)
        messages_before = now - timedelta(days=settings.message_retention_days)
        with transaction(self.sessions) as session:
            partitions.create_upcoming(session, today=now.date())
        with transaction(self.sessions) as session:
            partitions.drop_old(session, "event", before=events_before)
            partitions.drop_old(session, "daily_usage", before=usage_before)
            partitions.drop_old(session, "daily_reach", before=usage_before)
            quarantine.drop_old_quarantined(session, before=quarantine_before)
            sources.drop_old_hours(session, before=now - timedelta(days=STATS_DAYS))
            events.drop_old_unattributed(session, before=events_before)
            changes.delete_old_changes(session, before=now - RETENTION)
            sort_change_queries.delete_old_sort_changes(session, before=now - snapshots.RETENTION)
            jobs.delete_finished_jobs(session, before=now - timedelta(days=JOB_DAYS))
            idempotency_queries.delete_expired_keys(session)
        with transaction(self.sessions) as session:
            delivery_queries.delete_old_messages(session, before=messages_before)
            delivery_results.limit_waits(session, now=now, clock_went_back=False)
        monitoring.watch_sources(self.sessions, now=now)
        with transaction(self.sessions) as session:
            overrides.expire_overrides(session, now=now)
            pipeline.sweep(session, today=now.date())
        works = (imports.finish_ended_imports, backtests.enqueue_activated)
        for work in (*works, training_job.enqueue_nightly, digests.send_due_digests):
            with transaction(self.sessions) as session:
                work(session, now=now)
        return False


def stop_on_signals(stop: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
