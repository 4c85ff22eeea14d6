### 所有页面共有的文字：导航、按键、错误、操作结果。

skip = 跳到正文
navigation = 导航
today = 今天
accounts = 客户
alerts = 告警
members = 成员
sign_out = 退出登录
utc = 所有日期均为协调世界时。
close = 关闭
to_start = 回到首页

keys = 按键
key_move = 下一行、上一行
key_open = 打开客户
key_explain = 就地展开该行
key_accept = 采纳第一条建议、确认告警
key_dismiss = 忽略第一条建议、解除所选告警
key_snooze = 暂缓所选告警
key_choose = 选择该行的告警
key_note = 写备注
key_search = 搜索
key_today = 今天
key_accounts = 客户
key_alerts = 告警
key_members = 成员
key_keys = 本列表

done_accepted = 已采纳，现为该客户的一项干预。
done_dismissed = 已忽略，三十天内不再建议。
done_saved = 已保存。
done_finished = 已完成。
done_deleted = 已删除。
done_removed = 已移除。
done_signed_out = 已在所有浏览器退出登录。
done_acknowledged = 已确认。
done_assigned = 已指派。
done_snoozed = 暂缓已设定，到期前不发消息。
done_resolved = 已解除，异常结束后才会再次触发。
done_rated = 已评价，计入该规则的统计。

error_not_found = 没有这个页面
error_link = 此链接无法登录
error_forbidden = 您没有此权限
error_input = 无法按所提交的内容执行
error_conflict = 现在已无法执行
error_away = 服务繁忙或数据库不可用
error_bug = 我们这边出错了
error_report = 已记录。请把这个编号告诉运维人员：
error_other = 未能完成

band_at_risk = 有风险
band_watch = 需关注
band_healthy = 健康
band_unknown = 无评分
level_low = 低
level_medium = 中
level_high = 高
severity_info = 提示：
severity_low = 低：
severity_medium = 中：
severity_high = 高：
since = 自 { $day } 起
no_signals = 没有未解除的信号。

worth = 预计每年挽回 { $money }
message = 可发送的消息
copy = 复制
accept = 采纳
dismiss = 忽略
reason = 理由
