"""What of the signals found is news: to be opened, changed or cleared. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.signals.signal import Signal


@dataclass(frozen=True, slots=True)
class OpenSignal:
    """An open signal as it is stored."""

    id: int
    signal: Signal


@dataclass(frozen=True, slots=True)
class SignalChanges:
    opened: Sequence[tuple[str, Signal]]
    changed: Sequence[OpenSignal]
    cleared: Sequence[int]
    accounts: frozenset[str]
    """Those of which another set of signals holds now, or another severity."""


def diff_signals(
    kept: Mapping[str, Sequence[OpenSignal]], found: Mapping[str, Sequence[Signal]]
) -> SignalChanges:
    """Accounts that nothing was found for are looked at too: name them with nothing."""
    opened: list[tuple[str, Signal]] = []
    changed: list[OpenSignal] = []
    cleared: list[int] = []
    moved: set[str] = set()
    for account_id, signals in found.items():
        open_now = {_name(row.signal): row for row in kept.get(account_id, ())}
        new = {_name(each): each for each in signals}
        cleared += [row.id for name, row in open_now.items() if name not in new]
        opened += [(account_id, each) for name, each in new.items() if name not in open_now]
        differ = list(_changed(open_now, new))
        changed += differ
        others = any(row.signal.severity != _was(open_now, row) for row in differ)
        if others or open_now.keys() != new.keys():
            moved.add(account_id)
    return SignalChanges(opened, changed, cleared, frozenset(moved))


def highest_severities(kept: Iterable[OpenSignal], names: Collection[str]) -> dict[str, int]:
    """Name to the severity of the gravest of that name, from 1."""
    found: dict[str, int] = {}
    for row in kept:
        if row.signal.name in names:
            rank = 1 + row.signal.severity.rank
            found[row.signal.name] = max(found.get(row.signal.name, 0), rank)
    return dict(sorted(found.items()))


def _name(signal: Signal) -> tuple[str, str]:
    return signal.name, signal.key


def _was(rows: Mapping[tuple[str, str], OpenSignal], row: OpenSignal) -> str:
    return rows[_name(row.signal)].signal.severity


def _changed(
    rows: Mapping[tuple[str, str], OpenSignal], new: Mapping[tuple[str, str], Signal]
) -> Iterator[OpenSignal]:
    """An open signal holds since its earliest day: windows slide, and the condition does not."""
    for name in rows.keys() & new.keys():
        since = min(rows[name].signal.since, new[name].since)
        signal = replace(new[name], since=since)
        if signal != rows[name].signal:
            yield OpenSignal(rows[name].id, signal)
