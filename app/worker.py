"""The worker process: refreshes what is due, binds waiting events, does jobs, keeps house."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import structlog
from sqlalchemy.exc import DBAPIError

from app import pipeline
from app.accounts.due import Priority
from app.alerts import service as alerts
from app.billing import service as billing
from app.changes import queries as changes
from app.changes.feed import RETENTION
from app.churn.training import job
from app.churn.training.job import Trainer
from app.core import parent_process, partitions
from app.core.clock import Clock
from app.core.db import SessionFactory, transaction
from app.core.encryption import Encryptor
from app.core.settings import Settings
from app.engagement import onboarding
from app.events import monitoring, stats_queries
from app.events import quarantine_queries as quarantine
from app.events.ingestion import attribution
from app.events.ingestion import queries as events
from app.health.overrides import service
from app.health.restatements import restate
from app.imports import service as imports
from app.imports.import_job import Importer
from app.interventions import outcome_job
from app.jobs import queries as jobs
from app.jobs.runner import JobRunner
from app.jobs.service import JobHandler
from app.lifecycle import processing as lifecycle
from app.reports.backtests import service as backtests
from app.webhooks import delivery_queries, recovery
from app.webhooks.connector import Connector
from app.webhooks.delivery_worker import DeliveryThread, DeliveryWorker
from app.webhooks.http_client import HttpClient

log = structlog.get_logger()

IDLE_SECONDS = 0.1
TROUBLE_SECONDS = 1.0
UPKEEP_SECONDS = 60.0
ATTRIBUTE_SECONDS = 1.0
LOOK_SECONDS, LOOK_TIMES = 60.0, 20
"""All waiting events are looked at so often, or as many times its own length apart."""
FOLD_SECONDS = 5.0
STATS_DAYS = 400
JOB_SECONDS = 0.5
TRAIN_SECONDS = 2.0
BILLING_SECONDS = 2.0
ALERT_SECONDS = 1.0
CHANGE_SECONDS = 0.5
OUTCOME_SECONDS = 60.0
JOB_DAYS = 30
OTHERS_EVERY = 5
"""Before every so many sets one is scored that is not live, so that a sweep goes on under load."""


def handlers() -> Mapping[str, JobHandler]:
    """Who does the pages of which kind of job."""
    return {
        restate.KIND: restate.restate_page,
        onboarding.KIND: onboarding.backfill_page,
        imports.UPLOAD_JOB: Importer(),
        backtests.KIND: backtests.run_backtest_page,
        recovery.KIND: recovery.recover_page,
    }


@dataclass
class Chore:
    """Work that is looked for again at once while there is some, else after a pause."""

    work: Callable[[], bool]
    pause_seconds: float
    next_at: float = 0

    def step(self) -> bool:
        if time.monotonic() < self.next_at:
            return False
        found = self.work()
        self.next_at = time.monotonic() + (0 if found else self.pause_seconds)
        return found


@dataclass
class Worker:
    """A loop over short transactions; several workers share the work through locks."""

    sessions: SessionFactory
    settings: Settings
    clock: Clock
    stopping: threading.Event = field(default_factory=threading.Event)
    _next_look: float = 0
    _turns: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.jobs = JobRunner(self.sessions, handlers())
        self.trainer = Trainer(self.sessions)
        self.chores: Sequence[Chore] = (
            Chore(self.keep_house, UPKEEP_SECONDS),
            Chore(self.attribute, ATTRIBUTE_SECONDS),
            Chore(self.fold, FOLD_SECONDS),
            Chore(self.refresh, 0),
            Chore(self.watch_alerts, ALERT_SECONDS),
            Chore(self.change_ids, CHANGE_SECONDS),
            Chore(self.settle_billing, BILLING_SECONDS),
            Chore(self.look_back, OUTCOME_SECONDS),
            Chore(self.do_job, JOB_SECONDS),
            Chore(self.train, TRAIN_SECONDS),
        )

    def run(self) -> None:
        """Work until told to stop; a second thread scores beside the loop (docs/adr/0030)."""
        with self.deliveries(), ThreadPoolExecutor(1, "refresh") as threads:
            beside = threads.submit(self._repeat, self.refresh)
            self._repeat(self.step)
        self.release()
        beside.result()

    def _repeat(self, work: Callable[[], bool]) -> None:
        """Do it again and again; whichever thread ends, the other one does too."""
        try:
            while not self.stopping.is_set() and not parent_process.is_gone():
                try:
                    if not work():
                        self.stopping.wait(IDLE_SECONDS)
                except DBAPIError as error:
                    log.warning("database_trouble", error=type(error.orig).__name__)
                    self.stopping.wait(TROUBLE_SECONDS)
        finally:
            self.stopping.set()

    def release(self) -> None:
        """Give back the jobs that it holds, and end the training that runs beside it."""
        for holder in (self.jobs, self.trainer):
            with suppress(DBAPIError):
                holder.release(self.clock())

    def deliveries(self) -> DeliveryThread:
        """Send messages from a thread beside the loop: neither waits for the other."""
        key = self.settings.encryption_key
        vault = Encryptor.of(key.get_secret_value() if key else None)
        sender = HttpClient(Connector(self.settings.allowed_networks))
        url = self.settings.public_url
        return DeliveryThread(
            DeliveryWorker(self.sessions, vault, sender, self.clock, public_url=url)
        )

    def step(self) -> bool:
        """Do a page of each chore that is due. Returns whether there may be more at once."""
        found = [chore.step() for chore in self.chores]  # each of them, whatever the others found
        return any(found)

    def refresh(self) -> bool:
        """Refresh what is most urgent; now and then what is not live before that."""
        done = 0
        turn, other = divmod(next(self._turns), OTHERS_EVERY)
        if other == 0:
            least = Priority.SWEEP if turn % 2 else Priority.SILENT
            done = pipeline.refresh_due(self.sessions, now=self.clock(), least=least)
        return pipeline.refresh_due(self.sessions, now=self.clock()) + done > 0

    def watch_alerts(self) -> bool:
        """Wake accounts whose alerts wait for time to pass, and tell what was held back."""
        now = self.clock()
        with transaction(self.sessions) as session:
            woken = alerts.mark_waiting_accounts_due(session, now=now)
        with transaction(self.sessions) as session:
            return alerts.send_held_notifications(session, now=now) + woken > 0

    def fold(self) -> bool:
        """Add up what batches have told of themselves, for the statistics."""
        monitoring.aggregate_stats(self.sessions)
        return False

    def settle_billing(self) -> bool:
        """Bind customers who are billed and whose account has become known."""
        return billing.reconcile_waiting(self.sessions, now=self.clock()) > 0

    def look_back(self) -> bool:
        """Note what came of interventions, and of who was in an experiment."""
        return outcome_job.evaluate_outcomes(self.sessions, now=self.clock()) > 0

    def do_job(self) -> bool:
        """Do a page of a job."""
        return self.jobs.step(self.clock())

    def train(self) -> bool:
        """Start the training of a model, or look after the one that runs beside us."""
        return self.trainer.step(self.clock())

    def change_ids(self) -> bool:
        """Do a page of what is to be erased or moved."""
        return lifecycle.process_next_page(self.sessions, now=self.clock())

    def attribute(self) -> bool:
        """Bind waiting events: those that a batch told of at once, all of them now and then."""
        started = time.monotonic()
        everything = started >= self._next_look
        moved = attribution.attribute_events(self.sessions, now=self.clock(), everything=everything)
        done = time.monotonic()
        if everything and not moved:
            self._next_look = done + max(LOOK_SECONDS, LOOK_TIMES * (done - started))
        return moved > 0

    def keep_house(self) -> bool:
        """Make partitions ahead, drop what is past retention, and sweep once a day."""
        now = self.clock()
        days = self.settings
        events_before = now - timedelta(days=days.event_retention_days)
        usage_before = now - timedelta(days=days.usage_retention_days)
        quarantine_before = now - timedelta(days=days.quarantine_retention_days)
        with transaction(self.sessions) as session:
            partitions.create_upcoming(session, today=now.date())
        with transaction(self.sessions) as session:
            partitions.drop_old(session, "event", before=events_before)
            partitions.drop_old(session, "daily_usage", before=usage_before)
            partitions.drop_old(session, "daily_reach", before=usage_before)
            quarantine.drop_old_quarantined(session, before=quarantine_before)
            stats_queries.drop_old_hours(session, before=now - timedelta(days=STATS_DAYS))
            events.drop_old_unattributed(session, before=events_before)
            changes.delete_old_changes(session, before=now - RETENTION)
            jobs.delete_finished_jobs(session, before=now - timedelta(days=JOB_DAYS))
        with transaction(self.sessions) as session:
            messages_before = now - timedelta(days=days.message_retention_days)
            delivery_queries.delete_old_messages(session, before=messages_before)
        monitoring.watch_sources(self.sessions, now=now)
        with transaction(self.sessions) as session:
            imports.finish_ended_imports(session, now=now)
        with transaction(self.sessions) as session:
            service.expire_overrides(session, now=now)
            pipeline.sweep(session, today=now.date())
        with transaction(self.sessions) as session:
            backtests.enqueue_activated(session, now=now)
        with transaction(self.sessions) as session:
            job.enqueue_nightly(session, now=now)
        return False


def stop_on_signals(stop: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
