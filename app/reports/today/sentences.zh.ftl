### 没有信号时，客户现在为什么需要处理

alert = 预警“{ $rule }”自 { $day } 起未处理。
pending = 规则“{ $rule }”已触发，但持续时间还不够，尚未产生预警。
task = 任务“{ $title }”的截止日期是 { $day }。
suggestion = 这个客户有一条建议。
