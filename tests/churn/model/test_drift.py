from dataclasses import replace

import numpy as np
import pytest

from app.churn.model import drift
from app.churn.model.drift import ObservedChurn
from app.churn.model.linear import Linear
from app.churn.model.model import Model
from app.core.arrays import Floats
from tests.churn import panels
from tests.churn.model.test_training import MANY, TRAINED, model_of

MODEL = model_of(TRAINED)


def shifts(before: Floats, now: Floats) -> list[drift.ColumnShift]:
    stored = drift.build_profile(MANY.names, before, MODEL)
    return drift.column_shifts(stored, MANY.names, now, MODEL.predict(now))


def test_chance_alone_raises_no_alarm_with_a_hundred_accounts() -> None:
    """The plain index often passes the usual alarm of 0.2; ours accounts for chance."""
    random = np.random.default_rng(2)
    found = []
    for _ in range(40):
        rows = random.permutation(len(MANY))[:200]
        found += shifts(MANY.x[rows[:100]], MANY.x[rows[100:]])

    assert np.mean([each.index > 0.1 for each in found]) > 0.5
    assert not any(each.drifted for each in found)
    assert np.mean([each.index for each in found]) == pytest.approx(
        np.mean([each.expected for each in found]), rel=0.25
    )


def test_a_moved_column_is_reported_as_drifted() -> None:
    moved = MANY.x.copy()
    moved[:, 0] *= 4

    found = {each.name for each in shifts(MANY.x, moved) if each.drifted}

    assert found == {"events_84", drift.PROBABILITY}


def test_a_column_that_went_missing_is_reported_as_drifted() -> None:
    moved = MANY.x.copy()
    moved[:, 2] = np.nan

    assert {each.name for each in shifts(MANY.x, moved) if each.drifted} >= {"mrr"}


def test_a_column_without_values_does_not_drift() -> None:
    empty = MANY.x.copy()
    empty[:, 3] = np.nan

    assert not any(each.drifted for each in shifts(empty, empty))
    assert shifts(MANY.x, MANY.x[:0]) == []


def test_one_drifted_column_is_no_reason_and_more_than_a_third_are() -> None:
    drifted = [drift.ColumnShift(name, 1.0, 0.1, 0.2) for name in ("a", "b")]
    quiet = [drift.ColumnShift(name, 0.1, 0.1, 0.2) for name in "cdefgh"]

    assert drift.reasons([drifted[0], *quiet], None) == []
    assert drift.reasons([*drifted, *quiet[:3]], None) == ["2 of 4 features have moved: a …"]


def test_a_churned_account_is_counted_once() -> None:
    churn = drift.observed_churn(MODEL, MANY)

    assert churn is not None
    assert churn.observed <= len(np.unique(MANY.account))
    assert churn.fits
    assert drift.reasons([], churn) == []


def test_far_more_or_fewer_churned_accounts_than_expected_are_a_reason() -> None:
    all_left = replace(MANY, y=np.ones(len(MANY)))
    none_left = replace(MANY, y=np.zeros(len(MANY)))

    for panel in (all_left, none_left):
        churn = drift.observed_churn(MODEL, panel)
        assert churn is not None
        assert not churn.fits
        assert len(drift.reasons([], churn)) == 1


def test_few_accounts_do_not_prove_that_a_model_no_longer_fits() -> None:
    few = panels.synthetic_panel(accounts=3, months=1)
    few.y[:] = 1

    churn = drift.observed_churn(MODEL, few)

    assert churn is not None
    assert churn.fits
    assert drift.observed_churn(MODEL, few.rows(np.zeros(3, bool))) is None
    assert isinstance(churn, ObservedChurn)


def test_a_model_that_predicts_worse_than_its_base_rate_is_reported() -> None:
    """The expected number is right all the same: 1 in 5 churned, as the base rate says."""
    rows = np.arange(100)
    sign, left = (rows % 5 == 1).astype(float), (rows % 5 == 0).astype(float)
    learnt = Linear.fit(sign[:, None], sign)  # in the past who had the sign left
    model = Model(("sign",), 30, (learnt,), base_rate=0.2)
    later = panels.build_panel(sign[:, None], left, names=["sign"])

    assert drift.is_worse_than_base_rate(model, later, seed=1)
    assert not drift.is_worse_than_base_rate(model, replace(later, y=sign), seed=1)
    assert not drift.is_worse_than_base_rate(model, later.rows(rows < 0), seed=1)
    assert drift.reasons([], None, is_worse=True) == [
        "Since its data ended the base rate alone has predicted churn better."
    ]
