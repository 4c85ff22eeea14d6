### 解释的句子：一项指标给分数贡献多少，以及什么改变了分数。
### 短语会成为句子的一部分，或单独成句。
### $name 是指标名称，$points 是带正负号的分数，$direction 是 "up" 或 "down"。

## 指标的水平。$max：该指标的满分。

level = { $name }：{ $raw }，得 { $points } 分，满分 { $max } 分。
    .median = { $name }：{ $raw }（同类中位数 { $median }），得 { $points } 分，满分 { $max } 分。
weight_in_use = 在用产品功能的权重合计 { $number }
level_without_raw = { $name }没有数据，按 { $score } 分计，得 { $points } 分，满分 { $max } 分。
level_unknown = { $name }没有数据，不计分。
last_used = 该客户上次使用产品是在 { $day }。

## 分数的变化

score_moved = 从 { $since } 到 { $until }，分数从 { $before } { verb }到 { $after }：{ $points } 分。
score_stayed = 从 { $since } 到 { $until }，分数保持在 { $after }。
no_score = { $day } 当天没有分数，无法比较。
not_comparable = { $day } 的分数没有以当前格式保存明细数据，无法比较。
effect = { $phrase }：{ $points } 分。
effect_below_a_tenth = { $phrase }：不到 { $tenth } 分。
verb =
    { $direction ->
        [down] 下降
       *[up] 上升
    }

## 使用：指标的数值如何变动

moved = { $name }从 { $before } { verb }到 { $after }
became_known = { $name }现在有了数据（{ $after }）
became_unknown = { $name }不再有数据（此前为 { $before }）
stayed = { $name }保持在 { $after }
    .new_total = { $name }保持在 { $after }，终端客户总数从 { $old_total } 变为 { $new_total }

## 价格与同类：数值为何变动（$what），或同样的数值为何得分不同

because = { $what }，原因是{ $why }
also = { $what }，同时{ $why }
score_effect =
    { $why }，{ $name }数值不变但得分{ $direction ->
        [down] 减少
       *[up] 增加
    }
price_moved = 平均价格从每月 { $before } { $currency } { verb }到每月 { $after } { $currency }
price_known = 平均价格现在有了数据（每月 { $after } { $currency }）
price_ended = 该客户不再付费（此前平均价格为每月 { $before } { $currency }）
no_rate = 该客户的价格没有可用的汇率
seats_moved = 席位数从 { $before } 个{ verb }到 { $after } 个
seats_known = 席位数现在有了数据（{ $after } 个）
seats_unknown = 席位数不再有数据
plan_changed = 套餐从 { $before } 变为 { $after }
entitlement_changed = 可使用的功能范围有变化
renewal_moved = 续约日从 { $before } 改为 { $after }
terms_changed = 合同条款有变化
segment_changed = 客户分群从 { $before } 变为 { $after }
new_benchmark = 同类基准更新为 { $month }
peers_found = 现在有足够的客户可供比较
too_few_peers = 现在可供比较的客户过少
benchmark_refitted = 同类基准（{ $month }）已重新计算
features_redetermined = 产品功能已按 { $month } 的同类基准重新确定

## 覆盖、规则与上下限

measures_known = 有了数据的指标：{ $names }
measures_unknown = 不再有数据的指标：{ $names }
known_data_changed = 该客户的已知数据有变化
weights_changed =
    { $what }，{ $direction ->
        [down] 其他指标的权重因此降低
        [up] 其他指标的权重因此提高
       *[both] 各指标的权重随之改变
    }
adjustments_began = 新适用的调整规则：{ $reasons }
adjustments_ended = 不再适用的调整规则：{ $reasons }
adjustments_unchanged = 仍然适用的调整规则：{ $reasons }
bounds = 超出 0 到 100 的部分不计

## 配置与人工设定

version_changed = 评分卡版本 { $after } 取代版本 { $before }
card_changed = 该客户适用的评分卡从“{ $before }”改为“{ $after }”
settings_changed = 产品功能、套餐或设置有变化
override_set = { $author } 将分数设为 { $value }，有效期至 { $until }
    .reason = { $author } 将分数设为 { $value }，有效期至 { $until }（理由：“{ $reason }”）
override_unchanged = { $author } 设定的分数 { $value } 仍然有效，有效期至 { $until }
    .reason = { $author } 设定的分数 { $value } 仍然有效，有效期至 { $until }（理由：“{ $reason }”）
override_ended = { $author } 设定的分数 { $value } 不再有效
somebody = 有人

## 列举与名称

list = { $before }、{ $after }
phrases = { $before }，{ $after }
quoted = “{ $text }”
none = 无

## 指标的名称

metric_breadth = 使用广度
metric_depth = 使用深度
metric_reach = 触达
metric_momentum = 趋势
metric_events = 使用量
metric_active_days = 活跃度
metric_product_features = 功能采用
metric_seats = 合同规模
metric_mrr = 月度经常性收入
metric_employees = 公司规模
metric_end_customers = 终端客户规模
metric_tenure_days = 合作时长
metric_days_since_last_use = 距上次使用的时间
metric_days_to_renewal = 距续约的时间
metric_nps = NPS 平均分
metric_csat = CSAT 平均分
metric_open_tickets = 未结工单
metric_tickets_90d = 工单量
metric_late_replies_28d = 超时首次回复
metric_unanswered_feedback = 未答复的反馈
metric_onboarding_share = 上手进度
metric_goals_on_track = 按计划推进的目标占比

## 计数指标的数量

amount_product_features = { $number } 项产品功能
amount_breadth = { amount_product_features }
amount_weighted_breadth = { $number } 点功能权重
amount_depth = { $number } 名活跃用户
amount_end_customers = { $number } 位终端客户
amount_reach = { amount_end_customers }
amount_events = { $number } 次事件
amount_active_days = { $number } 个活跃日
amount_seats = { $number } 个席位
amount_employees = { $number } 名员工
amount_tenure_days = { $number } 天
amount_days_since_last_use = { amount_tenure_days }
amount_days_to_renewal = { amount_tenure_days }
amount_mrr = { $number } { $currency }/月
amount_onboarding_share = { $number }%
amount_goals_on_track = { amount_onboarding_share }
amount_open_tickets = { $number } 个工单
amount_tickets_90d = { $number } 个工单
amount_late_replies_28d = { $number } 次
amount_unanswered_feedback = { $number } 条
