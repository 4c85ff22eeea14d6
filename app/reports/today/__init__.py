"""Today: the accounts that need something now, most money first, each with a next step.

Entry: ``service.load_page``. An account is listed while it has an open alert that nobody has
acknowledged or snoozed, a breach that waits for its hold time, a suggestion, or a task that is due.

May import the shared files of ``app.reports``, and the packages below. Tests:
``tests/reports/today``.
"""
