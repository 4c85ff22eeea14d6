import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.churn.model import splits
from tests.churn import panels


@given(
    months=st.integers(1, 20),
    accounts=st.integers(1, 12),
    horizon=st.sampled_from([30, 90, 180]),
    blocks=st.integers(1, 5),
    seed=st.integers(0, 9),
)
@settings(max_examples=60)
def test_training_outcomes_are_known_before_the_test_rows_begin(
    months: int, accounts: int, horizon: int, blocks: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    rows = months * accounts
    y = (random.random(rows) < 0.3).astype(float)
    panel = panels.build_panel(
        random.normal(size=(rows, 1)), y, accounts=accounts, horizon_days=horizon
    )

    folds = splits.rolling(panel, blocks)

    for fold in folds:
        known_on = panel.day[fold.train] + horizon
        assert known_on.max() <= panel.day[fold.test].min()
        assert 0 < panel.y[fold.train].mean() < 1
    tested = np.concatenate([fold.test for fold in folds]) if folds else np.array([])
    assert len(set(tested)) == len(tested), "no row is tested twice"


def test_the_last_days_are_all_tested() -> None:
    panel = panels.synthetic_panel(months=12)

    folds = splits.rolling(panel)

    assert len(folds) == splits.BLOCKS
    assert panel.day.max() in panel.day[folds[-1].test]


def test_without_later_time_folds_test_on_other_accounts() -> None:
    panel = panels.synthetic_panel(accounts=40, months=1)

    folds = splits.grouped(panel, seed=1)

    assert splits.rolling(panel) == []
    for fold in folds:
        assert not set(panel.account[fold.train]) & set(panel.account[fold.test])


def test_the_latest_fold_tests_on_later_days() -> None:
    panel = panels.synthetic_panel()

    fold = splits.latest(panel, seed=1)

    assert fold is not None
    assert panel.day[fold.train].max() + 30 <= panel.day[fold.test].min()


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_a_single_outcome_gives_no_folds(y: float) -> None:
    panel = panels.synthetic_panel()
    panel.y[:] = y

    assert splits.rolling(panel) == splits.grouped(panel, seed=1) == []
    assert splits.latest(panel, seed=1) is None
