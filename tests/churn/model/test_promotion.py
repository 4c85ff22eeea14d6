from dataclasses import replace

import numpy as np
import pytest

from app.churn.model.levels import ModelStage, changed_level_share, risk_levels
from app.churn.model.promotion import IncumbentModel, decide_stage, may_take_over, run_checks
from app.churn.model.training import TrainingResult, UnseenPredictions
from tests.churn.model.test_training import MANY, TRAINED, unseen_of

UNSEEN = unseen_of(TRAINED)
ALL = np.arange(len(UNSEEN.y))


def failed(unseen: UnseenPredictions, incumbent: IncumbentModel | None = None) -> set[str]:
    trained = replace(TRAINED, unseen=unseen)
    return {check.name for check in run_checks(trained, incumbent, seed=1) if not check.passed}


def test_a_good_model_passes_every_check() -> None:
    assert failed(UNSEEN) == set()


def test_a_model_must_beat_the_base_rate_and_recency() -> None:
    perfect = np.where(UNSEEN.y > 0, 0.95, 0.05)

    assert failed(replace(UNSEEN, base=perfect)) == {"better_than_base_rate"}
    assert failed(replace(UNSEEN, recency=perfect)) == {"better_than_recency"}


def test_a_model_must_rank_better_than_chance() -> None:
    """The loss of few, hardly ordered rows is a little lower, which may be chance."""
    y = np.array([1.0, 1, 0, 1, 0, 0, 1, 0, 0, 0] * 2)
    few = replace(
        UNSEEN,
        y=y,
        p=np.linspace(0.45, 0.35, len(y)),
        base=np.full(len(y), 0.7),
        recency=np.full(len(y), 0.7),
        account=np.arange(len(y)),
    )
    found = {check.name: check for check in run_checks(replace(TRAINED, unseen=few), None, seed=1)}

    assert found["better_than_base_rate"].passed
    assert found["better_than_chance"].value == pytest.approx(64 / 96)
    assert not found["better_than_chance"].passed
    assert decide(None, churned=50, unseen=few) == (ModelStage.EXPERIMENTAL, False)


def test_too_extreme_probabilities_fail_the_calibration_slope() -> None:
    odds = np.log(UNSEEN.p / (1 - UNSEEN.p))

    assert "calibration_slope" in failed(replace(UNSEEN, p=1 / (1 + np.exp(-3 * odds))))


def test_the_expected_churn_must_match_the_observed_churn() -> None:
    assert "observed_over_expected" in failed(replace(UNSEEN, p=UNSEEN.p * 0.6))


def test_unseen_rows_must_be_later_than_the_training_rows() -> None:
    assert failed(replace(UNSEEN, is_later=False)) == {"unseen_time"}
    assert {c.name for c in run_checks(replace(TRAINED, unseen=None), None, seed=1)} == {
        "unseen_time"
    }


def test_enough_accounts_must_have_churned_later() -> None:
    """Eight: the rows of 7 churned accounts are too few, however many they are."""
    churned = np.unique(UNSEEN.account[UNSEEN.y > 0])

    def with_churned(count: int) -> UnseenPredictions:
        return replace(UNSEEN, y=UNSEEN.y * np.isin(UNSEEN.account, churned[:count]))

    assert "unseen_time" in failed(with_churned(7))
    assert "unseen_time" not in failed(with_churned(8))


def test_no_model_takes_over_without_unseen_time() -> None:
    at_once = replace(UNSEEN, is_later=False)

    assert decide(None, unseen=at_once) == (ModelStage.EXPERIMENTAL, False)
    assert decide(None, churned=50, unseen=at_once) == (ModelStage.EXPERIMENTAL, False)
    assert decide(ModelStage.EXPERIMENTAL, unseen=at_once) == (ModelStage.EXPERIMENTAL, False)


def test_only_a_better_model_replaces_the_active_model() -> None:
    worse = IncumbentModel(ALL, UNSEEN.base, changed_level_share=0.1)
    same = IncumbentModel(ALL, UNSEEN.p, changed_level_share=0.1)

    assert failed(UNSEEN, worse) == set()
    assert failed(UNSEEN, same) == {"better_than_active"}


def test_the_active_model_stays_without_rows_that_neither_model_learnt_from() -> None:
    incumbent = IncumbentModel(np.array([], int), np.array([]), changed_level_share=0.0)

    assert failed(UNSEEN, incumbent) == {"better_than_active"}


def test_too_many_changed_levels_fail_the_check() -> None:
    incumbent = IncumbentModel(ALL, UNSEEN.base, changed_level_share=0.2)

    assert failed(UNSEEN, incumbent) == {"levels_kept"}


def test_levels_of_a_model_worse_than_the_base_rate_may_change() -> None:
    worse = IncumbentModel(ALL, 1 - UNSEEN.p, changed_level_share=0.9)

    assert failed(UNSEEN, worse) == set()


def decide(
    incumbent_stage: ModelStage | None, *, churned: int = 99, unseen: UnseenPredictions = UNSEEN
) -> tuple[ModelStage, bool]:
    trained: TrainingResult = replace(TRAINED, unseen=unseen)
    incumbent = IncumbentModel(ALL, UNSEEN.p, changed_level_share=0.5) if incumbent_stage else None
    checks = run_checks(trained, incumbent, seed=1)
    stage = decide_stage(trained, checks, churned)
    return stage, may_take_over(stage, checks, incumbent_stage)


def test_which_stages_may_replace_which() -> None:
    noise = replace(UNSEEN, p=UNSEEN.base)

    assert decide(None) == (ModelStage.TRUSTED, True)
    assert decide(ModelStage.EXPERIMENTAL) == (ModelStage.TRUSTED, True), (
        "a trusted model need not beat an experimental one"
    )
    assert decide(ModelStage.TRUSTED) == (ModelStage.TRUSTED, False), (
        "it is no better, and half of the levels would change"
    )
    assert decide(None, churned=50) == (ModelStage.EXPERIMENTAL, True)
    assert decide(ModelStage.EXPERIMENTAL, churned=50) == (ModelStage.EXPERIMENTAL, False)
    assert decide(ModelStage.TRUSTED, churned=50) == (ModelStage.EXPERIMENTAL, False)
    assert decide(None, churned=7) == (ModelStage.RULES, False)
    assert decide(None, churned=50, unseen=noise) == (ModelStage.EXPERIMENTAL, False)


def test_levels_depend_on_the_odds_ratio_to_the_base_rate() -> None:
    p = np.array([0.01, 0.1, 0.15, 0.3, 0.99, 1.0, 0.0])

    assert risk_levels(p, base_rate=0.1).tolist() == [0, 0, 1, 2, 2, 2, 0]
    assert changed_level_share(MANY.x[:0, 0], MANY.x[:0, 0]) == 0
    assert changed_level_share(p, p) == 0
    assert changed_level_share(np.array([0.9, 0.1]), np.array([0.1, 0.9])) == 1
