### The sentences of explanations: what a measure gives to a score, and what moved the score.
### Phrases start with a small letter: they become part of a sentence, or one by themselves.
### $name is a measure, $points are written with their sign, $direction is "up" or "down".

## The level of a measure. $max: the most points that it can give.

level = { $name }: { $raw }; it gives { $points } of { $max } points.
    .median = { $name }: { $raw } (peers: { $median }); it gives { $points } of { $max } points.
weight_in_use = features in use weigh { $number }
level_without_raw = { $name } is not known and counts as { $score }; it gives { $points } of { $max } points.
level_unknown = { $name } is not known and gives no points.
last_used = The account last used the product on { $day }.

## The change of the score

score_moved = From { $since } to { $until } the score { verb } from { $before } to { $after }: { $points } points.
score_stayed = From { $since } to { $until } the score stayed at { $after }.
no_score = There is no score on { $day }, so there is nothing to compare.
not_comparable = The data behind the score of { $day } is not stored in the current form, so there is nothing to compare.
effect = { $phrase }: { $points } points.
effect_below_a_tenth = { $phrase }: less than { $tenth } points.
verb =
    { $direction ->
        [down] fell
       *[up] rose
    }

## Usage: how the number of a measure moved

moved = { $name } { verb } from { $before } to { $after }
became_known = { $name } is known now ({ $after })
became_unknown = { $name } is no longer known (it was { $before })
stayed = { $name } stayed at { $after }
    .new_total = { $name } stayed at { $after }, out of { $new_total } instead of { $old_total }

## Price and peers: why the number moved ($what), or why the same number counts for another score

because = { $what }, because { $why }
also = { $what }, and { $why }
score_effect =
    { $why }, so the same { $name } counts for { $direction ->
        [down] less
       *[up] more
    }
price_moved = the mean price { verb } from { $before } to { $after } { $currency } a month
price_known = a mean price is known now, { $after } { $currency } a month
price_ended = the account no longer pays; its mean price was { $before } { $currency } a month
no_rate = there is no exchange rate for its price
seats_moved = the number of seats { verb } from { $before } to { $after }
seats_known = the number of seats is known now, { $after }
seats_unknown = the number of seats is no longer known
plan_changed = the plan changed from { $before } to { $after }
entitlement_changed = the entitlement of the account changed
renewal_moved = the renewal day moved from { $before } to { $after }
terms_changed = the terms of the contract changed
segment_changed = the segment changed from { $before } to { $after }
new_benchmark = the peers are those of { $month } now
peers_found = there are enough accounts to compare with now
too_few_peers = there are too few accounts to compare with now
benchmark_refitted = the benchmark of { $month } was fitted again
features_redetermined = the product features were determined again with the benchmark of { $month }

## Coverage, adjustments and bounds

measures_known = known now: { $names }
measures_unknown = no longer known: { $names }
known_data_changed = the known data of the account changed
weights_changed =
    { $what }; so { $direction ->
        [down] the other measures weigh less
        [up] the other measures weigh more
       *[both] the measures weigh differently
    }
adjustments_began = now applies: { $reasons }
adjustments_ended = no longer applies: { $reasons }
adjustments_unchanged = still applies: { $reasons }
bounds = points beyond 0 or 100 do not count

## Configuration and overrides

version_changed = scorecard version { $after } took the place of version { $before }
card_changed = the account is scored by the card "{ $after }" instead of "{ $before }"
settings_changed = product features, plans or settings changed
override_set = { $author } set the score to { $value } until { $until }
    .reason = { $author } set the score to { $value } until { $until } ("{ $reason }")
override_unchanged = { $author } holds the score at { $value } until { $until }
    .reason = { $author } holds the score at { $value } until { $until } ("{ $reason }")
override_ended = The override of { $value } by { $author } ended
somebody = somebody

## Lists and names

list = { $before }, { $after }
phrases = { $before } and { $after }
quoted = "{ $text }"
none = none

## The names of metrics

metric_breadth = breadth
metric_depth = depth
metric_reach = reach
metric_momentum = momentum
metric_events = usage
metric_active_days = activity
metric_product_features = adoption
metric_seats = contract size
metric_mrr = MRR
metric_employees = company size
metric_end_customers = market
metric_tenure_days = tenure
metric_days_since_last_use = time since the last use
metric_days_to_renewal = time to renewal
metric_nps = the mean NPS answer
metric_csat = the mean CSAT answer
metric_open_tickets = support load
metric_tickets_90d = support need
metric_late_replies_28d = support delay
metric_unanswered_feedback = unanswered feedback
metric_onboarding_share = onboarding
metric_goals_on_track = the share of goals on track

## Amounts of the metrics that count something

amount_product_features =
    { $number } { NUMBER($number) ->
        [one] product feature
       *[other] product features
    }
amount_breadth = { amount_product_features }
amount_weighted_breadth = a total feature weight of { $number }
amount_depth =
    { $number } { NUMBER($number) ->
        [one] active user
       *[other] active users
    }
amount_end_customers =
    { $number } { NUMBER($number) ->
        [one] end customer
       *[other] end customers
    }
amount_reach = { amount_end_customers }
amount_events =
    { $number } { NUMBER($number) ->
        [one] event
       *[other] events
    }
amount_active_days =
    { $number } { NUMBER($number) ->
        [one] active day
       *[other] active days
    }
amount_seats =
    { $number } { NUMBER($number) ->
        [one] seat
       *[other] seats
    }
amount_employees =
    { $number } { NUMBER($number) ->
        [one] employee
       *[other] employees
    }
amount_tenure_days =
    { $number } { NUMBER($number) ->
        [one] day
       *[other] days
    }
amount_days_since_last_use = { amount_tenure_days }
amount_days_to_renewal = { amount_tenure_days }
amount_mrr = { $number } { $currency } a month
amount_onboarding_share = { $number } %
amount_goals_on_track = { amount_onboarding_share }
amount_open_tickets =
    { $number } { NUMBER($number) ->
        [one] open ticket
       *[other] open tickets
    }
amount_tickets_90d =
    { $number } { NUMBER($number) ->
        [one] ticket
       *[other] tickets
    }
amount_late_replies_28d =
    { $number } { NUMBER($number) ->
        [one] late reply
       *[other] late replies
    }
amount_unanswered_feedback =
    { $number } { NUMBER($number) ->
        [one] item
       *[other] items
    }
