### 与流失相关的情况，每种一句话

goes_with = { $subject }，流失率是其他情况的 { $lift } 倍（95% 置信区间：{ $low } 至 { $high }）。
goes_with_open = { $subject }，流失率是其他情况的 { $lift } 倍（95% 置信区间：至少 { $low }）。
too_few_left = { $subject }：流失的客户太少，无法判断是否相关。
no_paid_days = { $subject }：还没有能够判断是否符合这种情况的付费日。
nothing_to_compare_with = { $subject }：所有付费日都符合这种情况，或都不符合，因此没有可比较的对象。
nobody_left_otherwise = { $subject }：流失的客户全都符合这种情况，因此无法计算倍数。

## 情况

subject_signal = 最近 90 天内出现过“{ $name }”
subject_feature_unused = 连续 28 天未使用“{ $name }”
subject_onboarding_step = 上手步骤“{ $name }”未完成

## 信号名称

signal_churned = 停止付费
signal_payment_failed = 扣款失败
signal_incident_affected = 受故障影响
signal_onboarding_stuck = 上手流程停滞
signal_first_value_late = 迟迟未完成关键操作
signal_support_slow = 工单首次回复过慢
signal_champion_inactive = 关键用户不活跃
signal_price_rise = 价格上涨
signal_paid_feature_unused = 已付费功能闲置
signal_goal_off_track = 目标进度落后
signal_nps_detractor = 有 NPS 贬损者
signal_csat_low = 满意度低
signal_reach_falling = 触达的终端客户减少
signal_feedback_unanswered = 反馈未答复
signal_ticket_surge = 工单激增
signal_downgraded = 降级或降价
signal_over_limit = 用量超出套餐上限
signal_dormant = 无人使用产品
signal_usage_drop_vs_self = 使用量下降
signal_depth_falling = 使用人数减少
signal_low_value_per_dollar = 所付价格换来的价值偏低
signal_renewal_near = 临近续约
signal_seats_idle = 席位闲置
signal_breadth_stalled = 未采用新功能
signal_goal_missing = 尚未约定目标
signal_request_shipped = 提出的需求已上线
signal_goal_achieved = 目标已达成
signal_milestone = 达到里程碑
signal_tier_near = 接近下一会员等级
signal_referral_ready = 适合请客户推荐
signal_nps_promoter = 有 NPS 推荐者
signal_nps_passive = 有 NPS 中立者
