"""What one turn of the sending worker does in the database: settle what was sent, claim more."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from app.core import metrics
from app.webhooks import delivery_queries, outbox, queries
from app.webhooks.delivery_queries import ClaimedDelivery
from app.webhooks.endpoint_state import AttemptResult, EndpointState, EndpointStatus
from app.webhooks.http_client import HttpOutcome
from app.webhooks.outbox import NewMessage
from app.webhooks.retry import next_attempt_at, parse_retry_after
from app.webhooks.tables import WebhookEndpoint

log = structlog.get_logger()

GONE = 410
RETRY_AFTER_STATUSES = {429, 503}


@dataclass(frozen=True, slots=True)
class FinishedAttempt:
    """A claimed delivery that was tried; ``at``: when it ended."""

    claimed: ClaimedDelivery
    outcome: HttpOutcome
    at: datetime

    @property
    def wait(self) -> timedelta | None:
        return None if self.outcome.worked else parse_retry_after(self.outcome.retry_after, self.at)

    @property
    def heard(self) -> AttemptResult:
        status = self.outcome.status
        return AttemptResult(
            self.at,
            self.outcome.worked,
            gone=status == GONE,
            wait=self.wait if status in RETRY_AFTER_STATUSES else None,
        )


def record_delivery_results(
    session: Session, sent: Sequence[FinishedAttempt], *, now: datetime
) -> None:
    """Write what came of deliveries, and what it says of their endpoints."""
    if not sent:
        return
    held = delivery_queries.record_results(session, [_row(each) for each in sent])
    kept = [each for each in sent if each.claimed.delivery in held]
    metrics.STALE_DELIVERY_RESULTS.inc(len(sent) - len(kept))
    for each in kept:
        metrics.WEBHOOK_ATTEMPTS.labels(_result(each.outcome)).inc()
        metrics.WEBHOOK_SECONDS.observe(each.outcome.milliseconds / 1000)
    _judge_endpoints(session, kept, now)


def _result(outcome: HttpOutcome) -> str:
    return "delivered" if outcome.worked else outcome.error or "refused"


def _row(sent: FinishedAttempt) -> Mapping[str, Any]:
    claimed, outcome = sent.claimed, sent.outcome
    again = next_attempt_at(claimed.message_id, claimed.attempts + 1, sent.at, wait=sent.wait)
    state = "delivered" if outcome.worked else "pending" if again else "failed"
    return {
        "workspace_id": claimed.workspace_id,
        "endpoint_id": claimed.endpoint_id,
        "message_id": claimed.message_id,
        "token": claimed.token,
        "state": state,
        "due_at": again or sent.at,
        "at": sent.at,
        "milliseconds": outcome.milliseconds,
        "status": outcome.status,
        "error": outcome.error,
        "response": outcome.response,
    }


def _judge_endpoints(session: Session, sent: Iterable[FinishedAttempt], now: datetime) -> None:
    heard: dict[tuple[str, str], list[AttemptResult]] = defaultdict(list)
    for each in sorted(sent, key=lambda each: each.at):
        heard[each.claimed.endpoint].append(each.heard)
    worked = [key for key, each in heard.items() if all(one.worked for one in each)]
    failed = sorted(heard.keys() - set(worked))
    for endpoint in delivery_queries.lock_affected_endpoints(session, failed=failed, worked=worked):
        before = read_status(endpoint)
        after = before.after(heard[endpoint.workspace_id, endpoint.id])
        write_status(endpoint, after)
        if after.state != before.state:
            log.info("webhook_endpoint", endpoint_id=endpoint.id, state=after.state)
        if after.state != before.state and after.state is EndpointState.DISABLED:
            _announce(session, endpoint, now)


def read_status(endpoint: WebhookEndpoint) -> EndpointStatus:
    return EndpointStatus(
        state=EndpointState(endpoint.state),
        failures=endpoint.failures,
        failing_since=endpoint.failing_since,
        resume_at=endpoint.resume_at,
    )


def write_status(endpoint: WebhookEndpoint, standing: EndpointStatus) -> None:
    for name, value in asdict(standing).items():
        setattr(endpoint, name, value)


def _announce(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    """Let what waits for a disabled endpoint have failed, and tell the others."""
    session.flush()
    queries.fail_pending_deliveries(session, endpoint.workspace_id, endpoint.id, now=now)
    data = {
        "endpoint_id": endpoint.id,
        "name": endpoint.name,
        "reason": endpoint.reason,
        "failing_since": endpoint.failing_since,
        "link": f"/api/v1/webhook-endpoints/{endpoint.id}",
    }
    told = NewMessage("endpoint.disabled", data)
    outbox.publish(session, endpoint.workspace_id, [told], now=now)
