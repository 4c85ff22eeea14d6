"""Outcomes of a ranking, counted by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.backtests.ranking_metrics import RankedRows, compare_rankings, evaluate_ranking


def rows(**columns: Any) -> RankedRows:  # noqa: ANN401
    """Return ten accounts on a day; the first, the third and the last of them churn."""
    usual: dict[str, Any] = {
        "account": np.arange(10),
        "y": np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 1], dtype=float),
        "risk": np.arange(10, 0, -1) * 10.0,
        "band": ["at_risk"] * 3 + ["watch"] * 3 + ["healthy"] * 4,
        "recency": np.arange(10.0),
        "days_left": np.array([60, np.nan, 30, *[np.nan] * 6, 10]),
    }
    return RankedRows(**(usual | columns))


def test_churned_rows_are_counted_by_band() -> None:
    found = evaluate_ranking(rows())

    assert [(b["band"], b["rows"], b["churned_rows"]) for b in found["bands"]] == [
        ("at_risk", 3, 2),
        ("healthy", 4, 1),
        ("watch", 3, 0),
    ]
    assert (found["churned_while_healthy"], found["churned_while_healthy_share"]) == (1, 0.3333)
    assert (found["rows"], found["churned_accounts"], found["base_rate"]) == (10, 3, 0.3)


def test_the_top_has_precision_and_recall() -> None:
    five, ten = evaluate_ranking(rows())["top"]

    assert five == {"share": 0.05, "rows": 1, "precision": 1.0, "recall": 0.3333}
    assert (ten["rows"], ten["precision"]) == (1, 1.0)


def test_the_ranking_is_compared_with_the_base_rate_and_recency() -> None:
    found = evaluate_ranking(rows())

    assert found["lift_top_10"] == pytest.approx(1 / 0.3, abs=1e-3)
    assert found["lift_top_10_of_recency"] == pytest.approx(1 / 0.3, abs=1e-3)
    assert found["auc"] == pytest.approx(1 - found["auc_of_recency"], abs=1e-3)


def test_a_ranking_is_compared_with_recency_and_a_model() -> None:
    """Of 3 churned and 7 other rows there are 21 pairs.

    By risk the churned rows rank above 7, 6 and 0 others, by recency above 0, 1 and 7. The model
    gives the first churned row as much as all others, and the second and the third more.
    """
    p = np.array([0.2, 0.2, 0.6, *[0.2] * 6, 0.9])

    assert compare_rankings(rows(), p) == {
        "rows": 10,
        "churned_accounts": 3,
        "auc": round(13 / 21, 4),
        "auc_of_recency": round(8 / 21, 4),
        "auc_of_model": round(17.5 / 21, 4),
    }


def test_the_lead_time_is_from_the_first_warning_to_churn() -> None:
    twice = rows(account=np.array([0, 1, 0, *range(3, 10)]))

    assert evaluate_ranking(rows())["lead_days_median"] == 45, (
        "of 60 and 30; the last account had no warning"
    )
    assert evaluate_ranking(twice)["lead_days_median"] == 60


def test_no_rows_give_empty_metrics() -> None:
    empty = rows(
        account=np.array([], dtype=int),
        band=[],
        **{name: np.array([]) for name in ("y", "risk", "recency", "days_left")},
    )

    found = evaluate_ranking(empty)

    assert (found["rows"], found["bands"], found["top"]) == (0, [], [])
    assert {found[name] for name in ("auc", "base_rate", "lift_top_10", "lead_days_median")} == {
        None
    }


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), min_size=1, max_size=60))
def test_precision_and_recall_are_between_0_and_1(outcomes: list[tuple[bool, float]]) -> None:
    count = len(outcomes)
    found = evaluate_ranking(
        RankedRows(
            np.arange(count),
            np.array([float(left) for left, _ in outcomes]),
            np.array([risk for _, risk in outcomes]),
            ["low"] * count,
            np.zeros(count),
            np.full(count, np.nan),
        )
    )

    for top in found["top"]:
        assert 0 <= top["precision"] <= 1
        assert top["recall"] is None or 0 <= top["recall"] <= 1
