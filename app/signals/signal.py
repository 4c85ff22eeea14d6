"""A signal: a condition of an account with its start day, severity and evidence. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

DIGITS = 4


class Severity(StrEnum):
    """``info`` is neutral or good news; the other severities say how much is at stake."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        return RANKS[self]


RANKS = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Signal:
    """An active condition of an account.

    ``key`` distinguishes signals of one name, by the id of a product feature or goal, for example.
    ``evidence`` is ready for JSON: numbers, texts, and dates as ISO 8601. A person appears in it as
    ``user_id`` only, so that an erasure finds them.
    """

    name: str
    severity: Severity
    since: date
    evidence: Mapping[str, Any]
    key: str = ""


Signals = Iterator[Signal]


@dataclass(frozen=True, slots=True)
class EvidenceNames:
    """Names that sentences show for keys of product features and ids of people in evidence."""

    features: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)


def make_signal(
    name: str,
    severity: Severity,
    since: date,
    *,
    key: str = "",
    **evidence: Any,  # noqa: ANN401 - numbers, days and names
) -> Signal:
    """Return a signal; evidence that is None is left out."""
    known = {field: _to_json(value) for field, value in evidence.items() if value is not None}
    return Signal(name, severity, since, known, key)


def _to_json(value: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, date):
        return value.isoformat()
    return round(value, DIGITS) if isinstance(value, float) else value
