### The lines of a digest

title =
    { NUMBER($count) ->
        [one] { $count } account needs
       *[other] { $count } accounts need
    } something today.
title_more =
    { NUMBER($count) ->
        [one] At least { $count } account needs
       *[other] At least { $count } accounts need
    } something today.
at_stake = { $money } a year are at risk.
notice =
    The last day of notice is in { NUMBER($days) ->
        [one] { $days } day
       *[other] { $days } days
    }.
step = Next step: { $text }
rose = The score rose by { $points } to { $score } in a week.
    .reason = The score rose by { $points } to { $score } in a week. { $reason }
fell = The score fell by { $points } to { $score } in a week.
    .reason = The score fell by { $points } to { $score } in a week. { $reason }

## Parts

join = { $before } { $after }
