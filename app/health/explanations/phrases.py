"""How measures and their numbers are called in the sentences of explanations. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.core.number_format import format_pair, is_known
from app.health.definition.measures import CardMeasure, EventsSource, MetricSource, Source
from app.health.definition.score_definition import Definition
from app.health.explanations.catalogue import Catalogue
from app.health.explanations.explain import Effect, ScoredDay


@dataclass(frozen=True, slots=True)
class Comparison:
    """The two days that are told of, and the words."""

    before: ScoredDay
    after: ScoredDay
    words: Catalogue

    def measure(self, name: str) -> CardMeasure:
        """Rows are of the measures of the earlier day: its card holds until the last step."""
        return next(each for each in self.before.card.measures if each.name == name)

    def name(self, measure: str) -> str:
        return measure_name(measure, self.measure(measure).source, self.words)

    def joined(self, parts: Iterable[str]) -> str:
        return self.words.join.join(parts)


def measure_name(measure: str, source: Source, words: Catalogue) -> str:
    """Call a metric by its name in the language, anything else as whoever named it did."""
    if isinstance(source, MetricSource) and measure == source.key:
        return words.metrics[measure][0]
    return words.quoted.format(name=measure)


def with_unit(
    value: float | None, text: str, source: Source, definition: Definition, words: Catalogue
) -> str:
    """Say a number, and what there is so many of."""
    one, many = "", ""
    if isinstance(source, EventsSource):
        one, many = words.event
    elif isinstance(source, MetricSource):
        _, one, many = words.metrics[source.key]
    if source.key == "breadth" and {*definition.offer.weights.values()} - {1.0}:
        one, many = words.weighted
    unit = one if value == 1 else many
    return f"{text} {unit}" if unit else text


def direction_verb(before: float | None, after: float | None, words: Catalogue) -> str:
    one, other = before or 0.0, after or 0.0
    return words.verbs[1 + (other > one) - (other < one)]


def has_moved(row: Effect) -> bool:
    """Whether the raw value of a row's measure is another, or became known or unknown."""
    if is_known(row.before) and is_known(row.after):
        return row.before != row.after
    return is_known(row.before) != is_known(row.after)


def movement_phrase(row: Effect, measure: CardMeasure, tale: Comparison) -> str:
    words, source = tale.words, measure.source
    name = tale.name(measure.name)
    was, now = format_pair(row.before, row.after)
    before = with_unit(row.before, was, source, tale.before.definition, words)
    after = with_unit(row.after, now, source, tale.before.definition, words)
    if not has_moved(row):
        return _stayed(name, after, source, tale)
    if not is_known(row.before):
        return words.became_known.format(name=name, after=after)
    if not is_known(row.after):
        return words.became_unknown.format(name=name, before=before)
    way = direction_verb(row.before, row.after, words)
    return words.moved.format(name=name, verb=way, before=was, after=after)


def _stayed(name: str, after: str, source: Source, tale: Comparison) -> str:
    was, whole = (side.features.end_customers for side in (tale.before, tale.after))
    if source.key == "reach" and was != whole:
        [one, other] = format_pair(was, whole)
        return tale.words.end_customers.format(name=name, after=after, whole=other, was=one)
    return tale.words.stayed.format(name=name, after=after)


def capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
