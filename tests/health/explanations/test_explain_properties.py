"""Whatever changed between two days, the effects add up, and each kind has its cause."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.health.definition.scorecard import Card, Scorecard
from app.health.explanations.explain import (
    BEHAVIOUR_FIELDS,
    PEER_FIELDS,
    PRICE_FIELDS,
    Effect,
    EffectKind,
    ScoredDay,
    evaluate_account,
    explain_change,
)
from app.health.scoring.evaluate import account_facts, evaluate
from tests.health.histories import make_day, random_history

EXACT = 1e-6

checked = settings(
    database=None,
    max_examples=150,
    suppress_health_check=list(HealthCheck),
)

seeds = st.integers(0, 2**32)
ALL_BUT_OVERRIDES = [kind for kind in EffectKind if kind is not EffectKind.OVERRIDE]


def score_of(day: ScoredDay) -> float:
    """Return the score as a refresh computes it, or the override; skip accounts without one."""
    facts = account_facts(day.definition.offer, [day.features], day.as_of)
    sources = day.definition.scorecard.sources
    [value] = evaluate(day.card, day.benchmark, sources, facts).final.tolist()
    assume(not math.isnan(value))
    return day.override.value if day.override else float(value)


def points(
    rows: Sequence[Effect], *kinds: EffectKind
) -> list[tuple[EffectKind, str | None, float]]:
    return [(row.kind, row.measure, row.points) for row in rows if row.kind in kinds]


@checked
@given(seed=seeds)
def test_the_effects_add_up_to_the_difference(seed: int) -> None:
    before, after = random_history(seed)
    difference = score_of(after) - score_of(before)

    rows = explain_change(before, after)

    assert sum(row.points for row in rows) == pytest.approx(difference, abs=EXACT)


def test_the_histories_have_effects_of_every_kind() -> None:
    """Else the properties of this file would be empty."""
    found = Counter(
        row.kind for seed in range(100) for row in explain_change(*random_history(seed))
    )

    assert min(found[kind] for kind in EffectKind) > 10


@checked
@given(seed=seeds)
def test_each_measure_has_at_most_one_effect_of_a_kind(seed: int) -> None:
    rows = explain_change(*random_history(seed))

    of_measures = [(row.kind, row.measure) for row in rows if row.measure]
    whole = [
        row.kind
        for row in rows
        if row.kind in {EffectKind.COVERAGE, EffectKind.CONFIG, EffectKind.OVERRIDE}
    ]
    assert len({*of_measures}) == len(of_measures)
    assert len({*whole}) == len(whole)


@checked
@given(seed=seeds)
def test_a_day_is_scored_again_as_before(seed: int) -> None:
    scored_day = replace(random_history(seed)[0], override=None)

    assert evaluate_account(scored_day).value == pytest.approx(score_of(scored_day), abs=EXACT)


@checked
@given(seed=seeds)
def test_the_same_day_has_no_effects(seed: int) -> None:
    assert explain_change(random_history(seed)[0], random_history(seed)[0]) == []


@checked
@given(seed=seeds)
def test_without_a_change_of_usage_there_is_no_effect_of_behaviour(seed: int) -> None:
    before, after = random_history(seed)

    rows = explain_change(before, with_earlier_inputs(before, after, BEHAVIOUR_FIELDS))

    assert points(rows, EffectKind.BEHAVIOUR) == []


@checked
@given(seed=seeds)
def test_without_a_change_of_terms_there_is_no_effect_of_price(seed: int) -> None:
    before, after = random_history(seed)
    features = replace(after.features, **{n: getattr(before.features, n) for n in PRICE_FIELDS})

    rows = explain_change(before, replace(after, features=features))

    assert points(rows, EffectKind.PRICE) == []
    usage = points(rows, EffectKind.BEHAVIOUR)
    assert usage == points(explain_change(before, after), EffectKind.BEHAVIOUR)


@checked
@given(seed=seeds)
def test_with_the_same_peers_there_is_no_effect_of_peers(seed: int) -> None:
    before, after = random_history(seed)
    assume(before.definition.configured)
    same = replace(
        with_earlier_inputs(before, after, PEER_FIELDS, as_of=False), benchmarks=before.benchmarks
    )

    rows = explain_change(before, same)

    assert points(rows, EffectKind.PEERS) == []
    earlier = (EffectKind.BEHAVIOUR, EffectKind.PRICE)
    assert points(rows, *earlier) == points(explain_change(before, after), *earlier)


@checked
@given(seed=seeds)
def test_with_the_same_settings_there_is_no_effect_of_configuration(seed: int) -> None:
    before, after = random_history(seed)
    same = replace(after, definition=before.definition, card_name=before.card_name)

    assert points(explain_change(before, same), EffectKind.CONFIG) == []


@checked
@given(seed=seeds)
def test_product_features_found_in_the_usage_are_not_configuration(seed: int) -> None:
    """They belong to the benchmark of a month."""
    before, after = random_history(seed)
    definition = before.definition
    assume(not definition.configured)
    names = tuple(after.definition.offer.weights)
    same = replace(
        after, definition=definition.with_default_features(names), card_name=before.card_name
    )

    assert points(explain_change(before, same), EffectKind.CONFIG) == []


@checked
@given(seed=seeds)
def test_without_an_override_there_is_no_effect_of_one(seed: int) -> None:
    before, after = (replace(each, override=None) for each in random_history(seed))

    assert points(explain_change(before, after), EffectKind.OVERRIDE) == []


@checked
@given(seed=seeds)
def test_an_override_changes_no_other_effect(seed: int) -> None:
    rows = explain_change(*random_history(seed))
    without = explain_change(*(replace(each, override=None) for each in random_history(seed)))

    assert points(rows, *ALL_BUT_OVERRIDES) == points(without, *EffectKind)


OWN_INPUTS = {
    "reach": ("reached", "end_customers"),
    "depth": ("active_users",),
    "breadth": ("adopted",),
    "calm": ("events",),
    "size": ("employees",),
    "csat": ("traits",),
}


@checked
@given(seed=seeds, name=st.sampled_from(sorted(OWN_INPUTS)))
def test_a_measure_with_the_same_usage_has_no_effect_of_behaviour(seed: int, name: str) -> None:
    before, after = random_history(seed)

    rows = explain_change(before, with_earlier_inputs(before, after, OWN_INPUTS[name], as_of=False))

    assert name not in {row.measure for row in rows if row.kind is EffectKind.BEHAVIOUR}


@checked
@given(seed=seeds)
def test_without_missing_measures_there_is_no_effect_of_coverage(seed: int) -> None:
    before, after = random_history(seed)
    known = [measure.model_copy(update={"missing": 0}) for measure in before.card.measures]
    card = Card(measures=known, groups=before.card.groups, min_coverage=0)
    definition = replace(before.definition, scorecard=Scorecard(default=card))
    one = make_day(before.features, definition, before.benchmarks)
    other = replace(after, definition=definition, card_name=one.card_name)

    assert points(explain_change(one, other), EffectKind.COVERAGE) == []


def with_earlier_inputs(
    before: ScoredDay, after: ScoredDay, names: tuple[str, ...], *, as_of: bool = True
) -> ScoredDay:
    """Return the later day with some of the earlier features."""
    features = replace(after.features, **{name: getattr(before.features, name) for name in names})
    return replace(after, features=features, as_of=before.as_of if as_of else after.as_of)
