### 与流失风险相伴的情况，不是其原因。

## 模型的特征

feature_events_28 = 28天内的事件数
feature_active_days_28 = 28天内的活跃天数
feature_users_28 = 28天内的活跃人数
feature_breadth_28 = 在用的产品功能数
feature_reach_28 = 28天内触达的终端客户数
feature_events_per_dollar = 每100美元月费对应的事件数
feature_trend_events = 事件数与前28天相比的变化（百分比）
feature_recency = 距上次使用的天数
feature_tenure = 成为客户的天数
feature_seat_use = 席位使用率（百分比）
feature_top_user_share = 最活跃者所占份额（百分比）
feature_mrr = 月费（美元）
feature_days_to_renewal = 距续约的天数
feature_days_to_end = 距已宣布终止日的天数
feature_tickets_84 = 84天内的工单数
feature_nps = 推荐意愿
feature_onboarding_share = 入门完成度（百分比）
feature_failed_payments_84 = 84天内的付款失败次数
events_of_name = 84天内的“{ $event }”

## 一句话：特征的值、用来比较的值及其影响

value = { $name }：未知
    .value = { $name }：{ $value }
value_before = { $facts }，四周前为{ $before }
value_of_peers = { $facts }，其他客户的中位数为{ $peers }
raises_risk = { $facts }。这与较高的流失风险相伴。
lowers_risk = { $facts }。这与较低的流失风险相伴。

## 风险的可靠程度，按模型所处阶段

stage_rules = 基于规则，并非从本工作区学得：流失的客户太少，因此不给出概率。
stage_experimental = 从本工作区学得，但尚未在之后的时间段上得到验证：仅供参考，不是预测。
stage_trusted = 从本工作区学得；在未见过的之后时间段上优于基准率和最近使用时间。
