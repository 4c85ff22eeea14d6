"""Hold rules against accounts: what each sees, and what follows of it. Pure.

A breach that only other settings or other peers have made opens nothing (docs/adr/0026). By how
much they moved the number is kept as ``shift`` until the number is clear again: meanwhile the
breach counts only if there is one without the shift too.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Self

from app.alerts.machine import Event, Phase, Seen, State, check_at, step
from app.alerts.readings import GONE, Facts, read
from app.alerts.rules import Rule, Signal
from app.health.assess import Status

OUTSET = State()


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored of a rule and an account."""

    state: State = OUTSET
    shift: float = 0.0
    yardstick: str | None = None
    snoozed_until: datetime | None = None

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a row with the columns of the table
        state = State(
            phase=Phase(row.phase),
            since=row.since,
            episode=row.episode,
            sequence=row.sequence,
            openings=tuple(row.openings),
            resolved_at=row.resolved_at,
            armed=row.armed,
        )
        return cls(state, row.shift, row.yardstick, row.snoozed_until)


@dataclass(frozen=True, slots=True)
class Look:
    """One rule, one account, before anything follows of it."""

    key: str
    rule: Rule
    facts: Facts
    kept: Kept
    value: float | None
    seen: Seen

    @property
    def yardstick(self) -> str | None:
        """Name what the number was made with: settings and peers, or a model."""
        if self.rule.kind is not Signal.CHURN_RISK:
            return self.facts.yardstick
        return f"model {self.facts.risk.model}" if self.facts.risk else None

    @property
    def anchor(self) -> date:
        """The day whose settings and peers count for the one that is judged."""
        return self.facts.as_of - timedelta(
            days=self.rule.window_days if self.rule.compares_scores else 1
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    look: Look
    kept: Kept
    event: Event | None
    check_at: datetime | None


LetThrough = Callable[[Rule, Collection[str]], Collection[str]]


Own = Callable[[Sequence[Look]], Mapping[tuple[str, str], Facts]]
"""How accounts would stand, by account and rule, if what they are held against had not changed
since the anchor; who is held against the same is left out."""


def look(
    rules: Mapping[str, Rule],
    accounts: Sequence[Facts],
    kept: Mapping[tuple[str, str], Kept],
    let_through: LetThrough,
) -> list[Look]:
    """Return what is more than plainly ok. Where a filter lets nobody through, a rule is over."""
    found = []
    for key, rule in rules.items():
        some = list(_some(key, rule, accounts, kept))
        if rule.filter and some:
            within = let_through(rule, [each.facts.account_id for each in some])
            some = [_within(each, each.facts.account_id in within) for each in some]
        found += [each for each in some if each.seen is Seen.BREACH or _key(each) in kept]
    return found


def _some(
    key: str, rule: Rule, accounts: Sequence[Facts], kept: Mapping[tuple[str, str], Kept]
) -> Iterator[Look]:
    for facts in accounts:
        before = kept.get((facts.account_id, key))
        value = read(rule, facts)
        seen = Seen.GONE if facts.status in GONE else rule.see(value)
        if before is not None or seen is Seen.BREACH:
            yield Look(key, rule, facts, before or Kept(), value, seen)


def _within(each: Look, is_within: bool) -> Look:  # noqa: FBT001 - of one call
    return each if is_within else replace(each, seen=Seen.GONE)


def _key(each: Look) -> tuple[str, str]:
    return each.facts.account_id, each.key


def conclude(looks: Sequence[Look], own: Own, *, sequence: int, now: datetime) -> list[Outcome]:
    doubtful = [each for each in looks if _is_doubtful(each)]
    standings = own(doubtful) if doubtful else {}
    return [_outcome(each, standings.get(_key(each)), sequence, now) for each in looks]


def _is_doubtful(each: Look) -> bool:
    """Whether a breach is new, and may have been made by other settings or peers."""
    by_hand = each.facts.status is Status.OVERRIDDEN and each.rule.kind is Signal.HEALTH_SCORE
    is_held = each.kept.yardstick == each.yardstick
    return (
        each.seen is Seen.BREACH
        and each.rule.moves_with_config
        and not (each.kept.state.is_open or by_hand or is_held)
    )


def _outcome(each: Look, own: Facts | None, sequence: int, now: datetime) -> Outcome:
    seen, shift, yardstick = each.seen, each.kept.shift, each.kept.yardstick
    if own is not None and each.value is not None:
        base = 0.0 if each.anchor < each.facts.as_of - timedelta(days=1) else shift
        alone = read(each.rule, own)
        shift = base if alone is None else base + each.value - alone
        yardstick = each.yardstick
    excused = seen is Seen.BREACH and each.rule.see(_less(each.value, shift)) is not Seen.BREACH
    if excused and not each.kept.state.is_open:
        seen = Seen.BETWEEN
    elif seen in {Seen.BREACH, Seen.CLEAR, Seen.GONE}:
        shift, yardstick = 0.0, None
    timing = each.rule.timing
    state, event = step(each.kept.state, seen, timing, sequence=sequence, now=now)
    kept = replace(each.kept, state=state, shift=shift, yardstick=yardstick)
    return Outcome(each, kept, event, check_at(state, timing, now))


def _less(value: float | None, shift: float) -> float | None:
    return None if value is None else value - shift
