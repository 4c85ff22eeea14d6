### The printed review of an account

title = Account review
internal = Internal: not for the customer
none = Nothing to report.

## Punctuation

label = { $name }:
list = { $before }, { $after }
bracketed = { $text } ({ $note })
title_done = { $title }.
    .assignee = { $title } ({ $assignee }).
percent = { $number } %

## Heading

score = Health score
churn_risk = Churn risk
owner = Owner
level_low = low
level_medium = medium
level_high = high
renewal = renews on { $day }
notice = last day of notice: { $day }
band_healthy = healthy
band_watch = watch
band_at_risk = at risk
band_unknown = not known yet

## Value

value = Value over time
price = Mean price a month
per_dollar = for each 100 { $currency } of the mean price a month
now = now
count_people =
    { NUMBER($count) ->
        [one] { $count } person uses the product
       *[other] { $count } people use the product
    }
part_people = { $count } of { $total } people use the product
count_features =
    { NUMBER($count) ->
        [one] { $count } product feature is in use
       *[other] { $count } product features are in use
    }
part_features = { $count } of { $total } product features are in use
count_end_customers =
    { NUMBER($count) ->
        [one] { $count } end customer was reached
       *[other] { $count } end customers were reached
    }
part_end_customers = { $count } of { $total } end customers were reached
measure_reach = Reach (end customers)
measure_depth = Depth (active users)
measure_breadth = Breadth (product features)
measure_events = Events
measure_active_days = Active days

## Peers and usage

peers = Among comparable accounts
peer = { $measure }: for its price, at or above { $percentile } % of them
breadth = Use of the product features
used = In use
unused = Paid for and not used yet
included = Also in the plan

## Goals

goals = Goals
goal = { $value } of { $target }, due on { $due }: { $progress }
goal_on_track = on track
goal_off_track = behind
goal_achieved = reached
goal_unknown = not known yet

## People and support

people = People
role_champion = champion
role_sponsor = sponsor
support = Support
tickets =
    { NUMBER($opened) ->
        [one] { $opened } request
       *[other] { $opened } requests
    }, { $closed } closed, { $in_time } answered within the standard
    .minutes =
        { NUMBER($opened) ->
            [one] { $opened } request
           *[other] { $opened } requests
        }, { $closed } closed, { $in_time } answered within the standard; median time to the first reply: { NUMBER($minutes) ->
            [one] { $minutes } minute
           *[other] { $minutes } minutes
        }

## Interventions

done = What was done, and what came of it
succeeded = Better since.
failed = No better so far.
notes = Notes
next = Next steps
