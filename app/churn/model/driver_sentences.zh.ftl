### 与流失风险相伴的情况，不是其原因。

## 模型的特征

feature_events_28 = 28 天内的事件数
feature_events_7 = 7 天内的事件数
feature_events_14 = 14 天内的事件数
feature_events_84 = 84 天内的事件数
feature_active_days_28 = 28 天内的活跃天数
feature_active_days_7 = 7 天内的活跃天数
feature_active_days_14 = 14 天内的活跃天数
feature_active_days_84 = 84 天内的活跃天数
feature_active_days_364 = 364 天内的活跃天数
feature_users_28 = 28 天内的活跃人数
feature_users_84 = 84 天内的活跃人数
feature_breadth_28 = 在用的产品功能数
feature_breadth_84 = 84 天内用过的产品功能数
feature_reach_28 = 28 天内触达的终端客户数
feature_events_per_dollar = 每 100 本位币月度经常性收入对应的 28 天事件数
feature_users_per_dollar = 每 100 本位币月度经常性收入对应的 28 天活跃人数
feature_breadth_per_dollar = 每 100 本位币月度经常性收入对应的在用产品功能数
feature_reach_per_dollar = 每 100 本位币月度经常性收入对应的 28 天触达终端客户数
feature_trend_events = 事件数与此前 28 天相比的变化
feature_trend_users = 活跃人数与此前 28 天相比的变化
feature_trend_active_days = 活跃天数与此前 28 天相比的变化
feature_trend_reach = 触达的终端客户数与此前 28 天相比的变化
feature_trend_events_7 = 7 天事件数与 28 天周均值相比的变化
feature_slope_8_weeks = 近 8 周事件数的周环比变化
feature_recency = 距上次使用的天数
feature_recency_over_gap = 距上次使用的天数与平时使用间隔之比
feature_tenure = 合作天数
feature_seat_use = 席位使用率
feature_seats = 已购席位数
feature_top_user_share = 最活跃用户占全部使用量的比例
feature_mrr = 月度经常性收入（本位币）
feature_mrr_change_84 = 84 天内月度经常性收入的变化
feature_subscriptions = 生效中的订阅数
feature_days_on_terms = 当前付费条款已执行的天数
feature_days_to_renewal = 距续约的天数
feature_days_to_notice = 距提出不续约截止日的天数
feature_days_to_end = 距已宣布终止日的天数
feature_billing_period_months = 每张账单覆盖的月数
feature_term_months = 合同期限（月）
feature_auto_renews = 自动续约
feature_discount_share = 相对标价的折扣
feature_tickets_84 = 84 天内的工单数
feature_nps = NPS 平均分
feature_onboarding_share = 上手完成比例
feature_failed_payments_84 = 84 天内的扣款失败次数
events_of_name = 84 天内“{ $event }”事件数

## 一句话：特征的值、用来比较的值及其影响

value = { $name }：未知
    .value = { $name }：{ $value }
value_before = { $facts }，四周前为 { $before }
value_of_peers = { $facts }，其他客户的中位数为 { $peers }
percent = { $number }%
yes = 是
no = 否
raises_risk = { $facts }。这与较高的流失风险相伴。
lowers_risk = { $facts }。这与较低的流失风险相伴。

## 风险的可靠程度，按模型所处阶段

stage_rules = 基于规则：目前没有由本工作区数据训练并启用的模型，因此不给出概率。
    .why = 基于规则：{ $why }，因此不给出概率。
stage_experimental = 由本工作区的数据训练得出，但尚未在后续时间段上得到验证：仅供参考，不作为预测。
stage_trusted = 由本工作区的数据训练得出；在训练未用到的后续时间段上，表现优于基准流失率，也优于距上次使用的天数。

## 使用规则的原因：上面句子的一部分

why_not_trained = 尚未完成过模型训练，首次训练需要 60 天的历史数据
why_short_history = 历史数据的时间太短，还没有结果已知的观察记录
why_too_few_churned = 流失的客户太少（目前 { $churned } 个，训练模型至少需要 { $needed } 个）
why_nobody_stayed = 观察到的客户已全部流失，没有可比较的对象
why_training_failed = 最近一次模型训练失败
why_shadow = 模型已训练完成，但尚未启用
why_degraded = 上一个模型不再适用，已停用
why_rolled_back = 上一个模型已由人工停用
why_not_applied = 已启用的模型尚未评估该客户
