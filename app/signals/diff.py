"""Compare detected with open signals: which to open, change or clear. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.signals.signal import Signal

SignalKey = tuple[str, str]
"""The name and the key of a signal: unique among the open signals of an account."""


@dataclass(frozen=True, slots=True)
class OpenSignal:
    """An open signal with the id of its row."""

    id: int
    signal: Signal


@dataclass(frozen=True, slots=True)
class SignalChanges:
    """Signals to write. ``opened``: with their account ids. ``cleared``: ids of rows."""

    opened: Sequence[tuple[str, Signal]]
    changed: Sequence[OpenSignal]
    cleared: Sequence[int]
    accounts: frozenset[str]
    """The accounts whose set of signals, or the severity of a signal, changed."""


def diff_signals(
    stored: Mapping[str, Sequence[OpenSignal]], detected: Mapping[str, Sequence[Signal]]
) -> SignalChanges:
    """Compare the open signals with the detected ones, by account.

    An account that is missing in ``detected`` keeps its signals; one with an empty list loses them.
    """
    opened: list[tuple[str, Signal]] = []
    changed: list[OpenSignal] = []
    cleared: list[int] = []
    accounts: set[str] = set()
    for account_id, signals in detected.items():
        old = {_key(row.signal): row for row in stored.get(account_id, ())}
        new = {_key(signal): signal for signal in signals}
        cleared += [row.id for key, row in old.items() if key not in new]
        opened += [(account_id, signal) for key, signal in new.items() if key not in old]
        changed += _changed(old, new)
        severities = {key: signal.severity for key, signal in new.items()}
        if severities != {key: row.signal.severity for key, row in old.items()}:
            accounts.add(account_id)
    return SignalChanges(opened, changed, cleared, frozenset(accounts))


def highest_severities(stored: Iterable[OpenSignal], names: Collection[str]) -> dict[str, int]:
    """Return the highest severity of each of these names that is open, 1 (info) to 4 (high)."""
    severities: dict[str, int] = {}
    for row in stored:
        if row.signal.name in names:
            rank = 1 + row.signal.severity.rank
            severities[row.signal.name] = max(severities.get(row.signal.name, 0), rank)
    return dict(sorted(severities.items()))


def _key(signal: Signal) -> SignalKey:
    return signal.name, signal.key


def _changed(
    old: Mapping[SignalKey, OpenSignal], new: Mapping[SignalKey, Signal]
) -> Iterator[OpenSignal]:
    """Yield open signals that differ.

    ``since`` never gets later: only the window moves on. But it is never before the first event.
    """
    for key in old.keys() & new.keys():
        since = new[key].since
        if "known_from" not in new[key].evidence:
            since = min(old[key].signal.since, since)
        signal = replace(new[key], since=since)
        if signal != old[key].signal:
            yield OpenSignal(old[key].id, signal)
