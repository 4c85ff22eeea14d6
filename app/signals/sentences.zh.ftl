### 每个信号一句话。可用的值是该信号的证据以及 $since。
### 如果信号带有与属性同名的证据，则用该属性代替第一句。

churned = 自 { $paid_until } 起不再付费。
    .end_reason = 自 { $paid_until } 起不再付费，给出的原因是“{ $end_reason }”。
payment_failed = { $since } 有一笔 { $amount_due_cents } { $currency } 的款项扣款失败，至今未付。
incident_affected = { $since } 的故障影响了该客户，尚未致歉。
    .apology_sent_on = { $since } 的故障影响了该客户，已于 { $apology_sent_on } 致歉。
onboarding_stuck = 上手流程停在“{ $step }”步骤已有 { days }。
    .peers_median_days = 上手流程停在“{ $step }”步骤已有 { days }，{ $peers } 家同类客户中有一半在 { $peers_median_days } 天内完成该步骤。
first_value_late = 该客户于 { $signed_up_on } 注册，已过 { days }，尚无人完成关键操作。
support_slow = 最近 { days }的 { tickets }中，有 { $late } 个未在标准时间内得到首次回复。
    .waiting_hours = 最近 { days }的 { tickets }中，有 { $late } 个未在标准时间内得到首次回复，其中一个已等待 { waiting_hours }。
champion_inactive = 关键用户已有 { days }未使用产品，此前其使用量占全部使用量的 { $event_share }。
    .user_name = 关键用户 { $user_name } 已有 { days }未使用产品，此前其使用量占全部使用量的 { $event_share }。
price_rise = 价格上涨 { $change_share }，从每月 { $before_cents } { $currency } 涨到每月 { $after_cents } { $currency }。
paid_feature_unused = 已付费的“{ $feature }”已有 { days }无人使用，占价格的 { $price_share }。
    .known_from = 已付费的“{ $feature }”至少有 { days }无人使用（事件记录始于 { $known_from }），占价格的 { $price_share }。
    .bought_on = “{ $feature }”于 { $bought_on } 购买，已有 { days }无人使用，占价格的 { $price_share }。
goal_off_track = 目标“{ $goal }”进度落后：已完成 { $share }，截止日期为 { $due_on }。
nps_detractor = { people_of_answers }不会推荐产品，最低打分为 { $score } 分。
csat_low = 满意度为 { $score } 分（满分 5 分），共收到 { answers }。
reach_falling = 最近 { days }触达 { $now } 位终端客户，比平时（{ $usual }）少 { $fall_share }。
feedback_unanswered = 有 { items }等待答复，最早的一条已等待 { days }。
    .topic = 有 { items }等待答复，最早的一条（关于“{ $topic }”）已等待 { days }。
ticket_surge = 最近 { days }{ tickets_opened }。
    .usual = 最近 { days }{ tickets_opened }，平时为 { $usual } 个。
downgraded = 价格下降 { $change_share }，从每月 { $before_cents } { $currency } 降到每月 { $after_cents } { $currency }。
over_limit = { $limit_name }：实际为 { $used }，套餐上限为 { $limit }。
dormant = 自首次付费以来已有 { days }，一直无人使用产品。
    .last_used_on = 已有 { days }无人使用产品，上次使用是在 { $last_used_on }。
    .known_from = 至少有 { days }无人使用产品（事件记录始于 { $known_from }）。
usage_drop_vs_self = 最近一周有 { $now } 次事件，比平时（{ $usual }）少 { $fall_share }。
depth_falling = 最近 { days }有 { $now } 人使用产品，比平时（{ $usual }）少 { $fall_share }。
low_value_per_dollar = 与同类客户相比，该客户所付价格换来的价值偏低：{ $value_score } 分（满分 100 分）。
renewal_near = 合同将于 { $renewal_on } 续约，提出不续约的最后期限为 { $notice_by }。
seats_idle = { $seats } 个席位中有 { $idle } 个闲置。
breadth_stalled = { $entitled } 项产品功能中有 { $adopted } 项在用，已有 { days }未采用新功能。
goal_missing = 自 { $started_on } 开始合作以来，尚未约定目标。
request_shipped = 客户提出的需求已上线。
    .topic = 客户提出的需求已上线：“{ $topic }”。
    .product_feature = 客户提出的需求已上线：“{ $product_feature }”。
goal_achieved = 目标“{ $goal }”已达成：实际值为 { $value }，目标值为 { $target }。
milestone =
    .years = 合同已满 { $years } 周年。
    .count = 关键事件已累计达到 { $count } 次。
tier_near = 距“{ $tier }”等级还差 { $missing }。
referral_ready = 有人打了 { $score } 分（满分 10 分），没有未解决的问题，健康分为 { $health }：现在适合请客户推荐。
nps_promoter = { people_of_answers }推荐产品。
nps_passive = { people_of_answers }态度中立。

## 以上句子的组成部分

percent = { $number }%
amount_events = { $number } 次事件
amount_active_users = { $number } 名活跃用户
amount_active_days = { $number } 个活跃日
amount_reach = { $number } 位终端客户
amount_mrr = { $number }
    .currency = 每月 { $number } { $currency }
amount_trait = { $number }
limit_users = 活跃用户数
limit_end_customers = 终端客户数
limit_of_feature = “{ $feature }”的事件数
items = { $items } 条反馈
days = { $days } 天
waiting_hours = { $waiting_hours } 小时
tickets = { $tickets } 个工单
tickets_opened = 新增 { tickets }
answers = { $answers } 份评价
people_of_answers = 受访的 { $answers } 人中有 { $people } 人

## 付费终止的原因：本服务和 Stripe 的代码

reason_account_deleted = 客户账号已删除
reason_customer_deleted = 客户已在计费系统中删除
reason_cancellation_requested = 客户主动取消
reason_payment_failed = 付款失败
reason_payment_disputed = 款项存在争议
reason_customer_service = 客户服务不佳
reason_low_quality = 质量不佳
reason_missing_features = 缺少所需功能
reason_switched_service = 改用其他服务
reason_too_complex = 过于复杂
reason_too_expensive = 价格过高
reason_unused = 使用不足
reason_other = 其他原因
reason_canceled = 订阅已取消
reason_unpaid = 账单一直未付
reason_incomplete_expired = 首次付款一直未完成
reason_paused = 订阅已暂停
reason_past_due = 账单已逾期
