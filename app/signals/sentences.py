"""What each signal says in one sentence, in English and Simplified Chinese. Pure.

Of several templates the first counts whose numbers are all there.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.core.languages import Language
from app.core.number_format import format_money, format_number
from app.signals.signal import Signal

Templates = Mapping[str, tuple[str, ...]]

ENGLISH: Templates = {
    "churned": (
        "Nothing has been paid since {paid_until}; the reason given is {end_reason}.",
        "Nothing has been paid since {paid_until}.",
    ),
    "payment_failed": (
        "{amount_due_cents} {currency} could not be collected on {since} and is owed still.",
    ),
    "incident_affected": (
        "An incident affected the account on {since}; an apology was sent on {apology_sent_on}.",
        "An incident affected the account on {since}, and no apology was sent yet.",
    ),
    "onboarding_stuck": (
        (
            'Onboarding has stood at "{step}" for {days} days; half of its peers took no more than'
            " {peers_median_days}."
        ),
        'Onboarding has stood at "{step}" for {days} days.',
    ),
    "first_value_late": (
        "Signed up {days} days ago ({signed_up_on}); nobody has done what the product is for.",
    ),
    "support_slow": (
        (
            "Of the tickets of {days} days ({tickets}), {late} had no first reply in time; one has"
            " waited for {waiting_hours} hours."
        ),
        "Of the tickets of {days} days ({tickets}), {late} had no first reply in time.",
    ),
    "champion_inactive": (
        (
            "The champion, {user_id}, has been silent for {days} days; {event_share} of all"
            " use was theirs."
        ),
    ),
    "price_rise": (
        "The price rose by {change_share}, from {before_cents} to {after_cents} {currency}.",
    ),
    "paid_feature_unused": (
        (
            "{feature} was bought on {bought_on} and has not been used for {days} days; it stands"
            " for {price_share} of the price."
        ),
        (
            "{feature} is paid for and has not been used for {days} days; it stands for"
            " {price_share} of the price."
        ),
    ),
    "goal_off_track": (
        'The goal "{goal}" is not on track: {share} of the way is done, due on {due_on}.',
    ),
    "nps_detractor": (
        (
            "{people} of {answers} people asked would not recommend the product; the lowest answer"
            " is {score}."
        ),
    ),
    "csat_low": ("Satisfaction is {score} of 5, in {answers} answers.",),
    "reach_falling": (
        "{now} end customers were reached in {days} days, {fall_share} fewer than usual ({usual}).",
    ),
    "feedback_unanswered": (
        "Feedback waits for an answer: {items} in all, the oldest for {days} days, about {topic}.",
        "Feedback waits for an answer: {items} in all, the oldest for {days} days.",
    ),
    "ticket_surge": ("{tickets} tickets were opened in {days} days; {usual} are usual.",),
    "downgraded": (
        "The price fell by {change_share}, from {before_cents} to {after_cents} {currency}.",
    ),
    "over_limit": ("{limit_name}: {used} where the plan allows {limit}.",),
    "dormant": (
        "Nobody has used the product for {days} days, since {last_used_on}.",
        "Nobody has used the product in the {days} days since it has been paid for.",
    ),
    "usage_drop_vs_self": (
        (
            "There were {now} events in the last week, {fall_share} fewer than the median of the"
            " {weeks} weeks before ({usual})."
        ),
    ),
    "depth_falling": (
        "{now} people used the product in {days} days, {fall_share} fewer than usual ({usual}).",
    ),
    "low_value_per_dollar": (
        "Among its peers the account gets little for its price: {value_score} of 100.",
    ),
    "renewal_near": (
        "The contract renews on {renewal_on}; notice can be given until {notice_by}.",
    ),
    "seats_idle": ("{idle} of {seats} seats are idle.",),
    "breadth_stalled": (
        "{adopted} of {entitled} product features are in use; none was taken up for {days} days.",
    ),
    "goal_missing": ("No goal was agreed on since the account began on {started_on}.",),
    "request_shipped": (
        "What the account asked for is out: {topic}.",
        "What the account asked for is out: {product_feature}.",
        "What the account asked for is out.",
    ),
    "goal_achieved": ('The goal "{goal}" is reached: {value}, where {target} was wanted.',),
    "milestone": (
        "A year of the contract is full; years so far: {years}.",
        "A round number of key events is passed: {count}.",
    ),
    "tier_near": ('To the tier "{tier}" {missing} is missing.',),
    "referral_ready": (
        (
            "Somebody answered {score} of 10, nothing is open, and the health score is {health}: a"
            " good time to ask for a referral."
        ),
    ),
    "nps_promoter": ("{people} of {answers} people asked recommend the product.",),
    "nps_passive": ("{people} of {answers} people asked are neither for nor against the product.",),
}

CHINESE: Templates = {
    "churned": (
        "自 {paid_until} 起不再付费，给出的原因是 {end_reason}。",
        "自 {paid_until} 起不再付费。",
    ),
    "payment_failed": ("{since} 有 {amount_due_cents} {currency} 扣款失败，至今未付。",),
    "incident_affected": (
        "{since} 的故障影响了该客户，已于 {apology_sent_on} 致歉。",
        "{since} 的故障影响了该客户，尚未致歉。",
    ),
    "onboarding_stuck": (
        "上手流程停在“{step}”已 {days} 天，同类客户有一半在 {peers_median_days} 天内完成。",
        "上手流程停在“{step}”已 {days} 天。",
    ),
    "first_value_late": ("{signed_up_on} 注册，已过 {days} 天，还没有人用到产品的核心功能。",),
    "support_slow": (
        (
            "{days} 天内的 {tickets} 张工单中有 {late} 张未按标准首次回复，其中一张已等待"
            " {waiting_hours} 小时。"
        ),
        "{days} 天内的 {tickets} 张工单中有 {late} 张未按标准首次回复。",
    ),
    "champion_inactive": (
        "关键用户 {user_id} 已有 {days} 天没有活动，此前占全部使用量的 {event_share}。",
    ),
    "price_rise": ("价格上涨 {change_share}，从每月 {before_cents} 到 {after_cents} {currency}。",),
    "paid_feature_unused": (
        "{feature} 于 {bought_on} 购买，已有 {days} 天无人使用，占价格的 {price_share}。",
        "已付费的 {feature} 有 {days} 天无人使用，占价格的 {price_share}。",
    ),
    "goal_off_track": ("目标“{goal}”落后于进度：完成 {share}，到期日 {due_on}。",),
    "nps_detractor": ("受访的 {answers} 人中有 {people} 人不会推荐产品，最低分 {score}。",),
    "csat_low": ("满意度 {score} 分（满分 5 分），共 {answers} 份答复。",),
    "reach_falling": ("{days} 天内触达 {now} 位终端客户，比平时（{usual}）少 {fall_share}。",),
    "feedback_unanswered": (
        "有 {items} 条反馈等待答复，最久的已等 {days} 天，关于{topic}。",
        "有 {items} 条反馈等待答复，最久的已等 {days} 天。",
    ),
    "ticket_surge": ("{days} 天内新增 {tickets} 张工单，平时为 {usual} 张。",),
    "downgraded": ("价格下降 {change_share}，从每月 {before_cents} 到 {after_cents} {currency}。",),
    "over_limit": ("{limit_name}：已用 {used}，套餐允许 {limit}。",),
    "dormant": (
        "已有 {days} 天无人使用产品，最后一次在 {last_used_on}。",
        "付费 {days} 天以来无人使用产品。",
    ),
    "usage_drop_vs_self": (
        "最近一周有 {now} 次事件，比此前 {weeks} 周的中位数（{usual}）少 {fall_share}。",
    ),
    "depth_falling": ("{days} 天内有 {now} 人使用产品，比平时（{usual}）少 {fall_share}。",),
    "low_value_per_dollar": (
        "与同类客户相比，所付价格换来的价值很少：{value_score} 分（满分 100 分）。",
    ),
    "renewal_near": ("合同将于 {renewal_on} 续约，最迟可在 {notice_by} 提出终止。",),
    "seats_idle": ("{seats} 个席位中有 {idle} 个闲置。",),
    "breadth_stalled": (
        "{entitled} 项产品功能中在用 {adopted} 项，已有 {days} 天没有采用新功能。",
    ),
    "goal_missing": ("自 {started_on} 开始以来尚未约定目标。",),
    "request_shipped": (
        "客户要求的功能已上线：{topic}。",
        "客户要求的功能已上线：{product_feature}。",
        "客户要求的功能已上线。",
    ),
    "goal_achieved": ("目标“{goal}”已达成：{value}，目标值 {target}。",),
    "milestone": ("合同满周年，至今年数：{years}。", "关键事件达到整数：{count}。"),
    "tier_near": ("距“{tier}”等级还差 {missing}。",),
    "referral_ready": (
        "有人打了 {score} 分（满分 10 分），没有未解决的问题，健康分 {health}：适合请求推荐。",
    ),
    "nps_promoter": ("受访的 {answers} 人中有 {people} 人推荐产品。",),
    "nps_passive": ("受访的 {answers} 人中有 {people} 人态度中立。",),
}

TEMPLATES: Mapping[Language, Templates] = {Language.EN: ENGLISH, Language.ZH: CHINESE}
PLACEHOLDER = re.compile(r"{(\w+)}")


def signal_sentence(signal: Signal, language: Language) -> str:
    said = {name: _figure(name, value) for name, value in signal.evidence.items()}
    said["since"] = signal.since.isoformat()
    return next(_fitting(TEMPLATES[language][signal.name], said))


def _fitting(templates: tuple[str, ...], said: Mapping[str, str]) -> Iterator[str]:
    for template in templates:
        if said.keys() >= set(PLACEHOLDER.findall(template)):
            yield template.format(**said)


def _figure(name: str, value: Any) -> str:  # noqa: ANN401 - any evidence
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if name.endswith("_cents"):
        return format_money(value)
    if name == "share" or name.endswith("_share"):
        return f"{format_number(round(100 * value))} %"
    return format_number(value)
