### One sentence for each entry of a timeline, by kind and event.
### An attribute is used instead of the first text if the value of that name is known.

alert_opened = The alert "{ $name }" opened.
alert_resolved = The alert "{ $name }" was resolved.
intervention_accepted = The suggestion "{ $title }" was accepted.
intervention_dismissed = The suggestion "{ $title }" was dismissed.
    .reason = The suggestion "{ $title }" was dismissed: "{ $reason }".
intervention_done = "{ $title }" was done.
subscription_began = A subscription began: { $cents } a month.
    .plan = A subscription of the plan "{ $plan }" began: { $cents } a month.
subscription_ended = A subscription ended.
    .reason = A subscription ended; the reason given is "{ $reason }".
price_rose = The price rose from { $before } to { $after } a month.
price_fell = The price fell from { $before } to { $after } a month.
plan_changed = The plan changed from "{ $before }" to "{ $after }".
seats_changed = The seats changed from { $before } to { $after }.
scorecard_activated = Version { $version } of the scorecard became active.
ticket_opened = A ticket was opened.
    .subject = The ticket "{ $subject }" was opened.
ticket_closed = A ticket was closed.
    .subject = The ticket "{ $subject }" was closed.
answer_nps = A person answered { $score } of 10 to whether they would recommend the product.
    .person = { $person } answered { $score } of 10 to whether they would recommend the product.
answer_csat = A person rated their satisfaction { $score } of 5.
    .person = { $person } rated their satisfaction { $score } of 5.
feedback_complaint = A complaint arrived.
    .topic = A complaint about "{ $topic }" arrived.
feedback_request = A request arrived.
    .topic = A request about "{ $topic }" arrived.
feedback_praise = Praise arrived.
    .topic = Praise about "{ $topic }" arrived.
feedback_shipped = A request was shipped.
    .topic = The request about "{ $topic }" was shipped.
feedback_fixed = A complaint was fixed.
    .topic = The complaint about "{ $topic }" was fixed.
feedback_answered = Feedback was answered.
    .topic = The feedback about "{ $topic }" was answered.
feedback_declined = A request was declined.
    .topic = The request about "{ $topic }" was declined.
goal_began = The goal "{ $title }" began; it is due on { $due_on }.
goal_closed = The goal "{ $title }" was closed.
incident_began = An incident began that affected the account.
    .title = The incident "{ $title }" began, which affected the account.
incident_ended = The incident ended.
    .title = The incident "{ $title }" ended.
incident_apology = An apology for the incident was sent.
    .title = An apology for the incident "{ $title }" was sent.
onboarding_done = The onboarding step "{ $step }" was done.
use_first = The product was used for the first time.
use_last = The product was last used.
people_joined =
    { NUMBER($count) ->
        [one] { $count } person
       *[other] { $count } people
    } joined.
    .names = { $names } joined.
people_silent =
    { NUMBER($count) ->
        [one] { $count } person has
       *[other] { $count } people have
    } not used the product for four weeks.
    .names = { $names }: no use of the product for four weeks.
signal_opened = { $sentence }.
signal_cleared = This is over: { $sentence }.
note_written = { $author } wrote: "{ $text }".
call_written = { $author } logged a call: "{ $text }".
meeting_written = { $author } logged a meeting: "{ $text }".
email_written = { $author } logged an e-mail: "{ $text }".
task_created = { $person } created the task "{ $title }".
task_done = { $person } finished the task "{ $title }".
sentiment_stated = { $author } rated the account { $value } of 5: "{ $reason }".

## Parts

list = { $before }, { $after }
