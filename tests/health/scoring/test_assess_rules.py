"""Cards selected by rules, and custom measures."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.features.values import AccountFeatures
from app.health.definition.benchmark import Normalizer
from app.health.definition.measures import EventsSource, LinearTransform, TraitSource
from app.health.definition.scorecard import Adjustment, Band, Card, CardRule, Scorecard
from app.health.scoring.assess import (
    Assessment,
    assess_accounts,
    fit_benchmarks,
    partial_window_days,
)
from app.health.scoring.evaluate import account_facts
from tests.health.builders import (
    AS_OF,
    EMPTY_OFFER,
    make_account,
    make_context,
    make_measure,
    simple_benchmark,
)
from tests.health.strategies import WIDE, accounts, scorecards

checked = settings(max_examples=60)

LINE = LinearTransform(at_0=0, at_100=100)
CSAT = make_measure("csat", LINE, source=TraitSource(trait="csat"))
DEPTH = make_measure("depth", LINE)


def rule(name: str, when: Any, *measures: Any, **card: Any) -> CardRule:  # noqa: ANN401
    return CardRule(name=name, when=when, card=Card(measures=[*(measures or (DEPTH,))], **card))


WITH_RULES = Scorecard(
    rules=[
        rule("strategic", {"traits.tier": "gold"}, CSAT, healthy_from=90),
        rule("large", {"field": "employees", "op": "gte", "value": 1000}),
        rule("smb", {"segment": "smb"}, DEPTH, CSAT),
    ],
    default=Card(measures=[DEPTH], watch_from=10, healthy_from=20),
)


def assess_all(scorecard: Scorecard, *features: dict[str, Any]) -> list[Assessment]:
    many = [make_account(f"a{number}", **each) for number, each in enumerate(features)]
    return assess_accounts(make_context(scorecard, simple_benchmark()), many, AS_OF)


GOLD = {"traits": {"tier": "gold", "csat": 80}}


@pytest.mark.parametrize(
    ("features", "card", "band"),
    [
        (GOLD, "strategic", Band.WATCH),
        (GOLD | {"segment": "smb", "employees": 5000}, "strategic", Band.WATCH),
        ({"segment": "smb", "employees": 5000}, "large", Band.AT_RISK),
        ({"segment": "smb"}, "smb", Band.AT_RISK),
        ({"segment": "mid"}, "default", Band.HEALTHY),
        ({}, "default", Band.HEALTHY),
    ],
)
def test_the_first_matching_rule_selects_the_card(
    features: dict[str, Any], card: str, band: Band
) -> None:
    [found] = assess_all(WITH_RULES, {"active_users": 24, **features})

    assert (found.details["card"], found.band) == (card, band)
    names = [each["name"] for each in found.details["measures"]]
    assert names == [each.name for each in WITH_RULES.cards[card].measures]


def test_accounts_of_several_cards_keep_their_order() -> None:
    found = assess_all(
        WITH_RULES, {"segment": "smb"}, GOLD, {}, {"segment": "smb"}, {"employees": 2000}
    )

    assert [row.account_id for row in found] == ["a0", "a1", "a2", "a3", "a4"]
    assert [row.details["card"] for row in found] == [
        *("smb", "strategic", "default", "smb", "large")
    ]


def test_the_reasons_of_applied_adjustments_are_listed() -> None:
    soon = Adjustment(
        when={"field": "days_to_renewal", "op": "lt", "value": 30}, at_most=20, reason="Renews soon"
    )
    card = Scorecard(default=Card(measures=[DEPTH], adjustments=[soon]))

    near, far = assess_all(
        card,
        {"active_users": 80, "renewal_on": AS_OF + timedelta(days=29)},
        {"active_users": 80, "renewal_on": AS_OF + timedelta(days=30)},
    )

    assert (near.score, near.band, near.details["adjustments"]) == (
        20,
        Band.AT_RISK,
        ["Renews soon"],
    )
    assert (far.score, far.band, list(far.details["adjustments"])) == (80, Band.HEALTHY, [])
    assert near.details["measures"][0]["points"] == 80, "adjustments do not change the measures"


def test_custom_measures_are_ranked_among_peers() -> None:
    tickets = EventsSource(events=["Filed"], days=90)
    card = Scorecard(
        default=Card(measures=[make_measure("calm", source=tickets, direction="lower_is_better")])
    )
    many = [make_account(f"a{n:02}", counts={tickets.key: n}) for n in range(1, 41)]
    fitted = fit_benchmarks(account_facts(EMPTY_OFFER, many, AS_OF), card, ())

    found = assess_accounts(
        make_context(card, fitted[""]), [many[0], many[39], make_account("none")], AS_OF
    )

    assert [row.score for row in found] == [98.75, 1.25, 100]
    [calm] = found[0].details["measures"]
    assert (calm["source"], calm["raw"], calm["median"]) == ("Filed in 90 days", 1, 20.5)
    assert (calm["per_dollar"], calm["elasticity"]) == (None, None)


def test_only_ranked_measures_are_fitted() -> None:
    card = Scorecard(default=Card(measures=[CSAT, make_measure("events"), make_measure("depth")]))
    many = [
        make_account(f"a{n:02}", events=n, active_users=n, traits={"csat": n}) for n in range(1, 31)
    ]

    fitted = fit_benchmarks(account_facts(EMPTY_OFFER, many, AS_OF), card, ())[""]

    assert fitted.normalizer is Normalizer.WORKSPACE
    assert set(fitted.measures) == {"depth", "events"}


@pytest.mark.parametrize(
    ("days", "window_days", "partial"),
    [(0, 28, 1), (27, 28, 28), (54, 28, 55), (55, 28, None), (12, 7, 13), (13, 7, None)],
)
def test_a_young_account_has_the_number_of_days_with_data(
    days: int, window_days: int, partial: int | None
) -> None:
    young = make_account(first_used_on=None, first_paid_on=AS_OF - timedelta(days=days))

    assert partial_window_days(young, AS_OF, window_days) == partial
    [found] = assess_accounts(make_context(Scorecard(window_days=window_days)), [young], AS_OF)
    assert found.details["partial_window_days"] == partial


def test_an_account_without_events_or_payments_has_no_days_with_data() -> None:
    assert partial_window_days(make_account(first_used_on=None, first_paid_on=None), AS_OF, 28) == 0


@checked
@given(
    scorecard=scorecards(),
    many=st.tuples(*(accounts(f"a{number}") for number in range(5))),
    order=st.permutations(range(5)),
)
def test_under_any_scorecard_accounts_are_scored_independently(
    scorecard: Scorecard, many: tuple[AccountFeatures, ...], order: list[int]
) -> None:
    own = replace(WIDE, segment="smb", normalizer=Normalizer.SEGMENT)
    context = make_context(scorecard, WIDE)
    context = replace(context, benchmarks={**context.benchmarks, "smb": own})

    together = assess_accounts(context, many, AS_OF)

    assert all(row.score is None or 0 <= row.score <= 100 for row in together)
    assert assess_accounts(context, [many[n] for n in order], AS_OF) == [together[n] for n in order]
    assert [assess_accounts(context, [account], AS_OF)[0] for account in many] == together
