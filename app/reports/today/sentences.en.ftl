### Why an account needs something now, if it has no signal

alert = The alert "{ $rule }" has been open since { $day }.
pending = The rule "{ $rule }" is breached, but not yet for long enough to open an alert.
task = The task "{ $title }" was due on { $day }.
suggestion = There is a suggestion for the account.
