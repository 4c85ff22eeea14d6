"""Phrases of explanations: measures, how their numbers moved, and why. Pure.

The texts are in ``sentences.en.ftl`` and its other languages.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.core.catalogue import Catalogue, Number
from app.core.number_format import format_money, format_pair, is_known
from app.features.values import AccountFeatures
from app.health.definition.measures import CardMeasure, EventsSource, MetricSource, Source
from app.health.definition.score_definition import Definition
from app.health.explanations.explain import Effect, ScoredDay

TERMS_THAT_DECIDE_COUNT: Mapping[str, tuple[str, ...]] = {
    "breadth": ("plan", "exceptions"),
    "momentum": ("plan", "exceptions"),
    "days_to_renewal": ("renewal",),
}
"""The terms of the contract that decide what a metric counts, by metric."""
SHOWN_AS_PERCENT = {"onboarding_share", "goals_on_track"}
"""Metrics from 0 to 1."""
TERMS_THAT_ARE_MEASURES = {"mrr", "seats", "tenure_days"}
"""Terms of the contract that are metrics themselves: a sentence names no cause of their change."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The two days that an explanation compares, and the texts of its language."""

    before: ScoredDay
    after: ScoredDay
    texts: Catalogue

    def measure(self, name: str) -> CardMeasure:
        """Return a measure of the earlier day's card: the card changes after all other effects."""
        return next(each for each in self.before.card.measures if each.name == name)

    def measure_name(self, name: str) -> str:
        return measure_name(name, self.measure(name).source, self.texts)

    def joined(self, phrases: Iterable[str]) -> str:
        return self.texts.format_list("phrases", list(phrases))


def measure_name(name: str, source: Source, texts: Catalogue) -> str:
    """Return the name of a metric in the language, or the quoted name of any other measure."""
    if isinstance(source, MetricSource) and name == source.key:
        return texts.format(f"metric_{name}")
    return texts.format("quoted", text=name)


def format_amount(
    value: float | None, text: str, source: Source, definition: Definition, texts: Catalogue
) -> str:
    """Return ``text``, the formatted ``value``, with the unit of the source: "9 active users"."""
    key = "events" if isinstance(source, EventsSource) else source.key
    if is_weighed(source, definition):
        key = "weighted_breadth"
    if is_known(value) and f"amount_{key}" in texts:
        currency = definition.spec.base_currency
        return texts.format(f"amount_{key}", number=Number(value, text), currency=currency)
    return text


def is_weighed(source: Source, definition: Definition) -> bool:
    """Return whether the source is a sum of weights that need not be 1, not a number of things."""
    is_breadth = isinstance(source, MetricSource) and source.key == "breadth"
    return is_breadth and bool({*definition.offer.weights.values()} - {1.0})


def shown_value(value: float | None, source: Source) -> float | None:
    """Return the value in the unit that sentences show: a share in percent."""
    is_share = isinstance(source, MetricSource) and source.key in SHOWN_AS_PERCENT
    return 100 * value if is_share and is_known(value) else value


def direction(before: float | None, after: float | None) -> str:
    return "up" if (after or 0.0) > (before or 0.0) else "down"


def has_moved(effect: Effect) -> bool:
    """Return whether the raw value of the measure changed, or became known or unknown."""
    if is_known(effect.before) and is_known(effect.after):
        return effect.before != effect.after
    return is_known(effect.before) != is_known(effect.after)


def movement_phrase(effect: Effect, measure: CardMeasure, comparison: Comparison) -> str:
    """Describe how the raw value of a measure moved."""
    texts, definition = comparison.texts, comparison.before.definition
    name, source = comparison.measure_name(measure.name), measure.source
    old, new = format_pair(*(shown_value(each, source) for each in (effect.before, effect.after)))
    after = format_amount(effect.after, new, source, definition, texts)
    if not has_moved(effect):
        totals = _totals(comparison) if source.key == "reach" else {}
        return texts.format("stayed", name=name, after=after, **totals)
    if not is_known(effect.before):
        return texts.format("became_known", name=name, after=after)
    if not is_known(effect.after):
        before = format_amount(effect.before, old, source, definition, texts)
        return texts.format("became_unknown", name=name, before=before)
    way = direction(effect.before, effect.after)
    return texts.format("moved", name=name, direction=way, before=old, after=after)


def _totals(comparison: Comparison) -> Mapping[str, str]:
    """Return the number of end customers of the account on both days, if they differ."""
    days = (comparison.before, comparison.after)
    old, new = (day.features.end_customers for day in days)
    if old == new:
        return {}
    old_total, new_total = format_pair(old, new)
    return {"old_total": old_total, "new_total": new_total}


def price_phrase(
    effect: Effect, measure: CardMeasure, movement: str, comparison: Comparison
) -> str:
    """Name the terms of the contract that moved a measure or its score.

    ``movement``: the phrase for the raw value.
    """
    terms, texts, key = dict(_changed_terms(comparison)), comparison.texts, measure.source.key
    ranking = [terms[name] for name in _ranking_terms(measure, comparison) if name in terms]
    unnamed = [texts.format("terms_changed")]
    if not has_moved(effect):
        cause = comparison.joined(ranking or [*terms.values()] or unnamed)
        return _score_effect(effect, measure, cause, comparison)
    counting = [terms[name] for name in TERMS_THAT_DECIDE_COUNT.get(key, ()) if name in terms]
    if key not in TERMS_THAT_ARE_MEASURES:
        why = comparison.joined(counting or unnamed)
        movement = texts.format("because", what=movement, why=why)
    if not ranking:
        return movement
    return texts.format("also", what=movement, why=comparison.joined(ranking))


def _ranking_terms(measure: CardMeasure, comparison: Comparison) -> list[str]:
    """Return the terms that turn a raw value into a score: the price, or seats for a share."""
    if not comparison.before.benchmark.has_peers:
        return ["seats"] if measure.source.key == "depth" else []
    return ["price"] if measure.is_price_adjusted else []


def peers_phrase(
    effect: Effect, measure: CardMeasure, movement: str, comparison: Comparison
) -> str:
    """Name the change of peers that moved the score of a measure, or how it is counted.

    ``movement``: the phrase for the raw value.
    """
    before, after, texts = comparison.before, comparison.after, comparison.texts
    month = f"{after.as_of:%Y-%m}"
    segments = before.features.segment, after.features.segment
    segment_changed = _change("segment_changed", *segments, texts)
    is_same_segment = segments[0] == segments[1]
    if has_moved(effect):
        cause = texts.format("features_redetermined", month=month)
        phrase = texts.format("because", what=movement, why=cause)
        if is_same_segment:
            return phrase
        return texts.format("also", what=phrase, why=segment_changed)
    if not is_same_segment:
        return _score_effect(effect, measure, segment_changed, comparison)
    cause = texts.format(_benchmark_change(before, after), month=month)
    return _score_effect(effect, measure, cause, comparison)


def _benchmark_change(before: ScoredDay, after: ScoredDay) -> str:
    """Return the message about another benchmark; below 20 accounts a benchmark has no peers."""
    had_peers, has_peers = before.benchmark.has_peers, after.benchmark.has_peers
    if had_peers != has_peers:
        return "peers_found" if has_peers else "too_few_peers"
    is_same_month = f"{before.as_of:%Y-%m}" == f"{after.as_of:%Y-%m}"
    return "new_benchmark" if has_peers and not is_same_month else "benchmark_refitted"


def _score_effect(effect: Effect, measure: CardMeasure, cause: str, comparison: Comparison) -> str:
    """Say that the same raw value counts for less or more, and why."""
    name, way = comparison.measure_name(measure.name), direction(0, effect.points)
    return comparison.texts.format("score_effect", why=cause, name=name, direction=way)


def _changed_terms(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield the name and the phrase of each term of the contract that changed."""
    old, new, texts = comparison.before.features, comparison.after.features, comparison.texts
    if old.price_cents != new.price_cents:
        yield "price", _price_change(old, new, comparison)
    if old.seats != new.seats:
        yield "seats", _seats_change(old.seats, new.seats, texts)
    if old.plan != new.plan:
        names = comparison.after.plan_names
        before, after = (plan and names.get(plan, plan) for plan in (old.plan, new.plan))
        yield "plan", _change("plan_changed", before, after, texts)
    if old.feature_exceptions != new.feature_exceptions:
        yield "exceptions", texts.format("entitlement_changed")
    if old.renewal_on != new.renewal_on:
        yield "renewal", _change("renewal_moved", old.renewal_on, new.renewal_on, texts)


def _change(message_id: str, before: object, after: object, texts: Catalogue) -> str:
    none = texts.format("none")
    return texts.format(message_id, before=str(before or none), after=str(after or none))


def _seats_change(old: int | None, new: int | None, texts: Catalogue) -> str:
    message_id = "seats_unknown" if new is None else "seats_known" if old is None else "seats_moved"
    return texts.format(message_id, direction=direction(old, new), before=old, after=new)


def _price_change(old: AccountFeatures, new: AccountFeatures, comparison: Comparison) -> str:
    if new.price_cents is None:
        message_id = "no_rate" if new.no_rate else "price_ended"
    else:
        message_id = "price_known" if old.price_cents is None else "price_moved"
    return comparison.texts.format(
        message_id,
        direction=direction(old.price_cents, new.price_cents),
        before=format_money(old.price_cents),
        after=format_money(new.price_cents),
        currency=comparison.after.definition.spec.base_currency,
    )


def capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
