### 可打印的客户回顾

title = 客户回顾
internal = 仅供内部使用，请勿发给客户
none = 暂无内容。

## 页首

score = 健康分
churn_risk = 流失风险
owner = 负责人
level_low = 低
level_medium = 中
level_high = 高
renewal = { $day } 续约
notice = 最晚可于 { $day } 提出不续约
band_healthy = 健康
band_watch = 关注
band_at_risk = 有风险
band_unknown = 尚不清楚

## 价值

value = 价值变化
price = 月费
per_dollar = 每付 100 { $currency } 月费
now = 当前
count_people = 有 { $count } 人在使用产品
part_people = { $total } 人中有 { $count } 人在使用产品
count_features = 正在使用 { $count } 项产品功能
part_features = { $total } 项产品功能中正在使用 { $count } 项
count_end_customers = 触达了 { $count } 位终端客户
part_end_customers = { $total } 位终端客户中触达了 { $count } 位
measure_reach = 触达（终端客户）
measure_depth = 使用深度（活跃用户）
measure_breadth = 使用广度（产品功能）
measure_events = 使用量（事件）
measure_active_days = 活跃度（活跃日）

## 同类与使用

peers = 与同类客户相比
peer = { $measure }：就所付费用而言，不低于其中 { $percentile }%
breadth = 产品使用范围
used = 正在使用
unused = 已付费但尚未使用
included = 套餐中还包含

## 目标

goals = 目标
goal = { $value } / { $target }，截止 { $due }
goal_on_track = 进展顺利
goal_off_track = 进度落后
goal_achieved = 已达成
goal_unknown = 尚不清楚

## 联系人与支持

people = 联系人
role_champion = 产品倡导者
role_sponsor = 项目负责人
support = 支持服务
tickets = 共 { $opened } 个请求，{ $closed } 个已关闭，{ $in_time } 个在标准时间内得到答复
reply = 首次答复时间的中位数：{ $minutes } 分钟

## 工作

done = 已完成的工作及其结果
succeeded = 之后有改善。
failed = 目前尚无改善。
notes = 备注
next = 下一步
