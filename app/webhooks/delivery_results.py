"""Record finished attempts: the delivery, the attempt log, and the state of the endpoint."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.core import metrics
from app.core.logs import get_logger
from app.webhooks import delivery_queries, outbox, queries
from app.webhooks.delivery_queries import ClaimedDelivery
from app.webhooks.endpoint_state import (
    DISABLED_AFTER,
    MAX_PAUSE,
    AttemptResult,
    DisableReason,
    EndpointState,
)
from app.webhooks.http_client import DEADLINE_SECONDS, DISABLE, HttpOutcome
from app.webhooks.outbox import NewMessage
from app.webhooks.retry import (
    DELAYS,
    MAX_WAIT,
    longest_wait,
    next_attempt_at,
    parse_retry_after,
)
from app.webhooks.tables import WebhookEndpoint

log = get_logger()

LEASE = timedelta(seconds=2 * DEADLINE_SECONDS)
"""How long a claimed delivery is held."""

GONE = 410
RETRY_AFTER_STATUSES = {429, 503}
CLAIM_COLUMNS = ("workspace_id", "endpoint_id", "message_id", "token")
OUTCOME_COLUMNS = ("milliseconds", "status", "error", "response")


@dataclass(frozen=True, slots=True)
class FinishedAttempt:
    """A claimed delivery that was tried. ``at``: when the attempt ended."""

    claimed: ClaimedDelivery
    outcome: HttpOutcome
    at: datetime

    @property
    def wait(self) -> timedelta | None:
        if self.outcome.succeeded:
            return None
        return parse_retry_after(self.outcome.retry_after, self.at)

    @property
    def result(self) -> AttemptResult:
        status = self.outcome.status
        disable = DisableReason.REQUESTED if DISABLE in self.outcome.orders else None
        return AttemptResult(
            self.at,
            self.outcome.succeeded or self.outcome.aborts_message,
            disable=DisableReason.GONE if status == GONE else disable,
            wait=self.wait if status in RETRY_AFTER_STATUSES else None,
        )


def record_delivery_results(
    session: Session, attempts: Sequence[FinishedAttempt], *, now: datetime
) -> None:
    """Write attempts, the next states of their deliveries, and the new states of the endpoints.

    Attempts whose claim was lost change nothing and are counted as stale.
    """
    if not attempts:
        return
    recorded = delivery_queries.record_results(session, [_row(each) for each in attempts])
    valid = [each for each in attempts if each.claimed.delivery_key in recorded]
    metrics.STALE_DELIVERY_RESULTS.inc(len(attempts) - len(valid))
    for each in valid:
        label = "delivered" if each.outcome.succeeded else each.outcome.error or "refused"
        metrics.WEBHOOK_ATTEMPTS.labels(label).inc()
        metrics.WEBHOOK_SECONDS.observe(each.outcome.milliseconds / 1000)
    _update_endpoints(session, valid, now)


def limit_waits(session: Session, *, now: datetime, clock_went_back: bool) -> None:
    """Bring due times forward that lie further ahead than any wait is long.

    ``clock_went_back``: all due times were written by a later clock. Then the waits that receivers
    asked for end too, because nothing distinguishes them from wrong times.
    """
    requested = timedelta() if clock_went_back else MAX_WAIT
    tried = [max(longest_wait(n), requested) for n in range(1, len(DELAYS))]
    delivery_queries.limit_waits(
        session,
        [now + wait for wait in (longest_wait(0), *tried)],
        lease_until=now + LEASE,
        resume_at=now + max(MAX_PAUSE, requested),
    )


def _row(attempt: FinishedAttempt) -> Mapping[str, Any]:
    claimed, outcome = attempt.claimed, attempt.outcome
    next_at = None
    if not outcome.aborts_message:
        next_at = next_attempt_at(
            claimed.message_id, claimed.attempts + 1, attempt.at, wait=attempt.wait
        )
    state = "delivered" if outcome.succeeded else "pending" if next_at else "failed"
    return {
        **{name: getattr(claimed, name) for name in CLAIM_COLUMNS},
        **{name: getattr(outcome, name) for name in OUTCOME_COLUMNS},
        "state": state,
        "due_at": next_at or attempt.at,
        "at": attempt.at,
    }


def _update_endpoints(session: Session, attempts: Iterable[FinishedAttempt], now: datetime) -> None:
    results: dict[tuple[str, str], list[AttemptResult]] = defaultdict(list)
    for attempt in sorted(attempts, key=lambda attempt: attempt.at):
        results[attempt.claimed.endpoint_key].append(attempt.result)
    succeeded = [
        key
        for key, each in results.items()
        if all(one.succeeded and not one.disable for one in each)
    ]
    failed = sorted(results.keys() - set(succeeded))
    for endpoint in delivery_queries.lock_affected_endpoints(
        session, failed=failed, succeeded=succeeded
    ):
        before = endpoint.status
        endpoint.status = before.after(results[endpoint.workspace_id, endpoint.id])
        if endpoint.state != EndpointState.DISABLED and endpoint.warned > before.warned:
            _announce_failing(session, endpoint, now)
        if endpoint.state == before.state:
            continue
        log.info("webhook_endpoint_changed", endpoint_id=endpoint.id, state=endpoint.state)
        if endpoint.state == EndpointState.DISABLED:
            _announce_disabled(session, endpoint, now)


def _announce_disabled(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    """Fail the endpoint's pending deliveries; publish ``endpoint.disabled`` to other endpoints."""
    session.flush()
    queries.fail_pending_deliveries(session, endpoint.workspace_id, endpoint.id, now=now)
    _announce(session, endpoint, "endpoint.disabled", {"reason": endpoint.reason}, now)


def _announce_failing(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    """Warn the other endpoints that this one will be disabled if it goes on failing."""
    session.flush()
    since = endpoint.failing_since or now
    values = {
        "percent": endpoint.warned,
        "failures": endpoint.failures,
        "disabled_from": since + DISABLED_AFTER,
    }
    _announce(session, endpoint, "endpoint.failing", values, now)


def _announce(
    session: Session,
    endpoint: WebhookEndpoint,
    type_: str,
    values: Mapping[str, Any],
    now: datetime,
) -> None:
    data = {
        "endpoint_id": endpoint.id,
        "name": endpoint.name,
        "failing_since": endpoint.failing_since,
        "link": f"/api/v1/webhook-endpoints/{endpoint.id}",
        **values,
    }
    message = NewMessage(type_, data)
    outbox.publish(session, endpoint.workspace_id, [message], now=now, but=endpoint.id)
