"""The words of explanations, in English and Simplified Chinese."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.languages import Language

__all__ = ["CHINESE", "ENGLISH", "CATALOGUES", "Language", "Catalogue"]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one language says: whole sentences, clauses of them, and names.

    ``metrics``: by metric its name, and what one and what many of it are called. Verbs are for
    less, the same and more, ``worth`` for less and more.
    """

    metrics: Mapping[str, tuple[str, str, str]]
    weighted: tuple[str, str]
    event: tuple[str, str]
    quoted: str
    none: str
    join: str
    comma: str
    verbs: tuple[str, str, str]
    worth: tuple[str, str]
    points: str
    # behaviour
    moved: str
    became_known: str
    became_unknown: str
    stayed: str
    end_customers: str
    # price and peers
    because: str
    also: str
    so: str
    price: str
    price_came: str
    price_went: str
    rate_went: str
    seats: str
    seats_came: str
    seats_went: str
    plan: str
    exceptions: str
    renewal: str
    terms: str
    segment: str
    benchmark: str
    fitted_again: str
    features_again: str
    # coverage, adjustments, bounds
    came: str
    went: str
    weigh: tuple[str, str, str]
    known: str
    applies: str
    applied: str
    still_applies: str
    bounds: str
    # configuration, override
    version: str
    card: str
    settings: str
    override: str
    override_holds: str
    override_reason: str
    override_ended: str
    # of a day, and of the whole way
    level: str
    median: str
    unknown: str
    counts_as: str
    change: str
    unchanged: str
    no_score: str
    not_kept: str


ENGLISH = Catalogue(
    metrics={
        "breadth": ("breadth", "product feature", "product features"),
        "depth": ("depth", "active user", "active users"),
        "reach": ("reach", "end customer", "end customers"),
        "momentum": ("momentum", "", ""),
        "events": ("usage", "event", "events"),
        "active_days": ("activity", "active day", "active days"),
        "product_features": ("adoption", "product feature", "product features"),
        "seats": ("contract size", "seat", "seats"),
        "mrr": ("MRR", "", ""),
        "employees": ("company size", "employee", "employees"),
        "end_customers": ("market", "end customer", "end customers"),
        "tenure_days": ("tenure", "day", "days"),
        "days_since_last_use": ("time since the last use", "day", "days"),
        "days_to_renewal": ("time to renewal", "day", "days"),
        "nps": ("the mean NPS answer", "", ""),
        "csat": ("the mean CSAT answer", "", ""),
        "open_tickets": ("support load", "open ticket", "open tickets"),
        "tickets_90d": ("support need", "ticket", "tickets"),
        "late_replies_28d": ("support delay", "late reply", "late replies"),
        "unanswered_feedback": ("unanswered feedback", "item", "items"),
        "onboarding_share": ("onboarding", "", ""),
        "goals_on_track": ("the share of goals on track", "", ""),
    },
    weighted=("product feature by weight", "product features by weight"),
    event=("event", "events"),
    quoted='"{name}"',
    none="none",
    join=" and ",
    comma=", ",
    verbs=("fell", "stayed", "rose"),
    worth=("less", "more"),
    points=": {points} points.",
    moved="{name} {verb} from {before} to {after}",
    became_known="{name} is known now ({after})",
    became_unknown="{name} is no longer known (it was {before})",
    stayed="{name} stayed at {after}",
    end_customers="{name} stayed at {after}, of {whole} there are to reach instead of {was}",
    because="{what}, because {why}",
    also="{what}, and {why}",
    so="{why}, so the same {name} counts for {worth}",
    price="the price {verb} from {before} to {after} {currency} a month",
    price_came="a price is known now, {after} {currency} a month",
    price_went="the account no longer pays; it paid {before} {currency} a month",
    rate_went="there is no exchange rate for its price",
    seats="the seats {verb} from {before} to {after}",
    seats_came="the number of seats is known now, {after}",
    seats_went="the number of seats is no longer known",
    plan="the plan changed from {before} to {after}",
    exceptions="what the account may use changed",
    renewal="the renewal moved from {before} to {after}",
    terms="the terms of the contract changed",
    segment="the segment changed from {before} to {after}",
    benchmark="the peers are those of {month} now",
    fitted_again="the benchmark of {month} was fitted again",
    features_again="the product features were taken anew with the benchmark of {month}",
    came="known now: {names}",
    went="no longer known: {names}",
    weigh=(
        "; so the other measures weigh less",
        "; so the measures weigh differently",
        "; so the other measures weigh more",
    ),
    known="what is known of the account changed",
    applies="now applies: {reasons}",
    applied="no longer applies: {reasons}",
    still_applies="still applies: {reasons}",
    bounds="what lies beyond 0 or 100 does not count",
    version="scorecard version {after} took the place of version {before}",
    card='the account is judged as "{after}" instead of "{before}"',
    settings="product features, plans or settings changed",
    override="{author} set the score to {value} until {until}{reason}",
    override_holds="{author} holds the score at {value} until {until}{reason}",
    override_reason=' ("{reason}")',
    override_ended="The score of {value} that {author} had set no longer holds",
    level="{name}: {raw}{median}; it gives {points} of {most} points.",
    median=" (the median of its peers is {median})",
    unknown="{name} is not known and counts for nothing.",
    counts_as="{name} is not known and counts as {score}; it gives {points} of {most} points.",
    change="From {since} to {until} the score {verb} from {before} to {after}: {points} points.",
    unchanged="From {since} to {until} the score stayed at {after}.",
    no_score="There is no score on {day}, so there is nothing to compare.",
    not_kept="What the score of {day} was made of was not kept as it is now understood.",
)

CHINESE = Catalogue(
    metrics={
        "breadth": ("使用广度", "项产品功能", "项产品功能"),
        "depth": ("使用深度", "名活跃用户", "名活跃用户"),
        "reach": ("触达", "位终端客户", "位终端客户"),
        "momentum": ("趋势", "", ""),
        "events": ("使用量", "次事件", "次事件"),
        "active_days": ("活跃度", "个活跃日", "个活跃日"),
        "product_features": ("功能采用", "项产品功能", "项产品功能"),
        "seats": ("合同规模", "个席位", "个席位"),
        "mrr": ("月度经常性收入", "", ""),
        "employees": ("公司规模", "名员工", "名员工"),
        "end_customers": ("市场规模", "位终端客户", "位终端客户"),
        "tenure_days": ("合作时长", "天", "天"),
        "days_since_last_use": ("距上次使用的时间", "天", "天"),
        "days_to_renewal": ("距续约的时间", "天", "天"),
        "nps": ("NPS 平均分", "", ""),
        "csat": ("CSAT 平均分", "", ""),
        "open_tickets": ("未结工单", "个工单", "个工单"),
        "tickets_90d": ("工单需求", "个工单", "个工单"),
        "late_replies_28d": ("支持延误", "次超时回复", "次超时回复"),
        "unanswered_feedback": ("未答复的反馈", "条", "条"),
        "onboarding_share": ("上手进度", "", ""),
        "goals_on_track": ("按计划推进的目标占比", "", ""),
    },
    weighted=("项产品功能（按权重）", "项产品功能（按权重）"),
    event=("次事件", "次事件"),
    quoted="“{name}”",
    none="无",
    join="，",
    comma="、",
    verbs=("下降", "保持", "上升"),
    worth=("减少", "增加"),
    points="：{points} 分。",
    moved="{name}从 {before} {verb}到 {after}",
    became_known="{name}现在有了数据（{after}）",
    became_unknown="{name}不再有数据（此前为 {before}）",
    stayed="{name}保持在 {after}",
    end_customers="{name}保持在 {after}，可触达的总数从 {was} 变为 {whole}",
    because="{what}，原因是{why}",
    also="{what}，同时{why}",
    so="{why}，同样的{name}得分{worth}",
    price="价格从每月 {before} {currency} {verb}到 {after} {currency}",
    price_came="现在有了价格：每月 {after} {currency}",
    price_went="该客户不再付费，此前每月 {before} {currency}",
    rate_went="价格没有可用的汇率",
    seats="席位从 {before} 个{verb}到 {after} 个",
    seats_came="现在有了席位数：{after} 个",
    seats_went="席位数不再有数据",
    plan="套餐从 {before} 变为 {after}",
    exceptions="可使用的功能范围改变",
    renewal="续约日从 {before} 改为 {after}",
    terms="合同条款改变",
    segment="客户分群从 {before} 变为 {after}",
    benchmark="同类基准更新为 {month}",
    fitted_again="{month} 的同类基准重新计算",
    features_again="产品功能随 {month} 的同类基准重新确定",
    came="有了数据的指标：{names}",
    went="不再有数据的指标：{names}",
    weigh=("，其他指标的权重因此降低", "，各指标的权重随之改变", "，其他指标的权重因此提高"),
    known="该客户的已知数据改变",
    applies="新适用的规则：{reasons}",
    applied="不再适用的规则：{reasons}",
    still_applies="仍然适用的规则：{reasons}",
    bounds="超出 0 到 100 的部分不计",
    version="评分卡版本 {after} 取代版本 {before}",
    card="评分规则从“{before}”改为“{after}”",
    settings="产品功能、套餐或设置改变",
    override="{author} 将分数设为 {value}，有效期至 {until}{reason}",
    override_holds="{author} 设定的分数 {value} 仍然有效，至 {until}{reason}",
    override_reason="（{reason}）",
    override_ended="{author} 设定的分数 {value} 不再有效",
    level="{name}：{raw}{median}，得 {points} 分，满分 {most} 分。",
    median="（同类中位数 {median}）",
    unknown="{name}没有数据，不计分。",
    counts_as="{name}没有数据，按 {score} 分计，得 {points} 分，满分 {most} 分。",
    change="从 {since} 到 {until}，分数从 {before} {verb}到 {after}：{points} 分。",
    unchanged="从 {since} 到 {until}，分数保持在 {after}。",
    no_score="{day} 没有分数，无法比较。",
    not_kept="{day} 的分数构成没有以现在的形式保存，无法比较。",
)

CATALOGUES: Mapping[Language, Catalogue] = {Language.EN: ENGLISH, Language.ZH: CHINESE}
