"""Structured logs: one JSON line per event, with request and job ids, never payloads or keys.

Tracebacks contain no values either: of most exceptions only the class is logged, because messages
such as PostgreSQL's ``Key (user_id)=(eve) already exists`` quote rows and requests.
"""

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

# structlog loads rich, if it finds it, for tracebacks on terminals: 0.1 s and 5 MB of each process.
has_rich = "rich" in sys.modules
sys.modules.setdefault("rich", None)  # type: ignore[arg-type] # Python's way to say: not installed
import structlog  # noqa: E402
from structlog.contextvars import bound_contextvars  # noqa: E402

if not has_rich:
    del sys.modules["rich"]

__all__ = ["OutageLog", "bound_contextvars", "configure", "get_logger"]

PLAIN_ERRORS = (OSError, RuntimeError, ImportError, MemoryError)
"""Exceptions whose messages name files, addresses and states, and quote no data."""
PLAIN_SQLSTATES = ("08", "25", "40", "53", "55", "57", "58")
"""Classes of database errors about connections, locks, resources and the operator."""
STATEMENT_LENGTH = 300

get_logger = structlog.get_logger

OUTAGE_LINE_SECONDS = 60.0
MAX_REASONS = 100


class OutageLog:
    """Logs a failure that each request meets when it begins, then once a minute while it lasts.

    ``repeated`` in a line is how often it was met since the line before. Each code and reason has
    its own lines. ``host`` is in every line. Threads may share it.
    """

    def __init__(
        self, event: str, *, host: str = "", now: Callable[[], float] = time.monotonic
    ) -> None:
        self._event, self._host, self._now = event, host, now
        self._lines: dict[tuple[str, str], tuple[float, int]] = {}
        self._lock = threading.Lock()

    def report(self, *, reason: str, code: str = "") -> None:
        """Count a failure, and log it if its last line is a minute old."""
        key, now = (code, reason), self._now()
        with self._lock:
            if len(self._lines) >= MAX_REASONS:
                self._lines.clear()
            logged_at, repeated = self._lines.get(key, (now, 0))
            is_due = key not in self._lines or now - logged_at >= OUTAGE_LINE_SECONDS
            self._lines[key] = (now, 0) if is_due else (logged_at, repeated + 1)
        if is_due:
            log = get_logger().bind(**({"code": code} if code else {}))
            log.warning(self._event, host=self._host, reason=reason, repeated=repeated)


def configure(level: str) -> None:
    """Log JSON lines to stderr, or coloured text if stderr is a terminal."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(format_exception),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.setLogRecordFactory(_log_record)
    logging.lastResort = _LibraryLog()


class _LibraryLog(logging.Handler):
    """Logs what a library logs, such as the database driver, as one of our own lines."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        log = get_logger().bind(logger=record.name, message=record.getMessage())
        if record.exc_info:
            log = log.bind(exception=record.exc_text)
        is_error = record.levelno >= logging.ERROR
        log.log(record.levelno, "library_error" if is_error else "library_warning")


def _log_record(*arguments: Any, **named: Any) -> logging.LogRecord:  # noqa: ANN401 - as of logging
    """Make a record of a library, such as the web server, whose traceback contains no values."""
    record = logging.LogRecord(*arguments, **named)
    if record.exc_info and record.exc_info[1] is not None:
        record.exc_text = format_exception(record.exc_info)  # the formatter then uses this text
    return record


def format_exception(exc_info: Any) -> str:  # noqa: ANN401 - as structlog and logging pass it
    """Return the traceback of an exception and of its causes, without values of rows."""
    chain = reversed([*_with_causes(exc_info[1])])
    return "\n\nThen:\n\n".join(
        f"{''.join(traceback.format_tb(error.__traceback__))}{_describe(error)}" for error in chain
    )


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _describe(error: BaseException) -> str:
    return ": ".join(filter(None, (type(error).__qualname__, _message(error))))


def _message(error: BaseException) -> str:
    """Return what may be logged of an exception, besides its class."""
    if isinstance(error, PLAIN_ERRORS):
        return str(error)
    if statement := getattr(error, "statement", None):  # of SQLAlchemy; the driver's error is cause
        return " ".join(str(statement).split())[:STATEMENT_LENGTH]
    diag, state = getattr(error, "diag", None), getattr(error, "sqlstate", None)
    if diag is None:
        return ""
    if state is None or state.startswith(PLAIN_SQLSTATES):
        return str(error).partition("\n")[0]
    names = (diag.schema_name, diag.table_name, diag.column_name, diag.constraint_name)
    return " ".join(filter(None, (state, *names)))
