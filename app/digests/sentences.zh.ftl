### 摘要的各行

title =
    今天有 { NUMBER($count) ->
       *[other] { $count }
    } 个客户需要处理。
title_more =
    今天至少有 { NUMBER($count) ->
       *[other] { $count }
    } 个客户需要处理。
at_stake = 每年有 { $money } 面临风险。
notice =
    距离提出不续约的最后一天还有 { NUMBER($days) ->
       *[other] { $days }
    } 天。
step = 下一步：{ $text }
rose = 健康分一周内上升 { $points } 分，现为 { $score } 分。
    .reason = 健康分一周内上升 { $points } 分，现为 { $score } 分。{ $reason }
fell = 健康分一周内下降 { $points } 分，现为 { $score } 分。
    .reason = 健康分一周内下降 { $points } 分，现为 { $score } 分。{ $reason }

## 组成部分

join = { $before } { $after }
