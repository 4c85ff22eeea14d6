### 时间线中每个条目一句话，按种类和事件排列

alert_opened = 预警“{ $name }”已触发。
alert_resolved = 预警“{ $name }”已解除。
intervention_accepted = 建议“{ $title }”已采纳。
intervention_dismissed = 建议“{ $title }”已忽略。
    .reason = 建议“{ $title }”已忽略，原因是“{ $reason }”。
intervention_done = “{ $title }”已完成。
subscription_began = 订阅开始，月费为 { $cents }。
    .plan = 套餐“{ $plan }”的订阅开始，月费为 { $cents }。
subscription_ended = 订阅结束。
    .reason = 订阅结束，给出的原因是“{ $reason }”。
price_rose = 月费从 { $before } 涨到 { $after }。
price_fell = 月费从 { $before } 降到 { $after }。
plan_changed = 套餐从“{ $before }”改为“{ $after }”。
seats_changed = 席位从 { $before } 个变为 { $after } 个。
scorecard_activated = 评分卡第 { $version } 版开始生效。
ticket_opened = 提交了一个工单。
    .subject = 提交了工单“{ $subject }”。
ticket_closed = 关闭了一个工单。
    .subject = 关闭了工单“{ $subject }”。
answer_nps = 有人对是否愿意推荐本产品打了 { $score } 分（满分 10 分）。
    .person = { $person } 对是否愿意推荐本产品打了 { $score } 分（满分 10 分）。
answer_csat = 有人对满意度打了 { $score } 分（满分 5 分）。
    .person = { $person } 对满意度打了 { $score } 分（满分 5 分）。
feedback_complaint = 收到一条投诉。
    .topic = 收到一条关于“{ $topic }”的投诉。
feedback_request = 收到一条需求。
    .topic = 收到一条关于“{ $topic }”的需求。
feedback_praise = 收到一条表扬。
    .topic = 收到一条关于“{ $topic }”的表扬。
feedback_shipped = 一条需求已上线。
    .topic = 关于“{ $topic }”的需求已上线。
feedback_fixed = 一条投诉已解决。
    .topic = 关于“{ $topic }”的投诉已解决。
feedback_answered = 一条反馈已答复。
    .topic = 关于“{ $topic }”的反馈已答复。
feedback_declined = 一条需求已拒绝。
    .topic = 关于“{ $topic }”的需求已拒绝。
goal_began = 目标“{ $title }”开始，截止日期是 { $due_on }。
goal_closed = 目标“{ $title }”已关闭。
incident_began = 发生了影响这个客户的故障。
    .title = 发生了影响这个客户的故障“{ $title }”。
incident_ended = 故障已结束。
    .title = 故障“{ $title }”已结束。
incident_apology = 已就故障致歉。
    .title = 已就故障“{ $title }”致歉。
onboarding_done = 上手步骤“{ $step }”已完成。
use_first = 首次使用本产品。
use_last = 最近一次使用本产品。
people_joined =
    { NUMBER($count) ->
       *[other] { $count }
    } 名用户加入。
    .names = { $names } 加入。
people_silent =
    { NUMBER($count) ->
       *[other] { $count }
    } 名用户已有四周没有使用本产品。
    .names = { $names } 已有四周没有使用本产品。
signal_opened = { $sentence }。
signal_cleared = 以下情况已结束：{ $sentence }。
note_written = { $author } 写道：“{ $text }”。
call_written = { $author } 记录了一次通话：“{ $text }”。
meeting_written = { $author } 记录了一次会议：“{ $text }”。
email_written = { $author } 记录了一封邮件：“{ $text }”。
task_created = { $person } 创建了任务“{ $title }”。
task_done = { $person } 完成了任务“{ $title }”。
sentiment_stated = { $author } 给客户打了 { $value } 分（满分 5 分）：“{ $reason }”。

## 组成部分

list = { $before }、{ $after }
