### The inbox of alerts.

alerts = Alerts
states = State
state_active = Not resolved
state_open = Not acknowledged
state_acknowledged = Acknowledged
state_snoozed = Snoozed
state_resolved = Resolved
state_all = All
mine = Mine
severity = Severity
severity_info = Note
severity_low = Low
severity_medium = Medium
severity_high = High
rule = Rule
owner = Owner or assignee
any = any
show = Show
clear = Show all that are not resolved
choose = { $account }, { $rule }
opened = Opened { $at }
assigned_to = assigned to { $name }
acknowledged_at = acknowledged { $at }
snoozed_until = snoozed until { $at }
resolved_at = resolved { $at }
flapping = opens often, so it waits for a calm day
at_risk = at risk
acknowledge = Acknowledge
acknowledge_one = Acknowledge: { $account }, { $rule }
acts = With the chosen alerts
assignee = Who takes care of them
nobody = nobody
assign = Assign
how_long = For how long
for_days =
    { NUMBER($days) ->
        [one] for { $days } day
       *[other] for { $days } days
    }
no_longer = no longer
snooze = Snooze
resolve = Resolve
useful = Was it useful?
verdict_valid = useful
verdict_false_positive = false alarm
verdict_too_early = too early
note = What was wrong or right
rate = Rate
pages = Pages
first_page = First page
next_page = Next page
nothing_matches = No alert matches.
no_alerts = No alert is open. These rules watch every account, and open an alert when a number crosses its threshold:
another_rule = Any number of an account can have a rule:
