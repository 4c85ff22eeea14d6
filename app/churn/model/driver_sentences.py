"""Drivers of churn risk as sentences, in English and Simplified Chinese. Pure.

The same driver always gives the same words. They say what goes with a risk, never what causes it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from app.churn.model.drivers import RiskDriver
from app.churn.model.model import ModelStage
from app.core.languages import Language
from app.core.number_format import format_number
from app.features.table import EVENT_COLUMN_PREFIX


@dataclass(frozen=True, slots=True)
class DriverPhrases:
    """``{name}``, ``{value}``, ``{before}`` and ``{peers}`` are filled in."""

    names: Mapping[str, str]
    event: str
    value: str
    before: str
    peers: str
    comma: str
    unknown: str
    raises: str
    lowers: str
    confidence: Mapping[ModelStage, str]


ENGLISH = DriverPhrases(
    names={
        "events_28": "Events in 28 days",
        "active_days_28": "Active days in 28",
        "users_28": "Active people in 28 days",
        "breadth_28": "Product features in use",
        "reach_28": "End customers reached in 28 days",
        "events_per_dollar": "Events for each $100 a month",
        "trend_events": "Events against the 28 days before, in percent",
        "recency": "Days since the last use",
        "tenure": "Days as a customer",
        "seat_use": "Share of seats in use, in percent",
        "top_user_share": "Share of the most active person, in percent",
        "mrr": "Dollars a month",
        "days_to_renewal": "Days to the renewal",
        "days_to_end": "Days to the announced end",
        "tickets_84": "Tickets in 84 days",
        "nps": "Likelihood to recommend",
        "onboarding_share": "Onboarding done, in percent",
        "failed_payments_84": "Failed payments in 84 days",
    },
    event='"{name}" in 84 days',
    value="{name}: {value}",
    before="{before} four weeks before",
    peers="{peers} is the median of the others",
    comma=", ",
    unknown="unknown",
    raises=". This goes with a higher risk.",
    lowers=". This goes with a lower risk.",
    confidence={
        ModelStage.RULES: "Rules, not learnt from this workspace: too few accounts have left."
        " No probability is claimed.",
        ModelStage.EXPERIMENTAL: "Learnt from this workspace and not yet proven on later time:"
        " a hint, not a forecast.",
        ModelStage.TRUSTED: "Learnt from this workspace; on later time that it had not seen it was"
        " better than the base rate and than recency.",
    },
)
CHINESE = DriverPhrases(
    names={
        "events_28": "28天内的事件数",
        "active_days_28": "28天内的活跃天数",
        "users_28": "28天内的活跃人数",
        "breadth_28": "在用的产品功能数",
        "reach_28": "28天内触达的终端客户数",
        "events_per_dollar": "每100美元月费对应的事件数",
        "trend_events": "事件数与前28天相比的变化(百分比)",
        "recency": "距上次使用的天数",
        "tenure": "成为客户的天数",
        "seat_use": "席位使用率(百分比)",
        "top_user_share": "最活跃者所占份额(百分比)",
        "mrr": "月费(美元)",
        "days_to_renewal": "距续约的天数",
        "days_to_end": "距已宣布终止日的天数",
        "tickets_84": "84天内的工单数",
        "nps": "推荐意愿",
        "onboarding_share": "入门完成度(百分比)",
        "failed_payments_84": "84天内的付款失败次数",
    },
    event="84天内的“{name}”",
    value="{name}:{value}",
    before="四周前为{before}",
    peers="其他客户的中位数为{peers}",
    comma=",",
    unknown="未知",
    raises="。这与较高的流失风险相伴。",
    lowers="。这与较低的流失风险相伴。",
    confidence={
        ModelStage.RULES: "基于规则,并非从本工作区学得:流失的客户太少,因此不给出概率。",
        ModelStage.EXPERIMENTAL: "从本工作区学得,但尚未在之后的时间段上得到验证:仅供参考,不是预测。",
        ModelStage.TRUSTED: "从本工作区学得;在未见过的之后时间段上优于基准率和最近使用时间。",
    },
)
PHRASES: Mapping[Language, DriverPhrases] = {Language.EN: ENGLISH, Language.ZH: CHINESE}
SHOWN_AS_PERCENT = {"seat_use", "top_user_share", "onboarding_share"}


def driver_sentence(driver: RiskDriver, language: Language) -> str:
    words = PHRASES[language]
    feature = driver.feature
    name = (
        words.event.format(name=feature.removeprefix(EVENT_COLUMN_PREFIX))
        if feature.startswith(EVENT_COLUMN_PREFIX)
        else words.names[feature]
    )
    said = [words.value.format(name=name, value=_shown(feature, driver.value) or words.unknown)]
    if (before := _shown(feature, driver.before)) is not None:
        said.append(words.before.format(before=before))
    if (peers := _shown(feature, driver.peers)) is not None:
        said.append(words.peers.format(peers=peers))
    return words.comma.join(said) + (words.raises if driver.effect > 0 else words.lowers)


def confidence_sentence(stage: ModelStage, language: Language) -> str:
    return PHRASES[language].confidence[stage]


def _shown(feature: str, value: float | None) -> str | None:
    if value is None:
        return None
    if feature == "trend_events":
        return format_number(100 * (math.exp(value) - 1), 0)
    return format_number(100 * value if feature in SHOWN_AS_PERCENT else value)
