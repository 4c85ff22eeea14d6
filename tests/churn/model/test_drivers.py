import numpy as np
import pytest
from numpy.typing import NDArray

from app.churn.model import driver_sentences
from app.churn.model.candidates import ModelKind, fit
from app.churn.model.drivers import (
    COLUMNS_BY_SIGNAL,
    MAX_DRIVERS,
    RiskDriver,
    signal_of_column,
    top_drivers,
)
from app.churn.model.levels import ModelStage
from app.churn.model.model import Model
from app.churn.model.panel import Panel
from app.core.languages import Language
from app.features.table import EVENT_COLUMN_PREFIX, FEATURES
from tests.churn import panels

NAMES = (
    "events_7",
    "events_28",
    "recency",
    "recency_over_gap",
    "tenure",
    EVENT_COLUMN_PREFIX + "Export",
)


def drivers_of(*contributions: float) -> list[RiskDriver]:
    x = np.arange(6.0).reshape(1, 6)
    [found] = top_drivers(NAMES, x, np.array([contributions]), x + 10, {"recency": 2.0})
    return found


def test_every_feature_belongs_to_one_signal() -> None:
    named = [name for names in COLUMNS_BY_SIGNAL.values() for name in names]

    assert sorted(named) == sorted(FEATURES)


def test_all_windows_of_a_signal_are_one_driver() -> None:
    found = drivers_of(0.5, 0.25, -0.1, 0.4, 0.0, -2.0)

    assert [each.signal for each in found] == [
        EVENT_COLUMN_PREFIX + "Export",
        "activity",
        "silence",
    ]
    assert [round(each.effect, 6) for each in found] == [-2, 0.75, 0.3]


def test_a_signal_is_shown_by_the_column_that_adds_most_in_its_direction() -> None:
    opposed = drivers_of(0.5, -0.25, 0.0, -0.4, 0.0, 0.0)
    equal = drivers_of(0.5, 0.5, 0.0, 0.0, 0.0, 0.0)

    assert [(each.feature, each.value) for each in opposed] == [
        ("recency_over_gap", 3),
        ("events_7", 0),
    ]
    assert [each.feature for each in equal] == ["events_28"]


def test_a_column_whose_median_would_move_the_risk_further_does_not_show_the_signal() -> None:
    """The log-odds are minus the sum of the columns: -3 for the values 0, 1 and 2.

    At the median of events_7 they are 4 and not -3, at that of events_28 -10. At that of recency
    they are 8: the signal silence raises the risk, but no column of it shows that.
    """
    names = ("events_7", "events_28", "recency")
    x, contributions = np.array([[0.0, 1.0, 2.0]]), np.array([[1.0, 0.5, 2.0]])
    medians = {"events_7": -7.0, "events_28": 8.0, "recency": -9.0}

    [found] = top_drivers(
        names, x, contributions, x, medians, log_odds=lambda rows: -rows.sum(axis=1)
    )

    assert [(each.signal, each.feature) for each in found] == [("activity", "events_28")]


def panel_of_opposed_windows(seed: int) -> Panel:
    """Accounts leave when their last week is quiet for the month, which is busy or not.

    A busy month by itself goes with leaving, as the same week is then a larger fall.
    """
    random = np.random.default_rng(seed)
    month = np.exp(random.normal(3, 1, 1200))
    week = month / 4 * np.exp(random.normal(0, 1, 1200))
    silence = random.exponential(6, 1200)
    odds = 1.5 * np.log1p(month) - 2 * np.log1p(week) + silence / 9 - 2.5
    y = (random.random(1200) < 1 / (1 + np.exp(-odds))).astype(float)
    names = ("events_28", "events_7", "recency", "recency_over_gap")
    x = np.column_stack([month, week, silence, silence / random.uniform(1, 9, 1200)])
    return panels.build_panel(x, y, accounts=120, names=names)


@pytest.mark.parametrize("kind", ModelKind)
@pytest.mark.parametrize("seed", range(3))
def test_the_direction_shown_is_that_of_the_counterfactual(kind: ModelKind, seed: int) -> None:
    """At the median of the others in the shown feature alone, the risk is not further that way."""
    panel = panel_of_opposed_windows(seed)
    x: NDArray[np.float64] = panel.x[:300]
    model = Model(panel.names, 30, fit(kind, panel, core=panel.names, seed=seed))
    medians = dict(zip(panel.names, np.median(panel.x, axis=0).tolist(), strict=True))

    found = top_drivers(panel.names, x, model.contributions(x), x, medians, log_odds=model.margin)

    assert sum(map(len, found)) > len(x)
    for row, drivers in enumerate(found):
        for driver in drivers:
            other = x[row : row + 1].copy()
            other[0, panel.names.index(driver.feature)] = medians[driver.feature]
            moved = model.margin(x[row : row + 1])[0] - model.margin(other)[0]
            assert moved * np.sign(driver.effect) >= -1e-9, (driver, moved)


def test_a_driver_has_the_earlier_value_and_the_peers_median() -> None:
    [silence] = drivers_of(0, 0, 1, 0, 0, 0)

    assert (silence.value, silence.before, silence.peers) == (2, 12, 2)


def test_missing_values_stay_missing() -> None:
    x = np.full((1, 6), np.nan)
    [[found]] = top_drivers(NAMES, x, np.array([[0, 0, 1.0, 0, 0, 0]]), x, {})

    assert (found.value, found.before, found.peers) == (None, None, None)
    assert driver_sentences.driver_sentence(found, Language.EN) == (
        "Days since the last use: unknown. This goes with a higher risk."
    )


def test_at_most_five_drivers_are_returned() -> None:
    names = tuple(FEATURES)
    x = np.ones((1, len(names)))

    [found] = top_drivers(names, x, x, x, {})

    assert len(found) == MAX_DRIVERS


@pytest.mark.parametrize("language", Language)
def test_every_driver_has_a_sentence_in_every_language(language: Language) -> None:
    for name in (*FEATURES, EVENT_COLUMN_PREFIX + "Export"):
        driver = RiskDriver(signal_of_column(name), name, 1.0, 0.5, 0.25, 0.75)
        sentence = driver_sentences.driver_sentence(driver, language)
        assert sentence == driver_sentences.driver_sentence(driver, language)
        assert "{" not in sentence
    assert all(driver_sentences.confidence_sentence(stage, language) for stage in ModelStage)


def test_changes_are_shown_in_percent() -> None:
    """The log of 1.5 is a rise by a half."""
    driver = RiskDriver("price", "mrr_change_84", 0.4, float(np.log(1.5)), 0.0, None)

    assert driver_sentences.driver_sentence(driver, Language.EN) == (
        "Change of MRR in 84 days: 50 %; four weeks before: 0 %. This goes with a higher risk."
    )


def test_driver_sentences_in_english_and_chinese() -> None:
    driver = RiskDriver("seats", "seat_use", -0.4, 0.5, 0.75, 0.62)

    assert driver_sentences.driver_sentence(driver, Language.EN) == (
        "Share of seats in use: 50 %; four weeks before: 75 %; median of the others: 62 %."
        " This goes with a lower risk."
    )
    assert driver_sentences.driver_sentence(driver, Language.ZH) == (
        "席位使用率：50%，四周前为 75%，其他客户的中位数为 62%。这与较低的流失风险相伴。"
    )


@pytest.mark.parametrize(
    ("feature", "value", "english", "chinese"),
    [
        (
            "billing_period_months",
            12,
            "Months that an invoice pays for: 12",
            "每张账单覆盖的月数：12",
        ),
        ("term_months", 24, "Months of the contract's term: 24", "合同期限（月）：24"),
        ("auto_renews", 1, "Renews automatically: yes", "自动续约：是"),
        ("auto_renews", 0, "Renews automatically: no", "自动续约：否"),
        ("discount_share", 0.15, "Discount on the list price: 15 %", "相对标价的折扣：15%"),
    ],
)
def test_how_a_contract_is_billed_and_renewed_has_sentences(
    feature: str, value: float, english: str, chinese: str
) -> None:
    driver = RiskDriver(signal_of_column(feature), feature, 0.4, value, None, None)

    assert driver_sentences.driver_sentence(driver, Language.EN) == (
        f"{english}. This goes with a higher risk."
    )
    assert driver_sentences.driver_sentence(driver, Language.ZH) == (
        f"{chinese}。这与较高的流失风险相伴。"
    )
