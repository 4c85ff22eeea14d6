### 首页：今天谁需要关注、为何、该做什么。

today = 今天
whose = 谁的客户
mine = 我的客户
all = 全部客户
at_stake = 风险收入
assumed = 假定比例
notice = 通知截止
renewal = 续约
owner = 负责人
days_ahead =
    { NUMBER($days) ->
       *[other] { $days } 天后
    }
this_day = 今天
days_ago =
    { NUMBER($days) ->
       *[other] { $days } 天前
    }
alert = 警报自 { $at } 起：{ $name }
pending = 若不解除，将于 { $at } 成为警报：{ $name }
pending_open = 等待成为警报：{ $name }
task = 任务于 { $day } 到期：{ $title }
done = 完成
finish_task = 完成：{ $title }
snooze = 暂缓告警
how_long = { $name } 的告警暂缓多久
for_days = { NUMBER($days) } 天
log_call = 记录电话
call_text = 与 { $name } 通话的结果
save = 保存
pages = 分页
first_page = 第一页
next_page = 下一页
quiet = 平静的一天：目前没有客户需要处理。
quiet_owner = 平静的一天：这些客户目前都不需要处理。
to_accounts = 查看客户列表
moved_up = 七天内上升
moved_down = 七天内下降
nobody_moved = 没有客户变动一分或以上。
data_through = 最新评分：数据截至 { $at }。
no_data = 还没有客户有评分。
