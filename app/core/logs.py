"""Structured logs: one JSON line per event, with request and job ids, never payloads or keys."""

import logging
import sys
import threading
import time
from collections.abc import Callable

# structlog loads rich, if it finds it, for tracebacks on terminals: 0.1 s and 5 MB of each process.
has_rich = "rich" in sys.modules
sys.modules.setdefault("rich", None)  # type: ignore[arg-type] # Python's way to say: not installed
import structlog  # noqa: E402
from structlog.contextvars import bound_contextvars  # noqa: E402

if not has_rich:
    del sys.modules["rich"]

__all__ = ["OutageLog", "bound_contextvars", "configure", "get_logger"]

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
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
