### What goes with a churn risk, never its cause.

## The features of the model

feature_events_28 = Events in 28 days
feature_events_7 = Events in 7 days
feature_events_14 = Events in 14 days
feature_events_84 = Events in 84 days
feature_active_days_28 = Active days in 28 days
feature_active_days_7 = Active days in 7 days
feature_active_days_14 = Active days in 14 days
feature_active_days_84 = Active days in 84 days
feature_active_days_364 = Active days in 364 days
feature_users_28 = Active people in 28 days
feature_users_84 = Active people in 84 days
feature_breadth_28 = Product features in use
feature_breadth_84 = Product features used in 84 days
feature_reach_28 = End customers reached in 28 days
feature_events_per_dollar = Events in 28 days for each 100 of MRR
feature_users_per_dollar = Active people in 28 days for each 100 of MRR
feature_breadth_per_dollar = Product features in use for each 100 of MRR
feature_reach_per_dollar = End customers reached in 28 days for each 100 of MRR
feature_trend_events = Change of events against the 28 days before
feature_trend_users = Change of active people against the 28 days before
feature_trend_active_days = Change of active days against the 28 days before
feature_trend_reach = Change of end customers reached against the 28 days before
feature_trend_events_7 = Change of events in 7 days against the mean week of 28 days
feature_slope_8_weeks = Change of events from week to week over 8 weeks
feature_recency = Days since the last use
feature_recency_over_gap = Days since the last use, in usual gaps between two days of use
feature_tenure = Days as a customer
feature_seat_use = Share of seats in use
feature_seats = Seats bought
feature_top_user_share = Share of all use by the most active person
feature_mrr = MRR in the base currency
feature_mrr_change_84 = Change of MRR in 84 days
feature_subscriptions = Running subscriptions
feature_days_on_terms = Days since the terms of payment began
feature_days_to_renewal = Days to the renewal
feature_days_to_notice = Days to the last day of notice
feature_days_to_end = Days to the announced end
feature_billing_period_months = Months that an invoice pays for
feature_term_months = Months of the contract's term
feature_auto_renews = Renews automatically
feature_discount_share = Discount on the list price
feature_tickets_84 = Tickets in 84 days
feature_nps = Mean NPS answer
feature_onboarding_share = Share of onboarding done
feature_failed_payments_84 = Failed payments in 84 days
events_of_name = Events "{ $event }" in 84 days

## The sentence of a driver: its value, the values that it is compared with, and its effect

value = { $name }: unknown
    .value = { $name }: { $value }
value_before = { $facts }; four weeks before: { $before }
value_of_peers = { $facts }; median of the others: { $peers }
percent = { $number } %
yes = yes
no = no
raises_risk = { $facts }. This goes with a higher risk.
lowers_risk = { $facts }. This goes with a lower risk.

## How reliable a risk is, by the stage of its model

stage_rules = Based on rules: no model learnt from this workspace is active, so no probability is claimed.
    .why = Based on rules: { $why }, so no probability is claimed.
stage_experimental = Learnt from this workspace and not yet proven on a later period: a hint, not a forecast.
stage_trusted = Learnt from this workspace; on a later period that it had not seen, it was better than the base rate and than days since the last use.

## Why rules are used: part of the sentence above

why_not_trained = no training has ended yet, and the first one needs 60 days of history
why_short_history = the history is too short for an observation with a known outcome
why_too_few_churned = too few accounts have left ({ $churned }, and a model needs { $needed })
why_nobody_stayed = every observed account has left and there is nothing to compare them with
why_training_failed = the last training failed
why_shadow = a model was trained and has not taken over
why_degraded = the last model no longer fitted and was taken out of service
why_rolled_back = the last model was taken out of service by a person
why_not_applied = the active model has not evaluated this account yet
