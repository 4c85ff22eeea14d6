"""When a request is repeated, and what its answer means."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from random import random
from time import time
from typing import Any

import httpx

from customer_health._generated.errors import BY_CODE, BY_STATUS
from customer_health.api_errors import ApiError, ConnectionLostError
from customer_health.calls import Call

Outcome = httpx.Response | httpx.TransportError

NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Nothing was sent: any request may be repeated."""
ANSWERED_BY_NOBODY_YET = {429, 503}
KEY_IN_USE = 409
"""With ``Retry-After``: the first request with the idempotency key is still in progress."""


@dataclass(frozen=True, slots=True)
class Retries:
    """``attempts``: requests in all. ``longest_wait``: a longer ``Retry-After`` is an error."""

    attempts: int = 5
    longest_wait: float = 60.0

    def wait_after(self, call: Call, attempt: int, outcome: Outcome) -> float | None:
        """Return the seconds until the next attempt; None if there is none."""
        if attempt >= self.attempts or not _may_repeat(call, outcome):
            return None
        wait = retry_after(outcome) if isinstance(outcome, httpx.Response) else None
        if wait is None:
            wait = min(0.5 * 2 ** (attempt - 1), self.longest_wait) * (1 + random()) / 2  # noqa: S311
        return wait if wait <= self.longest_wait else None


def _may_repeat(call: Call, outcome: Outcome) -> bool:
    if isinstance(outcome, httpx.TransportError):
        return call.is_safe_to_repeat or isinstance(outcome, NOT_CONNECTED)
    is_busy = outcome.status_code == KEY_IN_USE and "retry-after" in outcome.headers
    return is_busy or outcome.status_code in ANSWERED_BY_NOBODY_YET


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that an answer asks to wait: a number, or a date as proxies send it."""
    text = response.headers.get("retry-after", "")
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except ValueError:
        return None


def read_answer(call: Call, outcome: Outcome) -> Any:  # noqa: ANN401 - any JSON
    """Return the answer of a call; raise its problem, or that there is no answer."""
    if isinstance(outcome, httpx.TransportError):
        text = f"{call.method} {call.template}: no answer ({type(outcome).__name__}: {outcome})"
        raise ConnectionLostError(text) from outcome
    if outcome.is_success:
        return outcome.json() if outcome.content else None
    problem = _problem(outcome)
    by_status = BY_STATUS.get(outcome.status_code, ApiError)
    kind = BY_CODE.get(problem.get("code", ""), by_status)
    raise kind(outcome.status_code, problem, retry_after(outcome))


def _problem(response: httpx.Response) -> dict[str, Any]:
    """Return the problem of an answer; its text if a proxy answered, not the service."""
    try:
        found = response.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"detail": response.text[:500]}
