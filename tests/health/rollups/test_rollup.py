"""Combining the scores of an account hierarchy into one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.hierarchy import Rollup
from app.health.definition.scorecard import Band, Scorecard
from app.health.rollups.rollup import BandCountOut, HierarchyAccount, RollupOut, roll_up_scores
from app.health.scoring.assess import HealthStatus

CARD = Scorecard().default


def hierarchy_account(
    value: float | None, mrr_cents: int = 100, status: str = "ok", band: Band | None = None
) -> HierarchyAccount:
    return HierarchyAccount("a", value, band or CARD.band(value), status, mrr_cents)


def rolled_up(
    own: HierarchyAccount, *below: HierarchyAccount, method: Rollup = Rollup.REVENUE_WEIGHTED
) -> RollupOut:
    return roll_up_scores(method, own, below, CARD.band)


def band_count(accounts: int, mrr_cents: int) -> BandCountOut:
    return BandCountOut(accounts=accounts, mrr_cents=mrr_cents)


HOLDING = hierarchy_account(None, mrr_cents=0)


@pytest.mark.parametrize(
    ("method", "value", "band"),
    [
        (Rollup.REVENUE_WEIGHTED, 46.25, Band.WATCH),
        (Rollup.WORST_CHILD, 20.0, Band.AT_RISK),
        (Rollup.MEAN, 50.0, Band.HEALTHY),
        (Rollup.OWN, None, Band.UNKNOWN),
    ],
)
def test_each_method_combines_the_scores_of_the_children(
    method: Rollup, value: float | None, band: Band
) -> None:
    result = rolled_up(
        HOLDING,
        hierarchy_account(80, 300),
        hierarchy_account(50, 100),
        hierarchy_account(20, 400),
        method=method,
    )

    assert (result.value, result.band, result.method) == (value, band, method)


@pytest.mark.parametrize(
    ("own_mrr_cents", "value", "scored"), [(0, 80.0, 1), (100, 50.0, 2), (300, 35.0, 2)]
)
def test_the_own_score_counts_if_the_account_itself_pays(
    own_mrr_cents: int, value: float, scored: int
) -> None:
    result = rolled_up(hierarchy_account(20, own_mrr_cents), hierarchy_account(80, 100))

    assert (result.value, result.scored) == (value, scored)


def test_the_worst_score_may_be_that_of_a_paying_parent() -> None:
    result = rolled_up(hierarchy_account(10, 1), hierarchy_account(80), method=Rollup.WORST_CHILD)

    assert result.value == 10


@pytest.mark.parametrize("method", Rollup)
def test_the_own_score_counts_if_no_account_below_has_one(method: Rollup) -> None:
    assert rolled_up(hierarchy_account(64, 0), method=method).value == 64
    assert rolled_up(hierarchy_account(64, 0), hierarchy_account(None), method=method).value == 64


@pytest.mark.parametrize("method", Rollup)
def test_without_any_score_there_is_no_value(method: Rollup) -> None:
    result = rolled_up(HOLDING, hierarchy_account(None), hierarchy_account(None), method=method)

    assert (result.value, result.band, result.scored) == (None, Band.UNKNOWN, 0)


def test_all_scores_have_the_same_weight_if_no_account_pays() -> None:
    assert rolled_up(HOLDING, hierarchy_account(80, 0), hierarchy_account(20, 0)).value == 50


@pytest.mark.parametrize("status", [HealthStatus.CHURNED, HealthStatus.EXCLUDED])
@pytest.mark.parametrize("method", [*Rollup])
def test_churned_and_excluded_accounts_do_not_count(status: HealthStatus, method: Rollup) -> None:
    inactive = hierarchy_account(1, 900, status)

    assert rolled_up(HOLDING, hierarchy_account(80), inactive, method=method) == RollupOut(
        method=method,
        value=None if method is Rollup.OWN else 80,
        band=Band.UNKNOWN if method is Rollup.OWN else Band.HEALTHY,
        scored=0 if method is Rollup.OWN else 1,
        children=1,
        gone=1,
        mrr_cents=100,
        exclusions={"no_rate": 0},
        by_band={
            Band.AT_RISK: band_count(0, 0),
            Band.WATCH: band_count(0, 0),
            Band.HEALTHY: band_count(1, 100),
            Band.UNKNOWN: band_count(0, 0),
        },
    )


def test_children_are_counted_by_band_with_their_revenue() -> None:
    result = rolled_up(
        hierarchy_account(90, 1000),
        hierarchy_account(10, 1),
        hierarchy_account(12, 2),
        hierarchy_account(30, 4),
        hierarchy_account(None, 8),
    )

    assert result.by_band == {
        Band.AT_RISK: band_count(2, 3),
        Band.WATCH: band_count(1, 4),
        Band.HEALTHY: band_count(0, 0),
        Band.UNKNOWN: band_count(1, 8),
    }
    assert (result.children, result.gone, result.mrr_cents) == (4, 0, 1015)


hierarchy_accounts = st.builds(
    hierarchy_account,
    st.one_of(st.none(), st.floats(0, 100).map(lambda x: round(x, 4))),
    st.integers(0, 10**14),
    st.sampled_from(["ok", "ok", "stale", "overridden", "churned", "excluded"]),
)


@given(
    own=hierarchy_accounts,
    below=st.lists(hierarchy_accounts, max_size=8),
    method=st.sampled_from(Rollup),
)
def test_the_value_lies_between_the_worst_and_the_best_score(
    own: HierarchyAccount, below: list[HierarchyAccount], method: Rollup
) -> None:
    result = rolled_up(own, *below, method=method)
    values = [each.value for each in [own, *below] if each.value is not None]

    if result.value is None:
        assert result.scored == 0
    else:
        assert min(values) <= result.value <= max(values)
    assert result.children + result.gone == len(below)
    assert sum(each.accounts for each in result.by_band.values()) == result.children


@given(
    below=st.lists(hierarchy_accounts, max_size=8),
    more=st.floats(0, 50),
    method=st.sampled_from(Rollup),
)
def test_a_better_child_never_lowers_the_value(
    below: list[HierarchyAccount], more: float, method: Rollup
) -> None:
    child, better = hierarchy_account(50, 100), hierarchy_account(50 + more, 100)

    before = rolled_up(HOLDING, child, *below, method=method).value
    after = rolled_up(HOLDING, better, *below, method=method).value

    assert before is None or (after is not None and after >= before - 1e-4)
