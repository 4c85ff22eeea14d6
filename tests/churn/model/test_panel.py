import numpy as np

from app.churn.model.panel import Panel


def panel(account: list[int], y: list[int]) -> Panel:
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
    assert panel([1, 1, 2, 3], [1, 1, 0, 1]).churned_accounts == 2


def test_selected_rows_include_every_column() -> None:
    found = panel([1, 2, 3], [0, 1, 0]).rows(np.array([False, True, True]))

    assert len(found) == 2
    assert (found.x[:, 0].tolist(), found.y.tolist()) == ([1, 2], [1, 0])
    assert (found.day.tolist(), found.account.tolist()) == ([1, 2], [2, 3])
