"""What beside usage moved a measure: the contract and the peers, in words. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.number_format import format_money, format_pair
from app.health.definition.benchmark import Normalizer
from app.health.definition.measures import CardMeasure
from app.health.explanations.explain import Effect
from app.health.explanations.phrases import Comparison, direction_verb, has_moved

TERMS_THAT_DECIDE_COUNT: Mapping[str, tuple[str, ...]] = {
    "breadth": ("plan", "exceptions"),
    "momentum": ("plan", "exceptions"),
    "days_to_renewal": ("renewal",),
}
"""Which terms decide what is counted."""
TERMS_THAT_ARE_MEASURES = {"mrr", "seats", "tenure_days"}
"""Terms that are measures too: their move needs no cause."""


def price_sentence(row: Effect, measure: CardMeasure, what: str, tale: Comparison) -> str:
    """Say by which terms of the contract a measure moved, or counts for less or more."""
    terms, words, key = dict(_terms(tale)), tale.words, measure.source.key
    rank = [terms[name] for name in _ranked_by(measure, tale) if name in terms]
    if not has_moved(row):
        why = tale.joined(rank or [*terms.values()] or [words.terms])
        worth = words.worth[row.points > 0]
        return words.so.format(why=why, name=tale.name(measure.name), worth=worth)
    counted = [terms[name] for name in TERMS_THAT_DECIDE_COUNT.get(key, ()) if name in terms]
    if key not in TERMS_THAT_ARE_MEASURES:
        why = tale.joined(counted or [words.terms])
        what = words.because.format(what=what, why=why)
    return words.also.format(what=what, why=tale.joined(rank)) if rank else what


def _ranked_by(measure: CardMeasure, tale: Comparison) -> list[str]:
    """Name the terms that decide what a number is worth; seats, where a share of them is scored."""
    if tale.before.benchmark.normalizer is Normalizer.SHARE:
        return ["seats"] if measure.source.key == "depth" else []
    return ["price"] if measure.is_price_adjusted else []


def peers_sentence(row: Effect, measure: CardMeasure, what: str, tale: Comparison) -> str:
    """Say by which peers a measure counts for less or more, or was itself counted otherwise."""
    one, other, words = tale.before, tale.after, tale.words
    month = f"{other.as_of:%Y-%m}"
    was, segment = (side.features.segment or words.none for side in (one, other))
    why = words.segment.format(before=was, after=segment)
    if has_moved(row):
        anew = words.features_again.format(month=month)
        what = words.because.format(what=what, why=anew)
        return what if was == segment else words.also.format(what=what, why=why)
    if was == segment:
        is_same_month = f"{one.as_of:%Y-%m}" == month
        why = (words.fitted_again if is_same_month else words.benchmark).format(month=month)
    worth = words.worth[row.points > 0]
    return words.so.format(why=why, name=tale.name(measure.name), worth=worth)


def _terms(tale: Comparison) -> Iterator[tuple[str, str]]:
    one, other, words = tale.before.features, tale.after.features, tale.words
    if one.price_cents != other.price_cents:
        yield "price", _price(tale)
    if one.seats != other.seats:
        yield "seats", _seats(one.seats, other.seats, tale)
    if one.plan != other.plan:
        yield "plan", words.plan.format(**_turn(one.plan, other.plan, tale))
    if one.feature_exceptions != other.feature_exceptions:
        yield "exceptions", words.exceptions
    if one.renewal_on != other.renewal_on:
        yield "renewal", words.renewal.format(**_turn(one.renewal_on, other.renewal_on, tale))


def _turn(before: object, after: object, tale: Comparison) -> dict[str, Any]:
    return {"before": before or tale.words.none, "after": after or tale.words.none}


def _seats(one: int | None, other: int | None, tale: Comparison) -> str:
    words, (before, after) = tale.words, format_pair(one, other)
    if other is None:
        return words.seats_went
    if one is None:
        return words.seats_came.format(after=after)
    return words.seats.format(verb=direction_verb(one, other, words), before=before, after=after)


def _price(tale: Comparison) -> str:
    words, currency = tale.words, tale.after.definition.lens.base_currency
    one, other = tale.before.features.price_cents, tale.after.features.price_cents
    said = {"before": format_money(one), "after": format_money(other), "currency": currency}
    if other is None:
        has_no_rate = tale.after.features.no_rate
        return words.rate_went if has_no_rate else words.price_went.format(**said)
    if one is None:
        return words.price_came.format(**said)
    return words.price.format(verb=direction_verb(one, other, words), **said)
