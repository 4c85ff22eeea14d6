"""What a signal is: a condition that holds for an account, since when, how grave, and why. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

DIGITS = 4


class Severity(StrEnum):
    """``info`` is good news or plain news; the others say how much is at stake."""

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
    """``key`` tells several of one name apart: the product feature, step, ticket or goal.

    ``evidence`` is JSON-ready: numbers, and days as texts. A person is named as ``user_id`` only.
    """

    name: str
    severity: Severity
    since: date
    evidence: Mapping[str, Any]
    key: str = ""


Signals = Iterator[Signal]


def make_signal(
    name: str,
    severity: Severity,
    since: date,
    *,
    key: str = "",
    **evidence: Any,  # noqa: ANN401 - numbers, days and names
) -> Signal:
    said = {field: _plain(value) for field, value in evidence.items() if value is not None}
    return Signal(name, severity, since, said, key)


def _plain(value: Any) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, date):
        return value.isoformat()
    return round(value, DIGITS) if isinstance(value, float) else value
