"""The sentences of what goes with churn, in both languages."""
# ruff: noqa: RUF001 - Chinese punctuation

import pytest

from app.core.languages import Language
from app.reports.churn_causes.association import Association
from app.reports.churn_causes.schemas import FindingKind
from app.reports.churn_causes.sentences import finding_sentence, signal_title

EN, ZH = Language.EN, Language.ZH
LIFT = Association(lift=2.44, low=1.31, high=4.6)
SIGNAL, UNUSED, STEP = FindingKind


@pytest.mark.parametrize(
    ("kind", "name", "language", "expected"),
    [
        (
            *(SIGNAL, signal_title("seats_idle", EN), EN),
            (
                "Idle seats in the last 90 days: this goes with 2.4 times the churn rate"
                " (95 % interval: 1.3 to 4.6)."
            ),
        ),
        (
            *(SIGNAL, signal_title("seats_idle", ZH), ZH),
            "最近 90 天内出现过“席位闲置”，流失率是其他情况的 2.4 倍（95% 置信区间：1.3 至 4.6）。",
        ),
        (
            *(UNUSED, "Export", EN),
            (
                'No use of "Export" for 28 days: this goes with 2.4 times the churn rate'
                " (95 % interval: 1.3 to 4.6)."
            ),
        ),
        (
            *(STEP, "邀请同事", ZH),
            "上手步骤“邀请同事”未完成，流失率是其他情况的 2.4 倍（95% 置信区间：1.3 至 4.6）。",
        ),
    ],
)
def test_a_lift_is_written_in_words(
    kind: FindingKind, name: str, language: Language, expected: str
) -> None:
    assert finding_sentence(kind, name, LIFT, language) == expected


def test_an_open_interval_has_a_lower_end_only() -> None:
    open_ended = Association(lift=9.0, low=1.5, high=None)

    assert finding_sentence(UNUSED, "Export", open_ended, EN).endswith(
        "(95 % interval: at least 1.5)."
    )
    assert finding_sentence(UNUSED, "Export", open_ended, ZH).endswith(
        "（95% 置信区间：至少 1.5）。"
    )


@pytest.mark.parametrize("language", Language)
def test_too_few_accounts_is_the_reason_only_if_there_are_too_few(language: Language) -> None:
    few = {EN: "too few accounts have left", ZH: "流失的客户太少"}[language]
    reasons = ("too_few_left", "no_paid_days", "nothing_to_compare_with", "nobody_left_otherwise")

    sentences = [
        finding_sentence(UNUSED, "Export", Association(reason=reason), language)
        for reason in reasons
    ]

    assert [few in each for each in sentences] == [True, False, False, False]
    assert len({*sentences}) == 4


def test_a_signal_that_no_longer_exists_is_named_without_underscores() -> None:
    assert signal_title("old_signal", ZH) == "Old signal"
