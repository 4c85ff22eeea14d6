### 可打印的客户回顾

title = 客户回顾
internal = 仅供内部使用，请勿发给客户
none = 暂无内容。

## 标点

label = { $name }：
list = { $before }、{ $after }
bracketed = { $text }（{ $note }）
title_done = { $title }。
    .assignee = { $title }（{ $assignee }）。
percent = { $number }%

## 页首

score = 健康分
churn_risk = 流失风险
owner = 负责人
level_low = 低
level_medium = 中
level_high = 高
renewal = { $day } 续约
notice = 提出不续约的最后期限为 { $day }
band_healthy = 健康
band_watch = 关注
band_at_risk = 有风险
band_unknown = 未知

## 价值

value = 价值变化
price = 平均月费
per_dollar = 按每 100 { $currency } 平均月费计
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
peer = { $measure }：按所付价格计，不低于其中 { $percentile }% 的客户
breadth = 产品使用范围
used = 正在使用
unused = 已付费但尚未使用
included = 套餐中还包含

## 目标

goals = 目标
goal = 目前为 { $value }，目标值为 { $target }，截止日期为 { $due }：{ $progress }
goal_on_track = 按计划推进
goal_off_track = 进度落后
goal_achieved = 已达成
goal_unknown = 未知

## 联系人与支持

people = 联系人
role_champion = 关键用户
role_sponsor = 项目发起人
support = 支持服务
tickets = 共 { $opened } 个请求，{ $closed } 个已关闭，{ $in_time } 个在标准时间内得到首次回复
    .minutes = 共 { $opened } 个请求，{ $closed } 个已关闭，{ $in_time } 个在标准时间内得到首次回复，首次回复时间的中位数为 { $minutes } 分钟

## 工作

done = 已完成的工作及其结果
succeeded = 之后有改善。
failed = 目前尚无改善。
notes = 备注
next = 下一步
