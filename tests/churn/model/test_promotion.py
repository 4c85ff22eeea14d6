from dataclasses import replace

import numpy as np
import pytest

from app.churn.model.levels import changed_level_share, risk_levels
from app.churn.model.model import ModelStage
from app.churn.model.promotion import IncumbentModel, decide_stage, may_take_over, run_checks
from app.churn.model.training import TrainingResult, UnseenPredictions
from tests.churn.model.test_training import MANY, TRAINED, unseen_of

UNSEEN = unseen_of(TRAINED)
ALL = np.arange(len(UNSEEN.y))


def failed(unseen: UnseenPredictions, champion: IncumbentModel | None = None) -> set[str]:
    trained = replace(TRAINED, unseen=unseen)
    return {check.name for check in run_checks(trained, champion, seed=1) if not check.passed}


def test_a_good_model_fails_nothing() -> None:
    assert failed(UNSEEN) == set()


def test_it_must_beat_what_is_simpler() -> None:
    knows = np.where(UNSEEN.y > 0, 0.95, 0.05)

    assert failed(replace(UNSEEN, base=knows)) == {"better_than_base_rate"}
    assert failed(replace(UNSEEN, recency=knows)) == {"better_than_recency"}


def test_it_must_rank_better_than_chance() -> None:
    """Few rows, hardly in order: the loss is a little lower, but it may well be by chance."""
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


def test_too_sure_of_itself_is_not_calibrated() -> None:
    odds = np.log(UNSEEN.p / (1 - UNSEEN.p))

    assert "calibration_slope" in failed(replace(UNSEEN, p=1 / (1 + np.exp(-3 * odds))))


def test_it_must_expect_as_many_as_leave() -> None:
    assert "observed_over_expected" in failed(replace(UNSEEN, p=UNSEEN.p * 0.6))


def test_unseen_must_be_later() -> None:
    assert failed(replace(UNSEEN, is_later=False)) == {"unseen_time"}
    assert {c.name for c in run_checks(replace(TRAINED, unseen=None), None, seed=1)} == {
        "unseen_time"
    }


def test_the_model_that_holds_is_replaced_by_a_better_one_only() -> None:
    worse = IncumbentModel(ALL, UNSEEN.base, changed_level_share=0.1)
    same = IncumbentModel(ALL, UNSEEN.p, changed_level_share=0.1)

    assert failed(UNSEEN, worse) == set()
    assert failed(UNSEEN, same) == {"better_than_active"}


def test_without_time_that_neither_has_seen_the_model_that_holds_stays() -> None:
    champion = IncumbentModel(np.array([], int), np.array([]), changed_level_share=0.0)

    assert failed(UNSEEN, champion) == {"better_than_active"}


def test_levels_may_not_jump_about() -> None:
    champion = IncumbentModel(ALL, UNSEEN.base, changed_level_share=0.2)

    assert failed(UNSEEN, champion) == {"levels_kept"}


def decide(
    over: ModelStage | None, *, churned: int = 99, unseen: UnseenPredictions = UNSEEN
) -> tuple[ModelStage, bool]:
    trained: TrainingResult = replace(TRAINED, unseen=unseen)
    champion = IncumbentModel(ALL, UNSEEN.p, changed_level_share=0.5) if over else None
    found = run_checks(trained, champion, seed=1)
    stage = decide_stage(trained, found, churned)
    return stage, may_take_over(stage, found, over)


def test_who_takes_over_from_whom() -> None:
    noise = replace(UNSEEN, p=UNSEEN.base)

    assert decide(None) == (ModelStage.TRUSTED, True)
    assert decide(ModelStage.EXPERIMENTAL) == (ModelStage.TRUSTED, True), "trust comes first"
    assert decide(ModelStage.TRUSTED) == (ModelStage.TRUSTED, False), (
        "it is no better, and all would move"
    )
    assert decide(None, churned=50) == (ModelStage.EXPERIMENTAL, True)
    assert decide(ModelStage.EXPERIMENTAL, churned=50) == (ModelStage.EXPERIMENTAL, False)
    assert decide(ModelStage.TRUSTED, churned=50) == (ModelStage.EXPERIMENTAL, False)
    assert decide(None, churned=7) == (ModelStage.RULES, False)
    assert decide(None, churned=50, unseen=noise) == (ModelStage.EXPERIMENTAL, False)


def test_levels_are_told_by_odds() -> None:
    p = np.array([0.01, 0.1, 0.15, 0.3, 0.99, 1.0, 0.0])

    assert risk_levels(p, usual=0.1).tolist() == [0, 0, 1, 2, 2, 2, 0]
    assert changed_level_share(MANY.x[:0, 0], MANY.x[:0, 0]) == 0
    assert changed_level_share(p, p) == 0
    assert changed_level_share(np.array([0.9, 0.1]), np.array([0.1, 0.9])) == 1
