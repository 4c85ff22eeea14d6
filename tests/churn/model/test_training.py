from dataclasses import replace

import numpy as np
import pytest

from app.churn.model import evaluation_metrics, promotion
from app.churn.model.candidates import ModelKind, choose_kind
from app.churn.model.model import Model, ModelStage
from app.churn.model.panel import Panel
from app.churn.model.training import TrainingResult, UnseenPredictions, train
from tests.churn import panels

MANY = panels.synthetic_panel(accounts=80, months=9)
TRAINED = train(MANY, seed=1)


def few_churned(count: int) -> Panel:
    """Let no more accounts than so many churn."""
    panel = panels.synthetic_panel(accounts=150, months=10)
    return replace(panel, y=panel.y * (panel.account < count))


FEW = few_churned(50)


def train_and_decide(panel: Panel) -> tuple[TrainingResult, ModelStage, bool]:
    trained = train(panel, seed=1)
    found = promotion.run_checks(trained, None, seed=1)
    stage = promotion.decide_stage(trained, found, panel.churned_accounts)
    return trained, stage, promotion.may_take_over(stage, found)


def model_of(trained: TrainingResult) -> Model:
    assert trained.model is not None
    return trained.model


def unseen_of(trained: TrainingResult) -> UnseenPredictions:
    assert trained.unseen is not None
    return trained.unseen


def test_where_churn_follows_a_law_the_model_is_trusted() -> None:
    found = promotion.run_checks(TRAINED, None, seed=1)
    stage = promotion.decide_stage(TRAINED, found, MANY.churned_accounts)

    assert MANY.churned_accounts > 50
    assert (stage, promotion.may_take_over(stage, found)) == (ModelStage.TRUSTED, True)
    assert set(TRAINED.losses) == set(ModelKind) - {ModelKind.SMALL}
    unseen = unseen_of(TRAINED)
    assert (evaluation_metrics.auc(unseen.y, unseen.p) or 0) > 0.8


@pytest.mark.parametrize("count", [0, 3, 7])
def test_few_who_churned_teach_nothing(count: int) -> None:
    trained, stage, takes_over = train_and_decide(few_churned(count))

    assert (trained.model, stage, takes_over) == (None, ModelStage.RULES, False)
    assert trained.why == f"{count} accounts have churned, 8 are needed."


def test_up_to_fifty_who_churned_the_small_model_is_an_experiment() -> None:
    assert 40 < FEW.churned_accounts <= 50

    trained, stage, takes_over = train_and_decide(FEW)

    assert trained.kind is ModelKind.SMALL
    assert (stage, takes_over) == (ModelStage.EXPERIMENTAL, True)


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_never_promoted(seed: int) -> None:
    panel = panels.shuffle_outcomes(FEW if seed else MANY, seed)

    _, stage, takes_over = train_and_decide(panel)

    assert (stage, takes_over) == (ModelStage.EXPERIMENTAL, False)


def test_where_everybody_left_nothing_tells_them_apart() -> None:
    panel = replace(MANY, y=np.ones(len(MANY)))

    assert train(panel, seed=1).model is None


def test_an_empty_panel_trains_nothing() -> None:
    assert train(MANY.rows(np.zeros(len(MANY), bool)), seed=1).model is None


def test_without_a_later_time_other_accounts_judge_and_nothing_is_trusted() -> None:
    at_once = FEW.rows(FEW.day == FEW.day.max())

    trained, stage, _ = train_and_decide(at_once)

    assert not unseen_of(trained).is_later
    assert stage is ModelStage.EXPERIMENTAL


def test_treated_accounts_do_not_teach_that_risk_was_low() -> None:
    """Half of those at risk were saved by somebody: without the mark, risk looks like safety."""
    saved = (FEW.x[:, 1] > np.median(FEW.x[:, 1])) & (FEW.account % 2 == 0)
    blind = replace(FEW, y=np.where(saved, 0, FEW.y))
    knowing = replace(blind, treated=saved)

    said = [model_of(train(panel, seed=1)).predict(FEW.x[saved]) for panel in (blind, knowing)]

    assert said[1].mean() > 1.4 * said[0].mean()


@pytest.mark.parametrize("panel", [FEW, MANY], ids=["few", "many"])
def test_training_is_repeatable(panel: Panel) -> None:
    before = TRAINED if panel is MANY else train(panel, seed=1)

    again = train(panel, seed=1)

    assert (model_of(again).predict(panel.x) == model_of(before).predict(panel.x)).all()
    assert again.losses == before.losses


def test_unseen_rows_were_judged_by_models_that_did_not_know_what_came_later() -> None:
    """Change the outcomes of the last days: what was said of earlier ones stays to the bit."""
    last = FEW.day >= np.sort(FEW.day)[-150]
    before = unseen_of(train(FEW, seed=1))
    changed = replace(FEW, y=np.where(last & (FEW.account < 45), 1 - FEW.y, FEW.y))

    after = unseen_of(train(changed, seed=1))

    early = before.day < FEW.day[last].min()
    assert early.any()
    assert (before.recency[early] == after.recency[early]).all()
    assert (before.base[early] == after.base[early]).all()


def test_probabilities_are_those_of_the_classes_as_they_are() -> None:
    """Rare churn stays rare: nothing is weighed up."""
    panel = panels.synthetic_panel(accounts=300, months=12, base=-7.5)
    assert panel.y.mean() < 0.02
    assert 8 <= panel.churned_accounts <= 50

    unseen = unseen_of(train(panel, seed=1))

    assert 0.5 < (evaluation_metrics.observed_over_expected(unseen.y, unseen.p) or 0) < 2


def test_the_simpler_one_wins_within_a_standard_error() -> None:
    random = np.random.default_rng(0)
    account = np.arange(400)
    losses = {ModelKind.LOGISTIC: random.normal(1, 0.3, 400)}
    losses[ModelKind.DEEP] = losses[ModelKind.LOGISTIC] + random.normal(-0.001, 0.3, 400)
    clearly = {**losses, ModelKind.DEEP: losses[ModelKind.LOGISTIC] - 0.2}

    assert choose_kind(losses, account) is ModelKind.LOGISTIC
    assert choose_kind(clearly, account) is ModelKind.DEEP
