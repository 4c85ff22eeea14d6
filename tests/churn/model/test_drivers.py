import numpy as np
import pytest

from app.churn.model import driver_sentences
from app.churn.model.drivers import (
    COLUMNS_BY_SIGNAL,
    MAX_DRIVERS,
    RiskDriver,
    signal_of_column,
    top_drivers,
)
from app.churn.model.levels import ModelStage
from app.core.languages import Language
from app.features.table import EVENT_COLUMN_PREFIX, FEATURES

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
    for names in (*COLUMNS_BY_SIGNAL.values(), (EVENT_COLUMN_PREFIX + "Export",)):
        driver = RiskDriver(signal_of_column(names[0]), names[0], 1.0, 0.5, 0.25, 0.75)
        sentence = driver_sentences.driver_sentence(driver, language)
        assert sentence == driver_sentences.driver_sentence(driver, language)
        assert "{" not in sentence
    assert all(driver_sentences.confidence_sentence(stage, language) for stage in ModelStage)


def test_driver_sentences_in_english_and_chinese() -> None:
    driver = RiskDriver("seats", "seat_use", -0.4, 0.5, 0.75, 0.62)

    assert driver_sentences.driver_sentence(driver, Language.EN) == (
        "Share of seats in use: 50 %; four weeks before: 75 %; median of the others: 62 %."
        " This goes with a lower risk."
    )
    assert driver_sentences.driver_sentence(driver, Language.ZH) == (
        "席位使用率：50%，四周前为 75%，其他客户的中位数为 62%。这与较低的流失风险相伴。"
    )
