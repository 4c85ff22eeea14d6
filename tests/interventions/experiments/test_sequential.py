"""Experiments in simulated worlds: how often they are wrong when somebody looks every day."""

from math import inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln

from app.interventions.experiments.sequential import ArmSample, compare_arms, interval_contains


def arms() -> st.SearchStrategy[ArmSample]:
    return st.integers(1, 400).flatmap(
        lambda n: st.builds(ArmSample, st.just(n), st.integers(0, n))
    )


@given(arms(), arms())
def test_an_interval_holds_what_was_seen(treated: ArmSample, control: ArmSample) -> None:
    found = compare_arms(treated, control, alpha=0.05)

    assert -1 <= found.low <= found.difference <= found.high <= 1


@given(arms(), arms())
def test_turning_the_arms_round_turns_the_interval_round(one: ArmSample, other: ArmSample) -> None:
    there, back = compare_arms(one, other, alpha=0.05), compare_arms(other, one, alpha=0.05)

    assert there.low == pytest.approx(-back.high, abs=1e-6)
    assert there.high == pytest.approx(-back.low, abs=1e-6)


@given(arms(), arms())
def test_less_doubt_asks_for_a_wider_interval(one: ArmSample, other: ArmSample) -> None:
    sure, unsure = compare_arms(one, other, alpha=0.01), compare_arms(one, other, alpha=0.2)

    assert sure.low <= unsure.low + 1e-9
    assert unsure.high <= sure.high + 1e-9


def test_ten_times_as_much_of_the_same_says_more() -> None:
    few = compare_arms(ArmSample(100, 90), ArmSample(100, 80), alpha=0.05)
    many = compare_arms(ArmSample(1000, 900), ArmSample(1000, 800), alpha=0.05)

    assert few.contains_zero
    assert not many.contains_zero
    assert many.high - many.low < few.high - few.low


def test_the_interval_ends_where_the_formula_says() -> None:
    """At an end the mixture over the best fit is 1 / alpha; found by a grid, not by bisection."""
    treated, control = ArmSample(60, 48), ArmSample(50, 30)
    mixture = sum(
        betaln(0.5 + a.successes, 0.5 + a.trials - a.successes) - betaln(0.5, 0.5)
        for a in (treated, control)
    )

    def best(difference: float) -> float:
        rates = np.linspace(0.0001, 0.9999, 20_001)
        other = rates + difference
        inside = (other > 0) & (other < 1)
        rates, other = rates[inside], other[inside]
        fit = 48 * np.log(other) + 12 * np.log1p(-other) + 30 * np.log(rates)
        return float(np.max(fit + 20 * np.log1p(-rates), initial=-inf))

    found = compare_arms(treated, control, alpha=0.05)

    for end in (found.low, found.high):
        assert mixture - best(end) == pytest.approx(log(20), abs=1e-3)


def ever_outside(*, treated: float, control: float, worlds: int, days: int, seed: int) -> float:
    """Return in how many worlds the truth lay outside on any day, of six new units a day."""
    rng = np.random.default_rng(seed)
    outside = 0
    for _ in range(worlds):
        sizes = rng.multinomial(6, [0.5, 0.5], size=days).cumsum(axis=0)
        one = np.cumsum(rng.random(6 * days) < treated)
        other = np.cumsum(rng.random(6 * days) < control)
        outside += any(
            not interval_contains(
                ArmSample(n, int(one[n - 1])),
                ArmSample(m, int(other[m - 1])),
                treated - control,
                alpha=0.05,
            )
            for n, m in sizes.tolist()
            if n and m
        )
    return outside / worlds


@pytest.mark.parametrize(("treated", "control"), [(0.9, 0.9), (0.5, 0.5), (0.9, 0.8), (0.98, 0.98)])
def test_the_truth_is_held_on_all_days_at_once_as_often_as_is_said(
    treated: float, control: float
) -> None:
    """With equal rates this is the false-positive rate of somebody who looks every day."""
    assert ever_outside(treated=treated, control=control, worlds=400, days=60, seed=3) <= 0.05


def test_a_fixed_time_interval_would_be_wrong_far_more_often() -> None:
    """Else the simulation above would show nothing."""
    rng, wrong = np.random.default_rng(3), 0
    for _ in range(200):
        one, other = (np.cumsum(rng.random(300) < 0.8) for _ in range(2))
        n = np.arange(1, 301)
        rate = (one + other) / (2 * n)
        spread = np.sqrt(np.maximum(2 * rate * (1 - rate) / n, 1e-12))
        wrong += bool(np.any(np.abs(one - other)[20:] / n[20:] > 1.96 * spread[20:]))

    assert wrong / 200 > 0.15
