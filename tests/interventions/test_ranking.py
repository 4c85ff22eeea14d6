from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.health.definition.scorecard import Band
from app.health.scoring.assess import HealthStatus
from app.interventions.experiments.uplift import Uplift
from app.interventions.playbooks.catalogue import shipped_playbooks
from app.interventions.playbooks.definition import CustomerType
from app.interventions.ranking import Case, eligible_playbooks, profile_gaps, rank_playbooks
from app.signals.signal import Severity, Signal

DAY = date(2026, 3, 18)


def driver(name: str, severity: str = "medium") -> Signal:
    return Signal(name, Severity(severity), DAY, {})


def case(*drivers: Signal, **changes: Any) -> Case:  # noqa: ANN401
    made = Case(
        account_id="a1",
        business=CustomerType.B2B,
        status=HealthStatus.OK,
        band=Band.WATCH,
        mrr_cents=100_00,
        probability=0.2,
        drivers=drivers,
        matched=frozenset(shipped_playbooks()),
    )
    return replace(made, **changes)


def keys(of: Case) -> list[str]:
    return [fit.key for fit in eligible_playbooks(of, shipped_playbooks())]


def test_a_signal_leads_to_the_playbook_that_answers_it() -> None:
    assert keys(case(driver("champion_inactive"))) == ["find_next_champion"]


def test_a_playbook_answers_the_gravest_of_its_signals() -> None:
    found = eligible_playbooks(
        case(driver("price_rise", "high"), driver("seats_idle", "low")), shipped_playbooks()
    )

    assert [(fit.key, fit.driver.name) for fit in found] == [("right_size", "price_rise")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["find_next_champion"]),
        ({"blocked": {"find_next_champion"}}, []),
        ({"matched": frozenset()}, []),
        ({"business": CustomerType.B2C}, []),
        ({"status": HealthStatus.CHURNED}, []),
        ({"status": HealthStatus.EXCLUDED}, []),
        ({"status": HealthStatus.NEW}, ["find_next_champion"]),
    ],
)
def test_it_is_only_for_its_audience(changes: dict[str, Any], expected: list[str]) -> None:
    assert keys(case(driver("champion_inactive"), **changes)) == expected


def test_who_is_dormant_is_woken_and_not_called_to_a_community() -> None:
    asleep = case(driver("dormant"), driver("breadth_stalled"))

    assert keys(asleep) == ["wake_the_dormant"]


def test_who_has_left_is_written_to_only_when_the_cause_is_fixed() -> None:
    gone = driver("churned", "high")

    assert keys(case(gone, status=HealthStatus.CHURNED)) == []
    assert keys(case(gone, driver("cause_fixed"), status=HealthStatus.CHURNED)) == [
        "return_after_churn"
    ]


def test_the_value_is_risk_times_revenue_times_uplift_less_cost() -> None:
    one = case(driver("champion_inactive", "medium"))

    [found] = rank_playbooks(
        one, eligible_playbooks(one, shipped_playbooks()), shipped_playbooks(), {}
    )

    assert found.value_cents == pytest.approx(0.2 * 1200_00 * 0.30 * 0.8 - 1000)
    assert (found.uplift.evidence, found.uplift.units) == ("prior", 0)


def test_what_was_measured_takes_the_place_of_what_was_supposed() -> None:
    one = case(driver("champion_inactive", "high"))

    [found] = rank_playbooks(
        one,
        eligible_playbooks(one, shipped_playbooks()),
        shipped_playbooks(),
        {"find_next_champion": Uplift(-0.1, 300)},
    )

    assert found.value_cents == pytest.approx(0.2 * 1200_00 * -0.1 - 1000)
    assert (found.uplift.evidence, found.uplift.units) == ("measured", 300)


@pytest.mark.parametrize(
    ("changes", "risk", "basis", "arr"),
    [
        ({}, 0.2, "model", 1200_00),
        ({"probability": None}, 0.15, "band", 1200_00),
        ({"probability": None, "band": Band.AT_RISK}, 0.3, "band", 1200_00),
        ({"mrr_cents": 0}, 0.2, "model", 1200_00),
        ({"status": HealthStatus.CHURNED}, 1.0, "model", 1200_00),
    ],
)
def test_what_is_at_stake_says_what_it_rests_on(
    changes: dict[str, Any], risk: float, basis: str, arr: float
) -> None:
    found = case(**changes)

    assert (found.risk, found.basis, found.arr_cents) == (risk, basis, arr)


NAMES = sorted({name for playbook in shipped_playbooks().values() for name in playbook.signals})
DRIVERS = st.builds(driver, st.sampled_from(NAMES), st.sampled_from(["info", "low", "high"]))


@given(st.lists(DRIVERS, unique_by=lambda each: each.name), st.floats(0, 1))
def test_at_most_three_are_kept_and_the_best_comes_first(
    drivers: list[Signal], probability: float
) -> None:
    one = case(*drivers, probability=probability)
    fits = eligible_playbooks(one, shipped_playbooks())

    found = rank_playbooks(one, fits, shipped_playbooks(), {})

    assert len(found) == min(3, len(fits))
    assert [each.rank for each in found] == list(range(1, len(found) + 1))
    values = [each.value_cents for each in found]
    assert values == sorted(values, reverse=True)
    assert len({each.fit.key for each in found}) == len(found)


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ([("seats_idle", "low")], []),
        ([("seats_idle", "low"), ("low_value_per_dollar", "low")], []),
        ([("seats_idle", "medium")], ["right_size"]),
        ([("ticket_surge", "low")], ["improve_product"]),
    ],
)
def test_where_little_is_wrong_nothing_is_suggested_unless_the_playbook_says_so(
    signals: list[tuple[str, str]], expected: list[str]
) -> None:
    found = keys(case(*(driver(name, severity) for name, severity in signals)))

    assert [key for key in found if key != "put_to_the_test"] == expected


def test_gaps_of_the_profile_are_named() -> None:
    known = SimpleNamespace(industry="retail", employees=None, end_customers=None)
    whole = SimpleNamespace(industry="retail", employees=1, end_customers=0)

    found = profile_gaps(known, DAY)

    assert found is not None
    assert found.evidence == {"missing": ["employees", "end_customers"]}
    assert profile_gaps(whole, DAY) is None
