### The first page: who needs something today, why, and what to do.

today = Today
whose = Whose accounts
mine = My accounts
all = All accounts
at_stake = At stake
assumed = assumed share
notice = Notice
renewal = Renewal
owner = Owner
days_ahead =
    { NUMBER($days) ->
        [one] in { $days } day
       *[other] in { $days } days
    }
this_day = today
days_ago =
    { NUMBER($days) ->
        [one] { $days } day ago
       *[other] { $days } days ago
    }
alert = Alert since { $at }: { $name }
pending = Becomes an alert on { $at } unless it ends: { $name }
pending_open = Waits to become an alert: { $name }
task = Task due on { $day }: { $title }
done = Done
finish_task = Done: { $title }
snooze = Snooze the alerts
how_long = For how long the alerts of { $name } are snoozed
for_days =
    { NUMBER($days) ->
        [one] for { $days } day
       *[other] for { $days } days
    }
log_call = Log a call
call_text = What came of the call with { $name }
save = Save
pages = Pages
first_page = First page
next_page = Next page
quiet = A quiet day: no account needs anything now.
quiet_owner = A quiet day: none of these accounts needs anything now.
to_accounts = Look at the list of accounts
moved_up = Risen in 7 days
moved_down = Fallen in 7 days
nobody_moved = No account moved by a point or more.
data_through = Newest score: data until { $at }.
no_data = No account has a score yet.
