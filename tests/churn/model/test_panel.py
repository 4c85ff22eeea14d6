import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.churn.model.panel import BLOCKS, Panel, grouped_folds, latest_fold, rolling_folds
from tests.churn import panels


def panel_of(account: list[int], y: list[int]) -> Panel:
    rows = len(y)
    return Panel(
        names=("events_28",),
        x=np.arange(rows, dtype=float).reshape(rows, 1),
        y=np.array(y, dtype=float),
        day=np.arange(rows),
        account=np.array(account),
        treated=np.zeros(rows, dtype=bool),
        horizon_days=90,
    )


def test_an_account_with_two_churned_rows_counts_once() -> None:
    assert panel_of([1, 1, 2, 3], [1, 1, 0, 1]).churned_accounts == 2


def test_selected_rows_include_every_column() -> None:
    found = panel_of([1, 2, 3], [0, 1, 0]).rows(np.array([False, True, True]))

    assert len(found) == 2
    assert (found.x[:, 0].tolist(), found.y.tolist()) == ([1, 2], [1, 0])
    assert (found.day.tolist(), found.account.tolist()) == ([1, 2], [2, 3])


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

    folds = rolling_folds(panel, blocks)

    for fold in folds:
        known_on = panel.day[fold.train] + horizon
        assert known_on.max() <= panel.day[fold.test].min()
        assert 0 < panel.y[fold.train].mean() < 1
    tested = np.concatenate([fold.test for fold in folds]) if folds else np.array([])
    assert len(set(tested)) == len(tested), "no row is tested twice"


def test_the_last_days_are_all_tested() -> None:
    panel = panels.synthetic_panel(months=12)

    folds = rolling_folds(panel)

    assert len(folds) == BLOCKS
    assert panel.day.max() in panel.day[folds[-1].test]


def test_without_later_time_folds_test_on_other_accounts() -> None:
    panel = panels.synthetic_panel(accounts=40, months=1)

    folds = grouped_folds(panel, seed=1)

    assert rolling_folds(panel) == []
    for fold in folds:
        assert not set(panel.account[fold.train]) & set(panel.account[fold.test])


def test_the_latest_fold_tests_on_later_days() -> None:
    panel = panels.synthetic_panel()

    fold = latest_fold(panel, seed=1)

    assert fold is not None
    assert panel.day[fold.train].max() + 30 <= panel.day[fold.test].min()


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_a_single_outcome_gives_no_folds(y: float) -> None:
    panel = panels.synthetic_panel()
    panel.y[:] = y

    assert rolling_folds(panel) == grouped_folds(panel, seed=1) == []
    assert latest_fold(panel, seed=1) is None
