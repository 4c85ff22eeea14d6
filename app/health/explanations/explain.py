"""Why a score moved between two days: rows that add up exactly to the difference. Pure.

The account is walked from the one day to the other: first its usage, then what it pays and may
use, then whom it is compared with, last how it is judged (docs/adr/0021). The points of a step
are split over the measures by d(w s) = mean(w) ds + mean(s) dw, which holds exactly; where a
measure is missing on a side it takes the other side's s, so that only weights move.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Any

from app.features.values import AccountFeatures, FeatureMap
from app.health.definition.benchmark import Benchmark
from app.health.definition.score_definition import Definition
from app.health.definition.scorecard import Card
from app.health.scoring.evaluate import account_facts, apply_adjustments, evaluate
from app.health.scoring.post_processing import Override


class EffectKind(StrEnum):
    BEHAVIOUR = "behaviour"
    PRICE = "price"
    PEERS = "peers"
    COVERAGE = "coverage"
    CONFIG = "config"
    OVERRIDE = "override"


STEPS = (EffectKind.BEHAVIOUR, EffectKind.PRICE, EffectKind.PEERS)
MIN_POINTS = 1e-9
"""Less than this is not a point that anything has moved, but the last digits of floats."""

MONEY_FIELDS = ("no_rate", "price_cents", "mrr_cents")
PRICE_FIELDS = (
    *MONEY_FIELDS,
    *("pays", "currency", "seats", "plan", "renewal_on", "notice_on"),
    *("feature_exceptions", "first_paid_on", "paid_until"),
)
PEER_FIELDS = ("segment",)
PRODUCT_FIELDS = ("active_users", "active_users_before")
REACH_FIELDS = ("reached", "reached_before")
WINDOW_FIELDS = (
    *PRODUCT_FIELDS,
    *REACH_FIELDS,
    *("adopted", "adopted_before", "feature_events"),
    *("events", "events_before", "active_days", "active_days_before"),
)
BEHAVIOUR_FIELDS = tuple(
    field.name
    for field in fields(AccountFeatures)
    if field.name not in {*PRICE_FIELDS, *PEER_FIELDS, "account_id"}
)


@dataclass(frozen=True)
class ScoredDay:
    """One of the two days: what went in, what it was held against, and a person's word over it."""

    as_of: date
    features: AccountFeatures
    definition: Definition
    benchmarks: Mapping[str, Benchmark]
    card_name: str
    override: Override | None = None

    @property
    def benchmark(self) -> Benchmark:
        return self.benchmarks.get(self.features.segment or "") or self.benchmarks[""]

    @property
    def card(self) -> Card:
        return self.definition.scorecard.cards[self.card_name]


@dataclass(frozen=True, slots=True)
class Effect:
    """Points of one kind. ``before`` and ``after``: the measure's raw value, where it is of one.

    ``came``, ``went``, ``stayed``: of coverage, the measures into and out of what is known;
    without a measure, the reasons of adjustments; without those too, the bounds 0 and 100.
    """

    kind: EffectKind
    points: float
    measure: str | None = None
    before: float | None = None
    after: float | None = None
    came: Sequence[str] = ()
    went: Sequence[str] = ()
    stayed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AccountEvaluation:
    """A day, or a place on the way between two: by measure its score (nan: missing) and weight.

    ``mean``: of the measures; ``held``: that within 0 and 100; ``value``: after adjustments.
    """

    scores: Mapping[str, float]
    weights: Mapping[str, float]
    raw: Mapping[str, float]
    mean: float
    held: float
    value: float
    reasons: Sequence[str]


def explain_change(before: ScoredDay, after: ScoredDay) -> list[Effect]:
    """Return the rows whose points add up to the difference of the two days; none is of zero."""
    places = [evaluate_account(side) for side in _way(before, after)]
    rows = [
        row
        for kind, (one, other) in zip(STEPS, pairwise(places[:-1]), strict=True)
        for row in _moved(kind, one, other)
    ]
    rows.append(_coverage(places[:-1]))
    rows.append(Effect(EffectKind.CONFIG, places[-1].value - places[-2].value))
    by_hand = _by_hand(after, places[-1]) - _by_hand(before, places[0])
    rows.append(Effect(EffectKind.OVERRIDE, by_hand))
    return [row for row in rows if abs(row.points) > MIN_POINTS]


def evaluate_account(side: ScoredDay) -> AccountEvaluation:
    """Judge one account anew from what was stored of it."""
    [facts] = account_facts(side.definition.offer, [side.features], side.as_of)
    found = evaluate(side.card, side.benchmark, side.definition.scorecard.sources, [facts]).scores
    names = [measure.name for measure in side.card.measures]
    scores, weights, raw = (
        dict(zip(names, table[0].tolist(), strict=True))
        for table in (found.measure_scores, found.effective_weights, found.raw)
    )
    mean = sum(weights[name] * scores[name] for name in names if weights[name])
    held = min(max(mean, 0.0), 100.0)
    value, reasons = apply_adjustments(side.card, facts, list(scores.values()), held)
    return AccountEvaluation(scores, weights, raw, mean, held, value, reasons)


def evaluate_with_settings_of(before: ScoredDay, after: ScoredDay) -> AccountEvaluation:
    """Judge what an account does and pays now by the settings and among the peers of before."""
    return evaluate_account(_way(before, after)[2])


def _by_hand(side: ScoredDay, standing: AccountEvaluation) -> float:
    return side.override.value - standing.value if side.override else 0.0


def _way(before: ScoredDay, after: ScoredDay) -> list[ScoredDay]:
    """Change one thing after the other: usage, price, peers, configuration."""
    features = replace(before.features, **_usage(before, after))
    used = replace(before, as_of=after.as_of, features=features)
    same_money = before.definition.lens.base_currency == after.definition.lens.base_currency
    paid = [name for name in PRICE_FIELDS if same_money or name not in MONEY_FIELDS]
    priced = replace(used, features=_taking(features, after.features, paid))
    return [before, used, priced, _compared(priced, after), after]


def _taking(
    features: AccountFeatures, new: AccountFeatures, names: Sequence[str]
) -> AccountFeatures:
    return replace(features, **{name: getattr(new, name) for name in names})


def _compared(side: ScoredDay, after: ScoredDay) -> ScoredDay:
    """Take the new peers, unless they were ranked by another meaning: then they are a setting's."""
    compared = replace(side, features=_taking(side.features, after.features, PEER_FIELDS))
    if _said(side.definition) != _said(after.definition):
        return compared
    compared = replace(compared, benchmarks=after.benchmarks)
    if after.definition.configured:
        return compared
    names = tuple(after.definition.offer.weights)
    return replace(
        compared,
        definition=side.definition.with_default_features(names),
        features=_taking(compared.features, after.features, WINDOW_FIELDS),
    )


def _said(definition: Definition) -> str:
    """What somebody has set of the ranks, without the product features found in the usage."""
    return (definition if definition.configured else definition.with_default_features(())).meaning


def _usage(before: ScoredDay, after: ScoredDay) -> dict[str, Any]:
    """Take the new usage, but what was counted by another definition waits for its step."""
    old, new = before.definition.lens, after.definition.lens
    was, now = before.features, after.features
    waiting: set[str] = set()
    if old.window_days != new.window_days:
        waiting |= {*WINDOW_FIELDS}
    if old.reach != new.reach:
        waiting |= {*REACH_FIELDS}
    if old.engagement != new.engagement:
        waiting |= {"engagement"}
    found_in_usage = not (before.definition.configured or after.definition.configured)
    if old.product != new.product and not found_in_usage:
        waiting |= {*PRODUCT_FIELDS}
    taken = {name: getattr(now, name) for name in BEHAVIOUR_FIELDS if name not in waiting}
    for name in {"adopted", "adopted_before"} - waiting:
        taken[name] = _adopted(old.product, new.product, getattr(was, name), getattr(now, name))
    taken["traits"] = _except(was.traits, now.traits, {*old.traits} - {*new.traits})
    unseen = {count.key for count in old.counts} - {count.key for count in new.counts}
    taken["counts"] = _except(was.counts, now.counts, unseen)
    taken["signals"] = _except(was.signals, now.signals, {*old.signals} - {*new.signals})
    return taken


def _adopted(
    old: FeatureMap, new: FeatureMap, was: Sequence[str], now: Sequence[str]
) -> Sequence[str]:
    """Take what is adopted now, for product features that are counted by the same events."""
    if old == new:
        return now
    events, others = _events(old), _events(new)
    same = {key for key in events if events[key] == others.get(key)}
    return [*(key for key in was if key not in same), *(key for key in now if key in same)]


def _events(product: FeatureMap) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for event_name, key in product.events:
        found.setdefault(key, set()).add(event_name)
    return found


def _except(
    old: Mapping[str, object], new: Mapping[str, object], kept: set[str]
) -> dict[str, object]:
    """Take what is new, but what is no longer looked at as it was."""
    return {**new, **{name: old[name] for name in kept if name in old}}


def _moved(kind: EffectKind, one: AccountEvaluation, other: AccountEvaluation) -> Iterator[Effect]:
    """Split what a step changes under one card: each measure, the bounds, the adjustments."""
    for name in one.scores:
        s, t = _both(one.scores[name], other.scores[name])
        points = (one.weights[name] + other.weights[name]) / 2 * (t - s)
        yield Effect(kind, points, name, one.raw[name], other.raw[name])
    yield Effect(kind, (other.held - other.mean) - (one.held - one.mean))
    yield Effect(
        kind,
        (other.value - other.held) - (one.value - one.held),
        came=[reason for reason in other.reasons if reason not in one.reasons],
        went=[reason for reason in one.reasons if reason not in other.reasons],
        stayed=[reason for reason in one.reasons if reason in other.reasons],
    )


def _coverage(places: Sequence[AccountEvaluation]) -> Effect:
    """Add up what the weights moved on the way, because measures were missing here or there."""
    points = 0.0
    for one, other in pairwise(places):
        for name in one.scores:
            s, t = _both(one.scores[name], other.scores[name])
            points += (s + t) / 2 * (other.weights[name] - one.weights[name])
    known = [
        [name for name, score in place.scores.items() if not math.isnan(score)]
        for place in (places[0], places[-1])
    ]
    return Effect(
        EffectKind.COVERAGE,
        points,
        came=[name for name in known[1] if name not in known[0]],
        went=[name for name in known[0] if name not in known[1]],
    )


def _both(s: float, t: float) -> tuple[float, float]:
    """Let the side where a measure is missing take the other's score; missing on both: zero."""
    if math.isnan(s):
        return (0.0, 0.0) if math.isnan(t) else (t, t)
    return (s, s) if math.isnan(t) else (s, t)
