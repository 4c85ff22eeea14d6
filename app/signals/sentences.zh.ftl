### 每个信号一句话。可用的值是该信号的证据以及 $since。
### 如果信号带有与属性同名的证据，则用该属性代替第一句。

churned = 自 { $paid_until } 起不再付费。
    .end_reason = 自 { $paid_until } 起不再付费，给出的原因是 { $end_reason }。
payment_failed = { $since } 有 { $amount_due_cents } { $currency } 扣款失败，至今未付。
incident_affected = { $since } 的故障影响了该客户，尚未致歉。
    .apology_sent_on = { $since } 的故障影响了该客户，已于 { $apology_sent_on } 致歉。
onboarding_stuck = 上手流程停在“{ $step }”已 { days }。
    .peers_median_days = 上手流程停在“{ $step }”已 { days }，{ $peers } 家同类客户有一半在 { $peers_median_days } 天内完成。
first_value_late = { $signed_up_on } 注册，已过 { days }，还没有人用到产品的核心功能。
support_slow = { days }内的 { tickets }中有 { $late } 张未按标准首次回复。
    .waiting_hours = { days }内的 { tickets }中有 { $late } 张未按标准首次回复，其中一张已等待 { waiting_hours }。
champion_inactive = 关键用户 { $user_id } 已有 { days }没有活动，此前占全部使用量的 { $event_share }。
price_rise = 价格上涨 { $change_share }，从每月 { $before_cents } 到 { $after_cents } { $currency }。
paid_feature_unused = 已付费的 { $feature } 有 { days }无人使用，占价格的 { $price_share }。
    .known_from = 已付费的 { $feature } 至少有 { days }无人使用（事件记录始于 { $known_from }），占价格的 { $price_share }。
    .bought_on = { $feature } 于 { $bought_on } 购买，已有 { days }无人使用，占价格的 { $price_share }。
goal_off_track = 目标“{ $goal }”落后于进度：完成 { $share }，到期日 { $due_on }。
nps_detractor = { people_of_answers }不会推荐产品，最低分 { $score }。
csat_low = 满意度 { $score } 分（满分 5 分），共 { answers }。
reach_falling = { days }内触达 { $now } 位终端客户，比平时（{ $usual }）少 { $fall_share }。
feedback_unanswered = 有 { $items } 条反馈等待答复，最久的已等 { days }。
    .topic = 有 { $items } 条反馈等待答复，最久的已等 { days }，关于{ $topic }。
ticket_surge = { days }内{ tickets_opened }。
    .usual = { days }内{ tickets_opened }，平时为 { $usual } 张。
downgraded = 价格下降 { $change_share }，从每月 { $before_cents } 到 { $after_cents } { $currency }。
over_limit = { $limit_name }：已用 { $used }，套餐允许 { $limit }。
dormant = 付费 { days }以来无人使用产品。
    .last_used_on = 已有 { days }无人使用产品，最后一次在 { $last_used_on }。
    .known_from = 至少有 { days }无人使用产品（事件记录始于 { $known_from }）。
usage_drop_vs_self = 最近一周有 { $now } 次事件，比此前 { $weeks } 周的中位数（{ $usual }）少 { $fall_share }。
depth_falling = { days }内有 { $now } 人使用产品，比平时（{ $usual }）少 { $fall_share }。
low_value_per_dollar = 与同类客户相比，所付价格换来的价值很少：{ $value_score } 分（满分 100 分）。
renewal_near = 合同将于 { $renewal_on } 续约，最迟可在 { $notice_by } 提出终止。
seats_idle = { $seats } 个席位中有 { $idle } 个闲置。
breadth_stalled = { $entitled } 项产品功能中在用 { $adopted } 项，已有 { days }没有采用新功能。
goal_missing = 自 { $started_on } 开始以来尚未约定目标。
request_shipped = 客户要求的功能已上线。
    .topic = 客户要求的功能已上线：{ $topic }。
    .product_feature = 客户要求的功能已上线：{ $product_feature }。
goal_achieved = 目标“{ $goal }”已达成：{ $value }，目标值 { $target }。
milestone =
    .years = 合同满周年，至今年数：{ $years }。
    .count = 关键事件达到整数：{ $count }。
tier_near = 距“{ $tier }”等级还差 { $missing }。
referral_ready = 有人打了 { $score } 分（满分 10 分），没有未解决的问题，健康分 { $health }：适合请求推荐。
nps_promoter = { people_of_answers }推荐产品。
nps_passive = { people_of_answers }态度中立。

## 以上句子的组成部分

days = { $days } 天
waiting_hours = { $waiting_hours } 小时
tickets = { $tickets } 张工单
tickets_opened = 新增 { tickets }
answers = { $answers } 份答复
people_of_answers = 受访的 { $answers } 人中有 { $people } 人
