"""The always-valid interval, and its error rate in simulated experiments read every day."""

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
def test_an_interval_contains_the_observed_difference(
    treated: ArmSample, control: ArmSample
) -> None:
    interval = compare_arms(treated, control, alpha=0.05)

    assert -1 <= interval.low <= interval.difference <= interval.high <= 1


@given(arms(), arms())
def test_swapping_the_arms_mirrors_the_interval(first: ArmSample, second: ArmSample) -> None:
    forward, reverse = (
        compare_arms(first, second, alpha=0.05),
        compare_arms(second, first, alpha=0.05),
    )

    assert forward.low == pytest.approx(-reverse.high, abs=1e-6)
    assert forward.high == pytest.approx(-reverse.low, abs=1e-6)


@given(arms(), arms())
def test_a_smaller_alpha_gives_a_wider_interval(first: ArmSample, second: ArmSample) -> None:
    wide, narrow = compare_arms(first, second, alpha=0.01), compare_arms(first, second, alpha=0.2)

    assert wide.low <= narrow.low + 1e-9
    assert narrow.high <= wide.high + 1e-9


def test_ten_times_the_data_narrows_the_interval() -> None:
    few = compare_arms(ArmSample(100, 90), ArmSample(100, 80), alpha=0.05)
    many = compare_arms(ArmSample(1000, 900), ArmSample(1000, 800), alpha=0.05)

    assert few.contains_zero
    assert not many.contains_zero
    assert many.high - many.low < few.high - few.low


def test_the_interval_ends_where_the_formula_says() -> None:
    """At an end the mixture over the best fit is 1 / alpha; checked by a grid, not by bisection."""
    treated, control = ArmSample(60, 48), ArmSample(50, 30)
    mixture = sum(
        betaln(0.5 + a.successes, 0.5 + a.trials - a.successes) - betaln(0.5, 0.5)
        for a in (treated, control)
    )

    def best_fit(difference: float) -> float:
        rates = np.linspace(0.0001, 0.9999, 20_001)
        second = rates + difference
        inside = (second > 0) & (second < 1)
        rates, second = rates[inside], second[inside]
        fit = 48 * np.log(second) + 12 * np.log1p(-second) + 30 * np.log(rates)
        return float(np.max(fit + 20 * np.log1p(-rates), initial=-inf))

    interval = compare_arms(treated, control, alpha=0.05)

    for end in (interval.low, interval.high):
        assert mixture - best_fit(end) == pytest.approx(log(20), abs=1e-3)


def ever_outside(*, treated: float, control: float, worlds: int, days: int, seed: int) -> float:
    """Return the share of worlds with the truth outside on any day, with six new units a day."""
    rng = np.random.default_rng(seed)
    outside = 0
    for _ in range(worlds):
        sizes = rng.multinomial(6, [0.5, 0.5], size=days).cumsum(axis=0)
        first = np.cumsum(rng.random(6 * days) < treated)
        second = np.cumsum(rng.random(6 * days) < control)
        outside += any(
            not interval_contains(
                ArmSample(n, int(first[n - 1])),
                ArmSample(m, int(second[m - 1])),
                treated - control,
                alpha=0.05,
            )
            for n, m in sizes.tolist()
            if n and m
        )
    return outside / worlds


@pytest.mark.parametrize(("treated", "control"), [(0.9, 0.9), (0.5, 0.5), (0.9, 0.8), (0.98, 0.98)])
def test_the_interval_contains_the_truth_on_all_days_at_once(
    treated: float, control: float
) -> None:
    """With equal rates this is the false-positive rate of daily looks."""
    assert ever_outside(treated=treated, control=control, worlds=400, days=60, seed=3) <= 0.05


def test_a_fixed_time_interval_would_be_wrong_far_more_often() -> None:
    """A check of the simulation: a naive interval must fail it."""
    rng, wrong = np.random.default_rng(3), 0
    for _ in range(200):
        first, second = (np.cumsum(rng.random(300) < 0.8) for _ in range(2))
        n = np.arange(1, 301)
        rate = (first + second) / (2 * n)
        spread = np.sqrt(np.maximum(2 * rate * (1 - rate) / n, 1e-12))
        wrong += bool(np.any(np.abs(first - second)[20:] / n[20:] > 1.96 * spread[20:]))

    assert wrong / 200 > 0.15
