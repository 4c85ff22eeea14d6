"""Explanations as plain sentences. Pure; the words themselves are in ``words.py``."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from app.core.languages import Language
from app.core.number_format import UNKNOWN, format_number, format_pair, format_signed
from app.health.definition.score_definition import Definition
from app.health.explanations.catalogue import CATALOGUES, Catalogue
from app.health.explanations.cause_phrases import peers_sentence, price_sentence
from app.health.explanations.explain import Effect, EffectKind, ScoredDay
from app.health.explanations.phrases import (
    Comparison,
    capitalized,
    direction_verb,
    measure_name,
    movement_phrase,
    with_unit,
)

FULL_STOPS = ".\N{IDEOGRAPHIC FULL STOP}"


def effect_sentence(row: Effect, before: ScoredDay, after: ScoredDay, language: Language) -> str:
    """Say one row in one sentence, its points at the end."""
    tale = Comparison(before, after, CATALOGUES[language])
    what = _what(row, tale)
    if row.kind is not EffectKind.OVERRIDE:  # it begins with a person, who is spelled as they like
        what = capitalized(what)
    return what + tale.words.points.format(points=format_signed(row.points))


def level_sentence(measure: Mapping[str, Any], definition: Definition, language: Language) -> str:
    """Say how a measure stands, as the health answer describes it."""
    words = CATALOGUES[language]
    source = definition.scorecard.sources[measure["source"]]
    said = {
        "name": capitalized(measure_name(measure["name"], source, words)),
        "points": f"{measure['points']:.1f}",
        "most": f"{100 * measure['effective_weight']:.1f}",
    }
    if measure["score"] is None:
        return words.unknown.format(**said)
    raw, median = measure["raw"], measure["median"]
    if raw is None:
        return words.counts_as.format(score=format_number(measure["score"]), **said)
    return words.level.format(
        raw=with_unit(raw, format_number(raw), source, definition, words),
        median="" if median is None else words.median.format(median=format_number(median)),
        **said,
    )


def change_sentence(
    days: tuple[date, date], values: tuple[float, float], points: float, language: Language
) -> str:
    """Sum up how the score went between two days."""
    words = CATALOGUES[language]
    before, after = format_pair(*(round(value, 1) for value in values))
    said = {"since": days[0], "until": days[1], "before": before, "after": after}
    if before == after:
        return words.unchanged.format(**said)
    return words.change.format(
        verb=direction_verb(*values, words), points=format_signed(points), **said
    )


def _what(row: Effect, tale: Comparison) -> str:
    match row.kind:
        case EffectKind.COVERAGE:
            return _weighed(row, tale)
        case EffectKind.CONFIG:
            return tale.joined(_configured(tale))
        case EffectKind.OVERRIDE:
            return _overridden(tale)
    return _adjusted(row, tale) if row.measure is None else _of_measure(row, row.measure, tale)


def _of_measure(row: Effect, name: str, tale: Comparison) -> str:
    """Say how a measure moved; where another thing than usage moved it, say which."""
    measure = tale.measure(name)
    what = movement_phrase(row, measure, tale)
    if row.kind is EffectKind.BEHAVIOUR:
        return what
    return (price_sentence if row.kind is EffectKind.PRICE else peers_sentence)(
        row, measure, what, tale
    )


def _weighed(row: Effect, tale: Comparison) -> str:
    words = tale.words
    said = [
        template.format(names=words.comma.join(map(tale.name, names)))
        for template, names in ((words.came, row.came), (words.went, row.went))
        if names
    ]
    less, differently, more = words.weigh
    weigh = differently if bool(row.came) == bool(row.went) else less if row.came else more
    return (tale.joined(said) or words.known) + weigh


def _adjusted(row: Effect, tale: Comparison) -> str:
    """Say which adjustments came and went; if none did, which hold, else that bounds do."""
    words = tale.words
    said = [(words.applies, row.came), (words.applied, row.went)]
    if not (row.came or row.went):
        said = [(words.still_applies, row.stayed)]
    parts = [text.format(reasons=_quoted(found, words)) for text, found in said if found]
    return tale.joined(parts) or words.bounds


def _quoted(reasons: Sequence[str], words: Catalogue) -> str:
    return words.comma.join(words.quoted.format(name=_bare(reason)) for reason in reasons)


def _bare(text: str) -> str:
    """Take the full stop off, where the sentence goes on."""
    return text.strip().rstrip(FULL_STOPS)


def _configured(tale: Comparison) -> Iterator[str]:
    one, other, words = tale.before, tale.after, tale.words
    before, after = one.definition.version, other.definition.version
    if before != after:
        yield words.version.format(before=before, after=after)
    elif one.card_name != other.card_name:
        yield words.card.format(before=one.card_name, after=other.card_name)
    if _settings(one.definition) != _settings(other.definition):
        yield words.settings


def _settings(definition: Definition) -> object:
    """What somebody has set beside the scorecard."""
    said = definition if definition.configured else definition.with_default_features(())
    offer, lens = said.offer, said.lens
    return offer.weights, offer.plans, lens.product, lens.reach, lens.base_currency


def _overridden(tale: Comparison) -> str:
    was, said, words = tale.before.override, tale.after.override, tale.words
    if said is None:
        author, value = (was.author, format_number(was.value)) if was else (UNKNOWN, UNKNOWN)
        return words.override_ended.format(author=author, value=value)
    template = words.override_holds if was == said else words.override
    reason = _bare(said.reason)
    return template.format(
        author=said.author,
        value=format_number(said.value),
        until=f"{said.expires_at:%Y-%m-%d}",
        reason=words.override_reason.format(reason=reason) if reason else "",
    )
