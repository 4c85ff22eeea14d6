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


def eligible_keys(account: Case) -> list[str]:
    return [each.key for each in eligible_playbooks(account, shipped_playbooks())]


def test_a_signal_leads_to_the_playbook_that_answers_it() -> None:
    assert eligible_keys(case(driver("champion_inactive"))) == ["find_next_champion"]


def test_a_playbook_answers_the_most_severe_of_its_signals() -> None:
    eligible = eligible_playbooks(
        case(driver("price_rise", "high"), driver("seats_idle", "low")), shipped_playbooks()
    )

    assert [(each.key, each.driver.name) for each in eligible] == [("right_size", "price_rise")]


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
def test_a_playbook_is_eligible_only_for_its_audience(
    changes: dict[str, Any], expected: list[str]
) -> None:
    assert eligible_keys(case(driver("champion_inactive"), **changes)) == expected


def test_a_dormant_account_is_eligible_only_for_playbooks_of_dormant_accounts() -> None:
    dormant = case(driver("dormant"), driver("breadth_stalled"))

    assert eligible_keys(dormant) == ["wake_the_dormant"]


def test_a_churned_account_is_eligible_only_when_the_cause_is_fixed() -> None:
    churned = driver("churned", "high")

    assert eligible_keys(case(churned, status=HealthStatus.CHURNED)) == []
    assert eligible_keys(case(churned, driver("cause_fixed"), status=HealthStatus.CHURNED)) == [
        "return_after_churn"
    ]


def test_the_value_is_risk_times_revenue_times_uplift_minus_cost() -> None:
    account = case(driver("champion_inactive", "medium"))

    [ranked] = rank_playbooks(
        account, eligible_playbooks(account, shipped_playbooks()), shipped_playbooks(), {}
    )

    assert ranked.value_cents == pytest.approx(0.2 * 1200_00 * 0.30 * 0.8 - 1000)
    assert (ranked.uplift.evidence, ranked.uplift.units) == ("prior", 0)


def test_a_measured_uplift_replaces_the_assumed_one() -> None:
    account = case(driver("champion_inactive", "high"))

    [ranked] = rank_playbooks(
        account,
        eligible_playbooks(account, shipped_playbooks()),
        shipped_playbooks(),
        {"find_next_champion": Uplift(-0.1, 300)},
    )

    assert ranked.value_cents == pytest.approx(0.2 * 1200_00 * -0.1 - 1000)
    assert (ranked.uplift.evidence, ranked.uplift.units) == ("measured", 300)


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
def test_risk_and_revenue_name_their_basis(
    changes: dict[str, Any], risk: float, basis: str, arr: float
) -> None:
    ranked = case(**changes)

    assert (ranked.risk, ranked.basis, ranked.arr_cents) == (risk, basis, arr)


NAMES = sorted({name for playbook in shipped_playbooks().values() for name in playbook.signals})
DRIVERS = st.builds(driver, st.sampled_from(NAMES), st.sampled_from(["info", "low", "high"]))


@given(st.lists(DRIVERS, unique_by=lambda each: each.name), st.floats(0, 1))
def test_at_most_three_are_returned_and_the_best_comes_first(
    drivers: list[Signal], probability: float
) -> None:
    account = case(*drivers, probability=probability)
    eligible = eligible_playbooks(account, shipped_playbooks())

    ranked = rank_playbooks(account, eligible, shipped_playbooks(), {})

    assert len(ranked) == min(3, len(eligible))
    assert [each.rank for each in ranked] == list(range(1, len(ranked) + 1))
    values = [each.value_cents for each in ranked]
    assert values == sorted(values, reverse=True)
    assert len({each.eligible.key for each in ranked}) == len(ranked)


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ([("seats_idle", "low")], []),
        ([("seats_idle", "low"), ("low_value_per_dollar", "low")], []),
        ([("seats_idle", "medium")], ["right_size"]),
        ([("ticket_surge", "low")], ["improve_product"]),
    ],
)
def test_low_signals_are_enough_only_for_playbooks_with_on_low(
    signals: list[tuple[str, str]], expected: list[str]
) -> None:
    ranked = eligible_keys(case(*(driver(name, severity) for name, severity in signals)))

    assert [key for key in ranked if key != "put_to_the_test"] == expected


def test_missing_profile_fields_are_the_evidence() -> None:
    incomplete = SimpleNamespace(industry="retail", employees=None, end_customers=None)
    complete = SimpleNamespace(industry="retail", employees=1, end_customers=0)

    ranked = profile_gaps(incomplete, DAY)

    assert ranked is not None
    assert ranked.evidence == {"missing": ["employees", "end_customers"]}
    assert profile_gaps(complete, DAY) is None
