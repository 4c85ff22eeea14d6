"""Points of the product at which a process of the suite kills itself or the database.

``python -m tests.faults.failpoints serve`` is ``python -m app serve`` with one of them armed, by
the environment variables that ``armed`` returns: at the n-th pass of it a process is killed.
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from app.__main__ import main
from app.core import clock

POINT, PASS, POSTMASTER = "FAULT_POINT", "FAULT_PASS", "FAULT_POSTMASTER"
SIGNAL, CLOCK = "FAULT_SIGNAL", "FAULT_CLOCK"
STORES_EVENTS = "INSERT INTO event ("

Hit = Callable[[], None]


def armed(
    point: str,
    number: int,
    postmaster_file: Path | None = None,
    *,
    sends: signal.Signals = signal.SIGKILL,
) -> Mapping[str, str]:
    """Return the environment that sends a signal at the n-th pass of a point.

    It is sent to the process itself, or to the database server whose process id is in
    ``postmaster_file``.
    """
    values = {POINT: point, PASS: number, POSTMASTER: postmaster_file or "", SIGNAL: int(sends)}
    return {name: str(value) for name, value in values.items()}


def _nothing() -> None:
    """Where a point needs no hit."""


def before_store(hit: Hit) -> None:
    """Before a batch is committed. A plain batch is one statement, which commits by itself."""
    _when_storing_plainly("before_cursor_execute", hit)
    event.listen(Engine, "commit", lambda _: hit())


def after_store(hit: Hit) -> None:
    """After a batch is committed, before it is acknowledged."""
    _when_storing_plainly("after_cursor_execute", hit)
    event.listen(Session, "after_commit", lambda _: hit())


def after_claim(hit: Hit) -> None:
    """After accounts to score are claimed."""
    _after_claim_of_accounts(hit)


def before_score_commit(hit: Hit) -> None:
    """After accounts are scored, before that is committed."""
    scoring = _after_claim_of_accounts(_nothing)
    event.listen(Engine, "commit", lambda _: hit() if scoring.is_set() else None)


def after_score_commit(hit: Hit) -> None:
    """After the scores of accounts are committed."""
    scoring = _after_claim_of_accounts(_nothing)
    event.listen(Session, "after_commit", lambda _: hit() if scoring.is_set() else None)


def before_send(hit: Hit) -> None:
    """After a delivery is claimed, before its request is sent."""
    _when_sending(before=hit)


def after_send(hit: Hit) -> None:
    """After the receiver has answered."""
    _when_sending(after=hit)


def before_settle(hit: Hit) -> None:
    """Before the results of deliveries are recorded."""
    _when_settling(before=hit)


def before_settle_commit(hit: Hit) -> None:
    """After the results of deliveries are recorded, before that is committed."""
    settling = _when_settling(before=_nothing)
    event.listen(Engine, "commit", lambda _: hit() if settling.is_set() else None)


def _when_storing_plainly(
    moment: Literal["before_cursor_execute", "after_cursor_execute"], hit: Hit
) -> None:
    """Hit at a statement that stores events and commits by itself."""

    def execute(connection: Connection, _: object, statement: str, *_rest: object) -> None:
        by_itself = getattr(connection.connection.dbapi_connection, "autocommit", False)
        if STORES_EVENTS in statement and by_itself:
            hit()

    event.listen(Engine, moment, execute)


def _when_sending(*, before: Hit = _nothing, after: Hit = _nothing) -> None:
    from app.webhooks.http_client import HttpClient  # noqa: PLC0415 - loaded after the metrics

    send = HttpClient.post

    async def post(*arguments: Any, **named: Any) -> object:  # noqa: ANN401 - as it is called
        before()
        outcome = await send(*arguments, **named)
        after()
        return outcome

    HttpClient.post = post  # type: ignore[method-assign, assignment]


class _InThread(threading.local):
    """A flag of each thread: a worker scores and delivers in different threads."""

    value = False

    def is_set(self) -> bool:
        return self.value


def _after_claim_of_accounts(hit: Hit) -> _InThread:
    """Return a flag that is set while the thread has claimed accounts."""
    from app import pipeline  # noqa: PLC0415 - loaded after the metrics
    from app.accounts import refresh_queue  # noqa: PLC0415

    scoring, claim = _InThread(), refresh_queue.claim_due

    @wraps(claim)
    def claim_due(*arguments: Any, **named: Any) -> object:  # noqa: ANN401 - as it is called
        claimed = claim(*arguments, **named)
        scoring.value = bool(claimed)
        if claimed:
            hit()
        return claimed

    vars(pipeline)["claim_due"] = claim_due
    return scoring


def _when_settling(*, before: Hit) -> _InThread:
    """Return a flag that is set while the thread has results to record."""
    from app.webhooks import delivery_results, delivery_worker  # noqa: PLC0415 - as above

    settling, record = _InThread(), delivery_results.record_delivery_results

    @wraps(record)
    def record_results(session: Session, attempts: Any, **named: Any) -> None:  # noqa: ANN401
        settling.value = bool(attempts)
        if attempts:
            before()
        record(session, attempts, **named)

    vars(delivery_worker)["record_delivery_results"] = record_results
    return settling


POINTS: Mapping[str, Callable[[Hit], None]] = {
    each.__name__: each
    for each in (
        *(before_store, after_store),
        *(after_claim, before_score_commit, after_score_commit),
        *(before_send, after_send, before_settle, before_settle_commit),
    )
}
API_POINTS = ("before_store", "after_store")
WORKER_POINTS = tuple(name for name in POINTS if name not in API_POINTS)


def _sender(number: int, postmaster_file: str, sent: signal.Signals) -> Hit:
    """Return what is called at each pass of a point, and sends the signal at the n-th."""
    passes, lock = 0, threading.Lock()

    def hit() -> None:
        nonlocal passes
        with lock:
            passes += 1
            is_reached = passes == number
        if is_reached:
            os.kill(_victim(postmaster_file), sent)

    return hit


def _victim(postmaster_file: str) -> int:
    if not postmaster_file:
        return os.getpid()
    return int(Path(postmaster_file).read_text().split("\n", 1)[0])


def _launch() -> None:
    if point := os.environ.get(POINT):
        sent = signal.Signals(int(os.environ[SIGNAL]))
        POINTS[point](_sender(int(os.environ[PASS]), os.environ[POSTMASTER], sent))
    if file := os.environ.get(CLOCK):
        _set_clock_by(Path(file))
    main()


def _set_clock_by(file: Path) -> None:
    """Let the clock of the product be wrong by the seconds that a file has at the time."""

    class WrongClock(clock.DatabaseClock):
        def __call__(self) -> datetime:
            return super().__call__() + timedelta(seconds=float(file.read_text() or 0))

    vars(clock)["DatabaseClock"] = WrongClock  # nothing has imported it yet


if __name__ == "__main__":
    _launch()
