"""The sentences of explanations; their texts are in ``sentences.*.ftl``. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from app.core.catalogue import load_catalogue
from app.core.languages import Language
from app.core.number_format import UNKNOWN, format_number, format_pair, format_signed
from app.health.definition.metrics import METRICS
from app.health.definition.score_definition import Definition
from app.health.explanations.explain import Effect, EffectKind, ScoredDay
from app.health.explanations.phrases import (
    Comparison,
    capitalized,
    direction,
    format_amount,
    is_weighed,
    measure_name,
    movement_phrase,
    peers_phrase,
    price_phrase,
    shown_value,
)

TENTH = "0.1"
FULL_STOPS = ".\N{IDEOGRAPHIC FULL STOP}"


def effect_sentence(
    effect: Effect,
    before: ScoredDay,
    after: ScoredDay,
    language: Language,
    *,
    shown_points: float | None = None,
) -> str:
    """Describe one effect in one sentence, with its points at the end.

    ``shown_points``: its points in tenths, rounded together with those of all other effects.
    """
    comparison = Comparison(before, after, load_catalogue(__file__, language))
    phrase = _effect_phrase(effect, comparison)
    if effect.kind is not EffectKind.OVERRIDE:  # it starts with an author: keep the spelling
        phrase = capitalized(phrase)
    if shown_points == 0:
        return comparison.texts.format("effect_below_a_tenth", phrase=phrase, tenth=TENTH)
    points = format_signed(effect.points if shown_points is None else shown_points)
    return comparison.texts.format("effect", phrase=phrase, points=points)


def level_sentence(measure: Mapping[str, Any], definition: Definition, language: Language) -> str:
    """Describe the value and the points of a measure. ``measure``: as in the health answer."""
    texts = load_catalogue(__file__, language)
    source = definition.scorecard.sources[measure["source"]]
    values = {
        "name": capitalized(measure_name(measure["name"], source, texts)),
        "points": f"{measure['points']:.1f}",
        "max": f"{100 * measure['effective_weight']:.1f}",
    }
    if measure["score"] is None:
        return texts.format("level_unknown", **values)
    if (raw := measure["raw"]) is None:
        return texts.format("level_without_raw", score=measure["score"], **values)
    median = shown_value(measure["median"], source)
    shown = format_number(shown_value(raw, source))
    amount = format_amount(raw, shown, source, definition, texts)
    if is_weighed(source, definition):
        amount = texts.format("weight_in_use", number=raw)
    return texts.format("level", raw=amount, median=median, **values)


def change_sentence(
    days: tuple[date, date], scores: tuple[float, float], language: Language
) -> str:
    """Describe how the score moved between two days: the points are those between both numbers."""
    texts = load_catalogue(__file__, language)
    before, after = format_pair(*(round(score, 1) for score in scores))
    if before == after:
        return texts.format("score_stayed", since=days[0], until=days[1], after=after)
    return texts.format(
        "score_moved",
        since=days[0],
        until=days[1],
        direction=direction(*scores),
        before=before,
        after=after,
        points=format_signed(shown_difference(*scores)),
    )


def shown_difference(before: float, after: float) -> float:
    """Return the difference of two scores as sentences show them: in tenths."""
    return round(round(after, 1) - round(before, 1), 1)


def not_comparable_sentence(day: date, language: Language, *, was_scored: bool) -> str:
    """Say why the score of a day cannot be compared."""
    message_id = "not_comparable" if was_scored else "no_score"
    return load_catalogue(__file__, language).format(message_id, day=day)


def unknown_measure_names(measures: Iterable[Mapping[str, Any]], language: Language) -> str:
    """List the measures without a score. ``measures``: as in the health answer."""
    texts = load_catalogue(__file__, language)
    names = [
        texts.format(f"metric_{each['name']}")
        if each["name"] == each["source"] and each["name"] in METRICS
        else texts.format("quoted", text=each["name"])
        for each in measures
        if each["score"] is None
    ]
    return texts.format_list("list", names)


def last_used_sentence(day: str, language: Language) -> str:
    return load_catalogue(__file__, language).format("last_used", day=day)


def _effect_phrase(effect: Effect, comparison: Comparison) -> str:
    match effect.kind:
        case EffectKind.COVERAGE:
            return _coverage_phrase(effect, comparison)
        case EffectKind.CONFIG:
            return comparison.joined(_config_phrases(comparison))
        case EffectKind.OVERRIDE:
            return _override_phrase(comparison)
    if effect.measure is None:
        return _adjustment_phrase(effect, comparison)
    measure = comparison.measure(effect.measure)
    movement = movement_phrase(effect, measure, comparison)
    if effect.kind is EffectKind.BEHAVIOUR:
        return movement
    phrase_of_cause = price_phrase if effect.kind is EffectKind.PRICE else peers_phrase
    return phrase_of_cause(effect, measure, movement, comparison)


def _coverage_phrase(effect: Effect, comparison: Comparison) -> str:
    texts = comparison.texts
    phrases = [
        texts.format(message_id, names=texts.format_list("list", names))
        for message_id, names in (
            ("measures_known", [*map(comparison.measure_name, effect.added)]),
            ("measures_unknown", [*map(comparison.measure_name, effect.removed)]),
        )
        if names
    ]
    what = comparison.joined(phrases) or texts.format("known_data_changed")
    way = "both"
    if bool(effect.added) != bool(effect.removed):
        way = "down" if effect.added else "up"
    return texts.format("weights_changed", what=what, direction=way)


def _adjustment_phrase(effect: Effect, comparison: Comparison) -> str:
    """Name the adjustments that started or stopped applying, else those that still apply.

    Without any adjustment, the points come from the bounds 0 and 100.
    """
    texts = comparison.texts
    groups = [("adjustments_began", effect.added), ("adjustments_ended", effect.removed)]
    if not (effect.added or effect.removed):
        groups = [("adjustments_unchanged", effect.unchanged)]
    phrases = []
    for message_id, reasons in groups:
        quoted = [texts.format("quoted", text=_without_full_stop(reason)) for reason in reasons]
        if quoted:
            phrases.append(texts.format(message_id, reasons=texts.format_list("list", quoted)))
    return comparison.joined(phrases) or texts.format("bounds")


def _without_full_stop(text: str) -> str:
    return text.strip().rstrip(FULL_STOPS)


def _config_phrases(comparison: Comparison) -> Iterator[str]:
    before, after, texts = comparison.before, comparison.after, comparison.texts
    old_version, new_version = before.definition.version, after.definition.version
    if old_version != new_version:
        versions = {"before": str(old_version), "after": str(new_version)}
        yield texts.format("version_changed", **versions)
    elif before.card_name != after.card_name:
        yield texts.format("card_changed", before=before.card_name, after=after.card_name)
    if _settings(before.definition) != _settings(after.definition):
        yield texts.format("settings_changed")


def _settings(definition: Definition) -> object:
    """Return the configured settings that are not in the scorecard, such as plans and reach."""
    configured = definition if definition.configured else definition.with_default_features(())
    offer, spec = configured.offer, configured.spec
    return offer.weights, offer.plans, spec.product, spec.reach, spec.base_currency


def _override_phrase(comparison: Comparison) -> str:
    old, new, texts = comparison.before.override, comparison.after.override, comparison.texts
    shown = new or old
    values: dict[str, Any] = {"author": UNKNOWN, "value": UNKNOWN}
    if shown:
        values = {"author": shown.author or texts.format("somebody"), "value": shown.value}
    if new is None:
        return texts.format("override_ended", **values)
    return texts.format(
        "override_unchanged" if old == new else "override_set",
        **values,
        until=f"{new.expires_at:%Y-%m-%d}",
        reason=_without_full_stop(new.reason) or None,
    )
