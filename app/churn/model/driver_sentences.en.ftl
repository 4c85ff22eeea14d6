### What goes with a churn risk, never its cause.

## The features of the model

feature_events_28 = Events in 28 days
feature_active_days_28 = Active days in 28
feature_users_28 = Active people in 28 days
feature_breadth_28 = Product features in use
feature_reach_28 = End customers reached in 28 days
feature_events_per_dollar = Events for each $100 a month
feature_trend_events = Events against the 28 days before, in percent
feature_recency = Days since the last use
feature_tenure = Days as a customer
feature_seat_use = Share of seats in use, in percent
feature_top_user_share = Share of the most active person, in percent
feature_mrr = Dollars a month
feature_days_to_renewal = Days to the renewal
feature_days_to_end = Days to the announced end
feature_tickets_84 = Tickets in 84 days
feature_nps = Likelihood to recommend
feature_onboarding_share = Onboarding done, in percent
feature_failed_payments_84 = Failed payments in 84 days
events_of_name = "{ $event }" in 84 days

## The sentence of a driver: its value, the values that it is compared with, and its effect

value = { $name }: unknown
    .value = { $name }: { $value }
value_before = { $facts }, { $before } four weeks before
value_of_peers = { $facts }, { $peers } is the median of the others
raises_risk = { $facts }. This goes with a higher risk.
lowers_risk = { $facts }. This goes with a lower risk.

## How reliable a risk is, by the stage of its model

stage_rules = Rules, not learnt from this workspace: too few accounts have left. No probability is claimed.
stage_experimental = Learnt from this workspace and not yet proven on later time: a hint, not a forecast.
stage_trusted = Learnt from this workspace; on later time that it had not seen it was better than the base rate and than recency.
