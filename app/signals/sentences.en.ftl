### One sentence for each signal. Its values are the evidence of the signal, and $since.
### An attribute is used instead of the first text if the signal has the evidence of that name.

churned = Nothing has been paid since { $paid_until }.
    .end_reason = Nothing has been paid since { $paid_until }; the reason given is "{ $end_reason }".
payment_failed = { $amount_due_cents } { $currency } could not be collected on { $since } and is still unpaid.
incident_affected = An incident affected the account on { $since }; no apology has been sent yet.
    .apology_sent_on = An incident affected the account on { $since }; an apology was sent on { $apology_sent_on }.
onboarding_stuck = Onboarding has been at the step "{ $step }" for { days }.
    .peers_median_days = Onboarding has been at the step "{ $step }" for { days }; half of { $peers } peers took at most { $peers_median_days } { NUMBER($peers_median_days) ->
        [one] day
       *[other] days
    }.
first_value_late = Signed up { days } ago ({ $signed_up_on }); nobody has done a key action yet.
support_slow = { $late } of the { tickets } of the last { days } had no first reply in time.
    .waiting_hours = { $late } of the { tickets } of the last { days } had no first reply in time; one has waited for { waiting_hours }.
champion_inactive = The champion has not used the product for { days }; { $event_share } of all use was theirs.
    .user_name = The champion, { $user_name }, has not used the product for { days }; { $event_share } of all use was theirs.
price_rise = The price rose by { $change_share }, from { $before_cents } to { $after_cents } { $currency } a month.
paid_feature_unused = "{ $feature }" is paid for and has not been used for { days }; it stands for { $price_share } of the price.
    .known_from = "{ $feature }" is paid for and has not been used for at least { days }: events go back to { $known_from }; it stands for { $price_share } of the price.
    .bought_on = "{ $feature }" was bought on { $bought_on } and has not been used for { days }; it stands for { $price_share } of the price.
goal_off_track = The goal "{ $goal }" is not on track: { $share } of the way is done; it is due on { $due_on }.
nps_detractor = { people_of_answers } would not recommend the product; the lowest answer is { $score }.
csat_low = Satisfaction is { $score } of 5, in { answers }.
reach_falling =
    { NUMBER($now) ->
        [one] { $now } end customer was
       *[other] { $now } end customers were
    } reached in { days }, { $fall_share } fewer than usual ({ $usual }).
feedback_unanswered = { items } of feedback { NUMBER($items) ->
        [one] waits
       *[other] wait
    } for an answer; the oldest has waited { days }.
    .topic = { items } of feedback { NUMBER($items) ->
        [one] waits
       *[other] wait
    } for an answer; the oldest, about "{ $topic }", has waited { days }.
ticket_surge = { tickets_opened } in { days }.
    .usual =
        { tickets_opened } in { days }; { $usual } { NUMBER($usual) ->
            [one] is
           *[other] are
        } usual.
downgraded = The price fell by { $change_share }, from { $before_cents } to { $after_cents } { $currency } a month.
over_limit = { $limit_name }: { $used }, where the plan allows { $limit }.
dormant = Nobody has used the product in the { days } since the first payment.
    .last_used_on = Nobody has used the product for { days }, since { $last_used_on }.
    .known_from = Nobody has used the product for at least { days }: events go back to { $known_from }.
usage_drop_vs_self =
    There { NUMBER($now) ->
        [one] was { $now } event
       *[other] were { $now } events
    } in the last week, { $fall_share } fewer than usual ({ $usual }).
depth_falling =
    { NUMBER($now) ->
        [one] { $now } person
       *[other] { $now } people
    } used the product in { days }, { $fall_share } fewer than usual ({ $usual }).
low_value_per_dollar = Compared with its peers, the account gets little value for its price: { $value_score } of 100 points.
renewal_near = The contract renews on { $renewal_on }; the last day of notice is { $notice_by }.
seats_idle =
    { $idle } of { NUMBER($seats) ->
        [one] { $seats } seat
       *[other] { $seats } seats
    } { NUMBER($idle) ->
        [one] is
       *[other] are
    } idle.
breadth_stalled =
    { $adopted } of { NUMBER($entitled) ->
        [one] { $entitled } product feature
       *[other] { $entitled } product features
    } { NUMBER($adopted) ->
        [one] is
       *[other] are
    } in use; no other has been adopted for { days }.
goal_missing = No goal has been agreed since the account started on { $started_on }.
request_shipped = A feature that the account requested was shipped.
    .topic = A feature that the account requested was shipped: "{ $topic }".
    .product_feature = A feature that the account requested was shipped: "{ $product_feature }".
goal_achieved = The goal "{ $goal }" is reached: { $value }, and the target was { $target }.
milestone =
    .years =
        The contract has completed { $years } { NUMBER($years) ->
            [one] year
           *[other] years
        }.
    .count = The number of key events has reached { $count }.
tier_near = The account is { $missing } short of the tier "{ $tier }".
referral_ready = A person rated the product { $score } of 10, no issue is open, and the health score is { $health }: a good time to ask for a referral.
nps_promoter =
    { people_of_answers } { NUMBER($people) ->
        [one] recommends
       *[other] recommend
    } the product.
nps_passive =
    { people_of_answers } { NUMBER($people) ->
        [one] is
       *[other] are
    } neutral about the product.

## Parts of the sentences above

percent = { $number } %
amount_events =
    { $number } { NUMBER($number) ->
        [one] event
       *[other] events
    }
amount_active_users =
    { $number } { NUMBER($number) ->
        [one] active user
       *[other] active users
    }
amount_active_days =
    { $number } { NUMBER($number) ->
        [one] active day
       *[other] active days
    }
amount_reach =
    { $number } { NUMBER($number) ->
        [one] end customer
       *[other] end customers
    }
amount_mrr = { $number }
    .currency = { $number } { $currency } a month
amount_trait = { $number }
limit_users = Active users
limit_end_customers = End customers
limit_of_feature = Events of "{ $feature }"
items =
    { $items } { NUMBER($items) ->
        [one] item
       *[other] items
    }
days =
    { $days } { NUMBER($days) ->
        [one] day
       *[other] days
    }
waiting_hours =
    { $waiting_hours } { NUMBER($waiting_hours) ->
        [one] hour
       *[other] hours
    }
tickets =
    { $tickets } { NUMBER($tickets) ->
        [one] ticket
       *[other] tickets
    }
tickets_opened =
    { tickets } { NUMBER($tickets) ->
        [one] was
       *[other] were
    } opened
answers =
    { $answers } { NUMBER($answers) ->
        [one] answer
       *[other] answers
    }
people_of_answers =
    { $people } of { $answers } { NUMBER($answers) ->
        [one] person
       *[other] people
    }

## Why payment ended: codes of this service and of Stripe

reason_account_deleted = the account was deleted
reason_customer_deleted = the customer was deleted in the billing system
reason_cancellation_requested = the customer cancelled
reason_payment_failed = payments failed
reason_payment_disputed = a payment was disputed
reason_customer_service = poor customer service
reason_low_quality = low quality
reason_missing_features = missing features
reason_switched_service = switched to another service
reason_too_complex = too complex
reason_too_expensive = too expensive
reason_unused = not used enough
reason_other = another reason
reason_canceled = the subscription was cancelled
reason_unpaid = invoices stayed unpaid
reason_incomplete_expired = the first payment was never made
reason_paused = the subscription is paused
reason_past_due = invoices are overdue
