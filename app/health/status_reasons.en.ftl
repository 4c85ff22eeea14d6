### Why an account has no score, or an old one, and when there will be one.

sentences = { $before } { $after }

not_scored = The account is not scored yet. It is scored within about a minute.
no_start = No event and no paid day of the account is known yet. The first score can come { days } after the first one.
new = The account started on { $start }. The first score can come on { $day }, { days } later.
no_event = No event of the account is known yet.
few_peers = There are too few accounts to compare with ({ $peers } of the { $needed } needed). The benchmark is provisional and is fitted again as accounts and events come in. Until then, usage counts only as a share of a known total, such as the seats.
low_coverage = The known measures have { $known } % of the weight; a score needs { $least } %. Not known: { $names }.
silent = The source of its events has been silent since { $since }. Scores move again once it sends events.
stale = The source of its events is silent. The last score is shown until it sends events again.
    .since = The source of its events has been silent since { $since }. The last score is shown until it sends events again.
churned = The account no longer pays. It has a score again once it pays.
    .since = The account has not paid since { $since }. It has a score again once it pays.
excluded = The account is excluded from all figures, as test and internal accounts are. It has a score once it no longer is.

days =
    { $days } { NUMBER($days) ->
        [one] day
       *[other] days
    }
