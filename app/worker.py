"""The worker process: refreshes what is due, binds waiting events, and keeps house."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from app import pipeline
from app.core import parent, partitions
from app.core.clock import Clock
from app.core.db import Sessions, transaction
from app.core.settings import Settings
from app.events import queries as events
from app.events import service as ingestion

log = structlog.get_logger()

IDLE_SECONDS = 0.1
TROUBLE_SECONDS = 1.0
UPKEEP_SECONDS = 60.0
ATTRIBUTE_SECONDS, ATTRIBUTE_AT_LEAST_SECONDS = 1.0, 60.0


@dataclass
class Worker:
    """One loop over short transactions; several workers share the work through row locks."""

    sessions: Sessions
    settings: Settings
    clock: Clock
    stopping: threading.Event = field(default_factory=threading.Event)
    _next_upkeep: float = 0
    _next_attribution: float = 0
    _attribution_pause: float = ATTRIBUTE_SECONDS

    def run(self) -> None:
        while not self.stopping.is_set() and not parent.is_gone():
            try:
                if not self.step():
                    self.stopping.wait(IDLE_SECONDS)
            except DBAPIError as error:
                log.warning("database_trouble", error=type(error.orig).__name__)
                self.stopping.wait(TROUBLE_SECONDS)

    def step(self) -> bool:
        """Do what is due. Returns whether there may be more at once."""
        if time.monotonic() >= self._next_upkeep:
            self.keep_house()
            self._next_upkeep = time.monotonic() + UPKEEP_SECONDS
        if time.monotonic() >= self._next_attribution:
            self.attribute()
        return pipeline.refresh_due(self.sessions, now=self.clock()) > 0

    def attribute(self) -> None:
        """Bind waiting events; look less often while there is nothing to bind."""
        moved = ingestion.attribute(self.sessions, now=self.clock())
        slower = min(self._attribution_pause * 2, ATTRIBUTE_AT_LEAST_SECONDS)
        self._attribution_pause = ATTRIBUTE_SECONDS if moved else slower
        self._next_attribution = time.monotonic() + (0 if moved else self._attribution_pause)

    def keep_house(self) -> None:
        """Make partitions ahead, drop what is past retention, and sweep once a day."""
        now = self.clock()
        days = self.settings
        events_before = now - timedelta(days=days.event_retention_days)
        usage_before = now - timedelta(days=days.usage_retention_days)
        quarantine_before = now - timedelta(days=days.quarantine_retention_days)
        with transaction(self.sessions) as session:
            partitions.make_ahead(session, today=now.date())
        with transaction(self.sessions) as session:
            partitions.drop_old(session, "event", before=events_before)
            partitions.drop_old(session, "daily_usage", before=usage_before)
            partitions.drop_old(session, "daily_reach", before=usage_before)
            events.drop_old_quarantined(session, before=quarantine_before)
            events.drop_old_unattributed(session, before=events_before)
        with transaction(self.sessions) as session:
            pipeline.sweep(session, today=now.date())


def stop_on_signals(stop: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
