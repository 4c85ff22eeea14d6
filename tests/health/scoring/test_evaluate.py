"""The numbers of sources, and the effect of adjustments on a score."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from app.features.values import AccountFeatures
from app.health.definition.entitlement import Offer
from app.health.definition.measures import (
    EventsSource,
    LinearTransform,
    MetricSource,
    Source,
    TraitSource,
)
from app.health.definition.scorecard import Adjustment, Card
from app.health.scoring.evaluate import (
    account_facts,
    apply_adjustments,
    evaluate,
    measure_inputs,
    source_value,
)
from tests.health.builders import (
    AS_OF,
    EMPTY_OFFER,
    NAN,
    make_facts,
    make_measure,
    simple_benchmark,
)
from tests.health.strategies import accounts, adjustments

checked = settings(max_examples=100)

OPENED = EventsSource(events=["Opened"], days=90)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (MetricSource(metric="depth"), 7),
        (MetricSource(metric="seats"), None),
        (TraitSource(trait="csat"), 4.5),
        (TraitSource(trait="tier", values={"gold": 3}), 3),
        (TraitSource(trait="tier"), None),
        (TraitSource(trait="last_call"), 12),
        (TraitSource(trait="unknown"), None),
        (OPENED, 5),
        (EventsSource(events=["Opened"], days=30), 0),
    ],
)
def test_a_source_returns_a_number_of_the_account(source: Source, expected: float | None) -> None:
    last_call = (AS_OF - timedelta(days=12)).isoformat()
    known = make_facts(
        active_users=7,
        traits={"csat": 4.5, "tier": "gold", "last_call": last_call},
        counts={OPENED.key: 5},
    )

    assert source_value(source, known) == expected


def test_features_become_columns_with_earlier_values_and_shares() -> None:
    sources = {
        source.key: source
        for source in (MetricSource(metric="events"), MetricSource(metric="momentum"), OPENED)
    }
    rows = [
        make_facts(Offer({"api": 2.0}, {}), adopted=["api"], events=9, events_before=4, seats=10),
        make_facts(active_users=5, seats=0, reached=3, end_customers=4, price_cents=0.0),
    ]

    columns = measure_inputs(rows, sources)

    assert_array_equal(columns.now, [[2, 0, 0], [0, 5, 3]])
    assert_array_equal(columns.shares, [[1, 0, NAN], [NAN, NAN, 0.75]])
    assert_array_equal(columns.price_cents, [100_000, NAN])
    assert set(columns.others) == {"events", OPENED.key}
    assert_array_equal(columns.others["events"].now, [9, 0])
    assert_array_equal(columns.others["events"].before, [4, 0])
    assert_array_equal(columns.others[OPENED.key].now, [0, 0])
    assert_array_equal(columns.others[OPENED.key].before, [NAN, NAN])


def test_no_accounts_become_no_rows() -> None:
    assert measure_inputs([], {OPENED.key: OPENED}).now.shape == (0, 3)


def adjust(score: float, *configs: dict[str, Any], **features: Any) -> tuple[float, list[str]]:  # noqa: ANN401
    """Adjust the score of an account with a measure ``depth`` that scores 40."""
    rules = [Adjustment.model_validate({"when": {"segment": "smb"}, **each}) for each in configs]
    card = Card(measures=[make_measure("depth")], adjustments=rules)
    value, reasons = apply_adjustments(
        card, make_facts(**{"segment": "smb", **features}), [40.0], score
    )
    return value, list(reasons)


def add(points: float, **config: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"add": points, "reason": f"add {points:g}", **config}


def at_most(points: float, **config: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"at_most": points, "reason": f"at most {points:g}", **config}


def set_to(points: float, **config: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"set_to": points, "reason": f"set to {points:g}", **config}


OTHER_SEGMENT = {"when": {"segment": "large"}}


@pytest.mark.parametrize(
    ("score", "configs", "value", "reasons"),
    [
        (50, [], 50, []),
        (50, [add(10)], 60, ["add 10"]),
        (50, [add(-10), add(3)], 43, ["add -10", "add 3"]),
        (95, [add(10)], 100, ["add 10"]),
        (5, [add(-10)], 0, ["add -10"]),
        (95, [add(10), add(-10)], 95, ["add 10", "add -10"]),
        (50, [at_most(20)], 20, ["at most 20"]),
        (10, [at_most(20)], 10, ["at most 20"]),
        (50, [at_most(20), add(10)], 30, ["at most 20", "add 10"]),
        (50, [add(10), at_most(20)], 20, ["add 10", "at most 20"]),
        (50, [set_to(20), set_to(50), add(5)], 20, ["set to 20"]),
        (50, [add(5), set_to(20)], 20, ["add 5", "set to 20"]),
        (10, [set_to(50)], 50, ["set to 50"]),
        (50, [set_to(20, **OTHER_SEGMENT), add(5)], 55, ["add 5"]),
    ],
)
def test_adjustments_apply_in_order_and_the_first_set_to_ends_them(
    score: float, configs: list[dict[str, Any]], value: float, reasons: list[str]
) -> None:
    assert adjust(score, *configs) == (value, reasons)


@pytest.mark.parametrize(
    ("when", "is_met"),
    [
        ({"field": "measures.depth", "op": "lt", "value": 41}, True),
        ({"field": "measures.depth", "op": "lt", "value": 40}, False),
        ({"field": "depth", "op": "gte", "value": 7}, True),
        ({"field": "days_to_renewal", "op": "lt", "value": 30}, True),
        ({"field": "seats", "op": "lt", "value": 30}, False),
        ({"field": "seats", "op": "is_null", "value": True}, True),
        ({"plan": "pro"}, True),
        ({"owner": ["kim", "lee"]}, True),
        ({"traits.risk": "high", "industry": "steel"}, True),
        ({"traits.calm": "yes"}, False),
        ({"not": {"traits.calm": "yes"}}, True),
        ({"or": [{"plan": "basic"}, {"field": "mrr", "op": "gte", "value": 1000}]}, True),
    ],
)
def test_a_condition_can_use_metrics_measures_traits_and_attributes(
    when: dict[str, Any], *, is_met: bool
) -> None:
    value, _ = adjust(
        50,
        add(1, when=when),
        active_users=7,
        plan="pro",
        owner="kim",
        industry="steel",
        traits={"risk": "high"},
        renewal_on=AS_OF + timedelta(days=29),
    )

    assert (value == 51) == is_met


def test_a_missing_measure_is_null_in_a_condition() -> None:
    missing = {"field": "measures.depth", "op": "is_null", "value": True}
    card = Card(measures=[make_measure("depth")], adjustments=[Adjustment(when=missing, **add(5))])

    assert apply_adjustments(card, make_facts(), [NAN], 50) == (55, ["add 5"])
    assert apply_adjustments(card, make_facts(), [0.0], 50) == (50, [])


def test_an_unknown_score_stays_unknown() -> None:
    assert_allclose(adjust(NAN, set_to(20))[0], NAN)
    assert adjust(NAN, set_to(20))[1] == []


@checked
@given(rules=st.lists(adjustments(), max_size=6), account=accounts("a1"))
def test_an_adjusted_score_stays_within_0_and_100_with_a_reason_for_each_change(
    rules: list[Adjustment], account: AccountFeatures
) -> None:
    line = make_measure(
        "m0", LinearTransform(at_0=0, at_100=10), source=MetricSource(metric="depth")
    )
    card = Card(measures=[line], adjustments=rules)
    [known] = account_facts(EMPTY_OFFER, [account], AS_OF)

    found = evaluate(card, simple_benchmark(), {"depth": line.source}, [known])

    assert 0 <= found.final[0] <= 100
    assert set(found.reasons[0]) <= {each.reason for each in rules}
    assert found.reasons[0] or found.final[0] == found.scores.score[0]
