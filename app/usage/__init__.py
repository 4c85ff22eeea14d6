"""Daily counts of use: the facts that scores, churn risk and signals are computed from.

Tables: ``daily_usage`` (events by account, day, user and event name), ``daily_reach`` (end
customers by account, day and user) and ``first_use`` (the first day of use). Each row carries
``known_on``, the day since which it is known, so that the past can be read as it was known then.
Ingestion in ``events`` writes them; ``features``, ``signals`` and ``churn`` read them.
May import only ``engagement``, ``billing``, ``accounts`` and packages below them.
"""
