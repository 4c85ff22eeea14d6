from dataclasses import replace

import numpy as np
import pytest

from app.churn.model import evaluation_metrics, promotion
from app.churn.model.candidates import FitKind, ModelKind, choose_kind, fit
from app.churn.model.levels import ModelStage
from app.churn.model.model import Model, Part
from app.churn.model.panel import Panel
from app.churn.model.training import TrainingResult, UnseenPredictions, train
from tests.churn import panels

MANY = panels.synthetic_panel(accounts=80, months=9)
TRAINED = train(MANY, seed=1)


def few_churned(count: int) -> Panel:
    """Build a panel in which at most ``count`` accounts churn."""
    panel = panels.synthetic_panel(accounts=150, months=10)
    return replace(panel, y=panel.y * (panel.account < count))


FEW = few_churned(50)


def train_and_decide(panel: Panel) -> tuple[TrainingResult, ModelStage, bool]:
    trained = train(panel, seed=1)
    checks = promotion.run_checks(trained, None, seed=1)
    stage = promotion.decide_stage(trained, checks, panel.churned_accounts)
    return trained, stage, promotion.may_take_over(stage, checks)


def model_of(trained: TrainingResult) -> Model:
    assert trained.model is not None
    return trained.model


def unseen_of(trained: TrainingResult) -> UnseenPredictions:
    assert trained.unseen is not None
    return trained.unseen


def test_a_model_of_predictable_churn_is_trusted() -> None:
    checks = promotion.run_checks(TRAINED, None, seed=1)
    stage = promotion.decide_stage(TRAINED, checks, MANY.churned_accounts)

    assert MANY.churned_accounts > 50
    assert (stage, promotion.may_take_over(stage, checks)) == (ModelStage.TRUSTED, True)
    assert set(TRAINED.losses) == set(ModelKind) - {ModelKind.SMALL}
    unseen = unseen_of(TRAINED)
    assert (evaluation_metrics.auc(unseen.y, unseen.p) or 0) > 0.8


@pytest.mark.parametrize("count", [0, 3, 7])
def test_too_few_churned_accounts_train_no_model(count: int) -> None:
    trained, stage, takes_over = train_and_decide(few_churned(count))

    assert (trained.model, stage, takes_over) == (None, ModelStage.RULES, False)
    assert (
        trained.reason == f"{count} accounts have churned: a model needs at least 8, and accounts"
        " that have not churned."
    )


def test_up_to_fifty_churned_accounts_train_an_experimental_small_model() -> None:
    assert 40 < FEW.churned_accounts <= 50

    trained, stage, takes_over = train_and_decide(FEW)

    assert trained.kind is ModelKind.SMALL
    assert (stage, takes_over) == (ModelStage.EXPERIMENTAL, True)


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_never_promoted(seed: int) -> None:
    panel = panels.shuffle_outcomes(FEW if seed else MANY, seed)

    _, stage, takes_over = train_and_decide(panel)

    assert (stage, takes_over) == (ModelStage.EXPERIMENTAL, False)


def test_a_panel_where_every_row_churned_trains_no_model() -> None:
    panel = replace(MANY, y=np.ones(len(MANY)))

    assert train(panel, seed=1).model is None


def failing(*kinds: ModelKind) -> FitKind:
    """Return a function that fits all but some kinds."""

    def fit_kind(kind: ModelKind, panel: Panel, **values: int) -> tuple[Part, ...]:
        if kind in kinds:
            raise ValueError(f"{kind} cannot be fitted")
        return fit(kind, panel, seed=values["seed"], bags=values.get("bags", 1))

    return fit_kind


def test_a_kind_that_cannot_be_fitted_leaves_the_choice_to_the_others() -> None:
    trained = train(MANY, seed=1, fit_kind=failing(ModelKind.LOGISTIC))

    assert trained.kind in {ModelKind.BOOSTED, ModelKind.DEEP}
    assert set(trained.losses) == {ModelKind.BOOSTED, ModelKind.DEEP}
    assert trained.errors == {ModelKind.LOGISTIC: "logistic cannot be fitted"}
    assert np.isfinite(model_of(trained).predict(MANY.x)).all()


def test_no_model_is_trained_if_no_kind_can_be_fitted() -> None:
    trained = train(MANY, seed=1, fit_kind=failing(*ModelKind))

    assert trained.model is None
    assert trained.reason == (
        "No kind of model could be fitted: boosted cannot be fitted; deep cannot be fitted;"
        " logistic cannot be fitted"
    )


def test_an_empty_panel_trains_no_model() -> None:
    assert train(MANY.rows(np.zeros(len(MANY), bool)), seed=1).model is None


def test_a_model_without_later_time_is_experimental() -> None:
    at_once = FEW.rows(FEW.day == FEW.day.max())

    trained, stage, _ = train_and_decide(at_once)

    assert not unseen_of(trained).is_later
    assert stage is ModelStage.EXPERIMENTAL


def test_treated_rows_do_not_lower_the_predicted_risk() -> None:
    """Half of the accounts at risk were saved; without the mark, their risk looks low."""
    saved = (FEW.x[:, 1] > np.median(FEW.x[:, 1])) & (FEW.account % 2 == 0)
    unmarked = replace(FEW, y=np.where(saved, 0, FEW.y))
    marked = replace(unmarked, treated=saved)

    without, with_marks = (
        model_of(train(panel, seed=1)).predict(FEW.x[saved]) for panel in (unmarked, marked)
    )

    assert with_marks.mean() > 1.4 * without.mean()


@pytest.mark.parametrize("panel", [FEW, MANY], ids=["few", "many"])
def test_training_is_reproducible(panel: Panel) -> None:
    before = TRAINED if panel is MANY else train(panel, seed=1)

    again = train(panel, seed=1)

    assert (model_of(again).predict(panel.x) == model_of(before).predict(panel.x)).all()
    assert again.losses == before.losses


def test_predictions_for_earlier_rows_do_not_depend_on_later_outcomes() -> None:
    """Change the outcomes of the last days: references for earlier rows stay bit-identical."""
    last = FEW.day >= np.sort(FEW.day)[-150]
    before = unseen_of(train(FEW, seed=1))
    changed = replace(FEW, y=np.where(last & (FEW.account < 45), 1 - FEW.y, FEW.y))

    after = unseen_of(train(changed, seed=1))

    early = before.day < FEW.day[last].min()
    assert early.any()
    assert (before.recency[early] == after.recency[early]).all()
    assert (before.base[early] == after.base[early]).all()


def test_rare_churn_keeps_its_low_probability() -> None:
    """Classes are not rebalanced."""
    panel = panels.synthetic_panel(accounts=300, months=12, base=-7.5)
    assert panel.y.mean() < 0.02
    assert 8 <= panel.churned_accounts <= 50

    unseen = unseen_of(train(panel, seed=1))

    assert 0.5 < (evaluation_metrics.observed_over_expected(unseen.y, unseen.p) or 0) < 2


def test_the_simpler_kind_wins_within_one_standard_error() -> None:
    random = np.random.default_rng(0)
    account = np.arange(400)
    losses = {ModelKind.LOGISTIC: random.normal(1, 0.3, 400)}
    losses[ModelKind.DEEP] = losses[ModelKind.LOGISTIC] + random.normal(-0.001, 0.3, 400)
    clearly = {**losses, ModelKind.DEEP: losses[ModelKind.LOGISTIC] - 0.2}

    assert choose_kind(losses, account) is ModelKind.LOGISTIC
    assert choose_kind(clearly, account) is ModelKind.DEEP
