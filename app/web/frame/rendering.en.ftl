### What all pages share: navigation, keys, errors, and what an act did.

skip = Skip to the content
navigation = Navigation
today = Today
accounts = Accounts
alerts = Alerts
members = Members
sign_out = Sign out
utc = All days are in UTC.
close = Close
to_start = To the start page

keys = Keys
key_move = next and previous row
key_open = open the account
key_explain = open the row here
key_accept = accept the first suggestion, acknowledge the alert
key_dismiss = dismiss the first suggestion, resolve the chosen alerts
key_snooze = snooze the chosen alerts
key_choose = choose the alert of the row
key_note = write a note
key_search = search
key_today = today
key_accounts = accounts
key_alerts = alerts
key_members = members
key_keys = this list

done_accepted = Accepted. It is now an intervention of the account.
done_dismissed = Dismissed. It is not suggested again for 30 days.
done_saved = Saved.
done_finished = Done.
done_deleted = Deleted.
done_removed = Removed.
done_signed_out = Signed out everywhere.
done_acknowledged = Acknowledged.
done_assigned = Assigned.
done_snoozed = The snooze is set: no message is sent until it ends.
done_resolved = Resolved. It opens again only after the breach was over.
done_rated = Rated. The statistics of the rule count it.

error_not_found = There is no such page
error_link = This link does not sign you in
error_forbidden = You may not do this
error_input = This cannot be done as it was sent
error_conflict = This is no longer possible
error_away = The service is busy or its database is away
error_bug = Something went wrong on our side
error_report = It is logged. Tell the operator this number:
error_other = This did not work

band_at_risk = at risk
band_watch = watch
band_healthy = healthy
band_unknown = no score
level_low = low
level_medium = medium
level_high = high
severity_info = Note:
severity_low = Low:
severity_medium = Medium:
severity_high = High:
since = since { $day }
no_signals = No open signal.

worth = expected to save { $money } a year
message = Message to send
copy = Copy
accept = Accept
dismiss = Dismiss
reason = Reason
