### What goes with churn: one sentence for each condition

goes_with = { $subject }: this goes with { $lift } times the churn rate (95 % interval: { $low } to { $high }).
goes_with_open = { $subject }: this goes with { $lift } times the churn rate (95 % interval: at least { $low }).
too_few_left = { $subject }: too few accounts have left to say what goes with it.
no_paid_days = { $subject }: there is no paid day yet for which it is known whether it meets this condition.
nothing_to_compare_with = { $subject }: every paid day meets this condition, or none does, so there is nothing to compare it with.
nobody_left_otherwise = { $subject }: every account that left met this condition, so a ratio cannot be computed.

## Conditions

subject_signal = { $name } in the last 90 days
subject_feature_unused = No use of "{ $name }" for 28 days
subject_onboarding_step = The onboarding step "{ $name }" is not done

## Names of signals

signal_churned = End of payment
signal_payment_failed = A failed payment
signal_incident_affected = An incident
signal_onboarding_stuck = A stuck onboarding
signal_first_value_late = A late first value
signal_support_slow = Slow support
signal_champion_inactive = An inactive champion
signal_price_rise = A price rise
signal_paid_feature_unused = An unused paid feature
signal_goal_off_track = A goal that is not on track
signal_nps_detractor = A detractor in the NPS survey
signal_csat_low = A low satisfaction rating
signal_reach_falling = Falling reach
signal_feedback_unanswered = Unanswered feedback
signal_ticket_surge = A surge of tickets
signal_downgraded = A downgrade
signal_over_limit = Use above a limit of the plan
signal_dormant = No use of the product
signal_usage_drop_vs_self = A drop of usage
signal_depth_falling = Fewer active people
signal_low_value_per_dollar = Little value for the price
signal_renewal_near = A renewal ahead
signal_seats_idle = Idle seats
signal_breadth_stalled = No new features adopted
signal_goal_missing = No agreed goal
signal_request_shipped = A requested feature shipped
signal_goal_achieved = A goal reached
signal_milestone = A milestone
signal_tier_near = A loyalty tier within reach
signal_referral_ready = Readiness to refer
signal_nps_promoter = A promoter in the NPS survey
signal_nps_passive = A passive answer in the NPS survey
