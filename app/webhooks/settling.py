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
from app.webhooks.delivery_queries import Claimed
from app.webhooks.outbox import NewMessage
from app.webhooks.retry import next_at, retry_after
from app.webhooks.sending import Outcome
from app.webhooks.standing import Heard, Standing, State
from app.webhooks.tables import WebhookEndpoint

log = structlog.get_logger()

GONE = 410
ASKED_TO_WAIT = {429, 503}


@dataclass(frozen=True, slots=True)
class Sent:
    """A claimed delivery that was tried; ``at``: when it ended."""

    claimed: Claimed
    outcome: Outcome
    at: datetime

    @property
    def wait(self) -> timedelta | None:
        return None if self.outcome.worked else retry_after(self.outcome.retry_after, self.at)

    @property
    def heard(self) -> Heard:
        status = self.outcome.status
        return Heard(
            self.at,
            self.outcome.worked,
            gone=status == GONE,
            wait=self.wait if status in ASKED_TO_WAIT else None,
        )


def settle(session: Session, sent: Sequence[Sent], *, now: datetime) -> None:
    """Write what came of deliveries, and what it says of their endpoints."""
    if not sent:
        return
    held = delivery_queries.settle(session, [_row(each) for each in sent])
    kept = [each for each in sent if each.claimed.delivery in held]
    metrics.STALE_DELIVERY_RESULTS.inc(len(sent) - len(kept))
    for each in kept:
        metrics.WEBHOOK_ATTEMPTS.labels(_result(each.outcome)).inc()
        metrics.WEBHOOK_SECONDS.observe(each.outcome.milliseconds / 1000)
    _judge_endpoints(session, kept, now)


def _result(outcome: Outcome) -> str:
    return "delivered" if outcome.worked else outcome.error or "refused"


def _row(sent: Sent) -> Mapping[str, Any]:
    claimed, outcome = sent.claimed, sent.outcome
    again = next_at(claimed.message_id, claimed.attempts + 1, sent.at, wait=sent.wait)
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


def _judge_endpoints(session: Session, sent: Iterable[Sent], now: datetime) -> None:
    heard: dict[tuple[str, str], list[Heard]] = defaultdict(list)
    for each in sorted(sent, key=lambda each: each.at):
        heard[each.claimed.endpoint].append(each.heard)
    worked = [key for key, each in heard.items() if all(one.worked for one in each)]
    failed = sorted(heard.keys() - set(worked))
    for endpoint in delivery_queries.concerned(session, failed=failed, worked=worked):
        before = standing_of(endpoint)
        after = before.after(heard[endpoint.workspace_id, endpoint.id])
        stand(endpoint, after)
        if after.state != before.state:
            log.info("webhook_endpoint", endpoint_id=endpoint.id, state=after.state)
        if after.state != before.state and after.state is State.DISABLED:
            _announce(session, endpoint, now)


def standing_of(endpoint: WebhookEndpoint) -> Standing:
    return Standing(
        state=State(endpoint.state),
        failures=endpoint.failures,
        failing_since=endpoint.failing_since,
        resume_at=endpoint.resume_at,
    )


def stand(endpoint: WebhookEndpoint, standing: Standing) -> None:
    for name, value in asdict(standing).items():
        setattr(endpoint, name, value)


def _announce(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    """Let what waits for a disabled endpoint have failed, and tell the others."""
    session.flush()
    queries.give_up(session, endpoint.workspace_id, endpoint.id, now=now)
    data = {
        "endpoint_id": endpoint.id,
        "name": endpoint.name,
        "reason": endpoint.reason,
        "failing_since": endpoint.failing_since,
        "link": f"/api/v1/webhook-endpoints/{endpoint.id}",
    }
    told = NewMessage("endpoint.disabled", data)
    outbox.publish(session, endpoint.workspace_id, [told], now=now)
