"""Why a score moved between two days: effects that add up exactly to the difference. Pure.

The account is changed step by step from the first day to the second: its usage, then its price and
entitlement, then its peers, and last the configuration (docs/adr/0021). The points of a step are
split over the measures by Δ(w·s) = mean(w)·Δs + mean(s)·Δw, which holds exactly. A measure that is
missing on one side takes the score of the other side, so that only its weight changes.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
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
    """What moved the score."""

    BEHAVIOUR = "behaviour"
    PRICE = "price"
    PEERS = "peers"
    COVERAGE = "coverage"
    CONFIG = "config"
    OVERRIDE = "override"


STEPS = (EffectKind.BEHAVIOUR, EffectKind.PRICE, EffectKind.PEERS)
MIN_POINTS = 1e-9
"""Fewer points than this are a rounding error of floats and no effect."""

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
    each.name
    for each in fields(AccountFeatures)
    if each.name not in {*PRICE_FIELDS, *PEER_FIELDS, "account_id"}
)


@dataclass(frozen=True)
class ScoredDay:
    """All that the score of an account on a day was computed from.

    ``plan_names``: plan key to its name of now, for sentences.
    """

    as_of: date
    features: AccountFeatures
    definition: Definition
    benchmarks: Mapping[str, Benchmark]
    card_name: str
    override: Override | None = None
    plan_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def benchmark(self) -> Benchmark:
        return self.benchmarks.get(self.features.segment or "") or self.benchmarks[""]

    @property
    def card(self) -> Card:
        return self.definition.scorecard.cards[self.card_name]


@dataclass(frozen=True, slots=True)
class Effect:
    """Points by which one thing (``kind``) moved the score, through a measure if one is given.

    ``before`` and ``after``: the raw value of the measure. ``added``, ``removed``, ``unchanged``:
    for coverage, the measures that became known or unknown; for other effects without a measure,
    the reasons of adjustments. If all are empty, the points come from the bounds 0 and 100.
    """

    kind: EffectKind
    points: float
    measure: str | None = None
    before: float | None = None
    after: float | None = None
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    unchanged: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AccountEvaluation:
    """The score of an account on a day, or at an intermediate step of a comparison of two days.

    ``scores`` (nan: missing), ``weights`` and ``raw``: by measure. ``mean``: weighted mean of the
    measures; ``bounded``: the mean within 0 and 100; ``value``: after adjustments.
    """

    scores: Mapping[str, float]
    weights: Mapping[str, float]
    raw: Mapping[str, float]
    mean: float
    bounded: float
    value: float
    reasons: Sequence[str]


def explain_change(before: ScoredDay, after: ScoredDay) -> list[Effect]:
    """Return the effects, none of zero points, that add up to the difference of two days."""
    evaluations = [evaluate_account(day) for day in _steps(before, after)]
    effects = [
        effect
        for kind, (old, new) in zip(STEPS, pairwise(evaluations[:-1]), strict=True)
        for effect in _step_effects(kind, old, new)
    ]
    effects.append(_coverage_effect(evaluations[:-1]))
    effects.append(Effect(EffectKind.CONFIG, evaluations[-1].value - evaluations[-2].value))
    override = _override_points(after, evaluations[-1]) - _override_points(before, evaluations[0])
    effects.append(Effect(EffectKind.OVERRIDE, override))
    return [effect for effect in effects if abs(effect.points) > MIN_POINTS]


def evaluate_account(day: ScoredDay) -> AccountEvaluation:
    """Compute the score of one account again from what was stored with it."""
    [facts] = account_facts(day.definition.offer, [day.features], day.as_of)
    result = evaluate(day.card, day.benchmark, day.definition.scorecard.sources, [facts]).scores
    names = [measure.name for measure in day.card.measures]
    scores, weights, raw = (
        dict(zip(names, table[0].tolist(), strict=True))
        for table in (result.measure_scores, result.effective_weights, result.raw)
    )
    mean = sum(weights[name] * scores[name] for name in names if weights[name])
    bounded = min(max(mean, 0.0), 100.0)
    value, reasons = apply_adjustments(day.card, facts, list(scores.values()), bounded)
    return AccountEvaluation(scores, weights, raw, mean, bounded, value, reasons)


def evaluate_with_settings_of(before: ScoredDay, after: ScoredDay) -> AccountEvaluation:
    """Score the usage and the price of ``after`` with the settings and peers of ``before``."""
    return evaluate_account(_steps(before, after)[2])


def _override_points(day: ScoredDay, evaluation: AccountEvaluation) -> float:
    return day.override.value - evaluation.value if day.override else 0.0


def _steps(before: ScoredDay, after: ScoredDay) -> list[ScoredDay]:
    """Return ``before``, the states that add usage, price and peers in turn, and ``after``."""
    features = replace(before.features, **_new_usage(before, after))
    with_usage = replace(before, as_of=after.as_of, features=features)
    same_money = before.definition.spec.base_currency == after.definition.spec.base_currency
    names = [name for name in PRICE_FIELDS if same_money or name not in MONEY_FIELDS]
    with_price = replace(with_usage, features=_copy_fields(features, after.features, names))
    return [before, with_usage, with_price, _with_peers(with_price, after), after]


def _copy_fields(
    features: AccountFeatures, new: AccountFeatures, names: Sequence[str]
) -> AccountFeatures:
    return replace(features, **{name: getattr(new, name) for name in names})


def _with_peers(day: ScoredDay, after: ScoredDay) -> ScoredDay:
    """Use the new peers, unless the score definition changed too: then the effect is ``config``.

    Default product features, found in the usage, change with the benchmark, so they change here.
    """
    moved = replace(day, features=_copy_fields(day.features, after.features, PEER_FIELDS))
    if _configured_digest(day.definition) != _configured_digest(after.definition):
        return moved
    moved = replace(moved, benchmarks=after.benchmarks)
    if after.definition.configured:
        return moved
    names = tuple(after.definition.offer.weights)
    return replace(
        moved,
        definition=day.definition.with_default_features(names),
        features=_copy_fields(moved.features, after.features, WINDOW_FIELDS),
    )


def _configured_digest(definition: Definition) -> str:
    """Hash the configured settings that ranks depend on, without features found in the usage."""
    if definition.configured:
        return definition.ranking_digest
    return definition.with_default_features(()).ranking_digest


def _new_usage(before: ScoredDay, after: ScoredDay) -> dict[str, Any]:
    """Return the new usage, without numbers counted in a new way: they change at a later step."""
    old_spec, new_spec = before.definition.spec, after.definition.spec
    old, new = before.features, after.features
    postponed: set[str] = set()
    if old_spec.window_days != new_spec.window_days:
        postponed |= {*WINDOW_FIELDS}
    if old_spec.reach != new_spec.reach:
        postponed |= {*REACH_FIELDS}
    if old_spec.engagement != new_spec.engagement:
        postponed |= {"engagement"}
    found_in_usage = not (before.definition.configured or after.definition.configured)
    if old_spec.product != new_spec.product and not found_in_usage:
        postponed |= {*PRODUCT_FIELDS}
    usage = {name: getattr(new, name) for name in BEHAVIOUR_FIELDS if name not in postponed}
    for name in {"adopted", "adopted_before"} - postponed:
        usage[name] = _adopted(
            old_spec.product, new_spec.product, getattr(old, name), getattr(new, name)
        )
    usage["traits"] = _with_old(new.traits, old.traits, {*old_spec.traits} - {*new_spec.traits})
    old_counts = {count.key for count in old_spec.counts} - {count.key for count in new_spec.counts}
    usage["counts"] = _with_old(new.counts, old.counts, old_counts)
    old_signals = {*old_spec.signals} - {*new_spec.signals}
    usage["signals"] = _with_old(new.signals, old.signals, old_signals)
    return usage


def _adopted(
    old_product: FeatureMap, new_product: FeatureMap, old: Sequence[str], new: Sequence[str]
) -> Sequence[str]:
    """Return the new adoption; product features that have other events now keep the old one."""
    if old_product == new_product:
        return new
    old_events, new_events = _events(old_product), _events(new_product)
    same = {key for key in old_events if old_events[key] == new_events.get(key)}
    return [*(key for key in old if key not in same), *(key for key in new if key in same)]


def _events(product: FeatureMap) -> dict[str, set[str]]:
    events: dict[str, set[str]] = {}
    for event_name, key in product.events:
        events.setdefault(key, set()).add(event_name)
    return events


def _with_old(
    new: Mapping[str, object], old: Mapping[str, object], names: set[str]
) -> dict[str, object]:
    """Return the new values, and the old values of names that are no longer loaded."""
    return {**new, **{name: old[name] for name in names if name in old}}


def _step_effects(
    kind: EffectKind, old: AccountEvaluation, new: AccountEvaluation
) -> Iterator[Effect]:
    """Split the points of a step under one card: each measure, the bounds, the adjustments."""
    for name in old.scores:
        s, t = _both(old.scores[name], new.scores[name])
        points = (old.weights[name] + new.weights[name]) / 2 * (t - s)
        yield Effect(kind, points, name, old.raw[name], new.raw[name])
    yield Effect(kind, (new.bounded - new.mean) - (old.bounded - old.mean))
    yield Effect(
        kind,
        (new.value - new.bounded) - (old.value - old.bounded),
        added=[reason for reason in new.reasons if reason not in old.reasons],
        removed=[reason for reason in old.reasons if reason not in new.reasons],
        unchanged=[reason for reason in old.reasons if reason in new.reasons],
    )


def _coverage_effect(evaluations: Sequence[AccountEvaluation]) -> Effect:
    """Sum the points of changed weights over all steps: a measure became known or unknown."""
    points = 0.0
    for old, new in pairwise(evaluations):
        for name in old.scores:
            s, t = _both(old.scores[name], new.scores[name])
            points += (s + t) / 2 * (new.weights[name] - old.weights[name])
    known_before, known_after = (
        [name for name, score in evaluation.scores.items() if not math.isnan(score)]
        for evaluation in (evaluations[0], evaluations[-1])
    )
    return Effect(
        EffectKind.COVERAGE,
        points,
        added=[name for name in known_after if name not in known_before],
        removed=[name for name in known_before if name not in known_after],
    )


def _both(s: float, t: float) -> tuple[float, float]:
    """Replace a missing score by that of the other side; if both are missing, by zero."""
    if math.isnan(s):
        return (0.0, 0.0) if math.isnan(t) else (t, t)
    return (s, s) if math.isnan(t) else (s, t)
