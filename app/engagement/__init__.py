"""Engagement: tickets, surveys, feedback, onboarding, goals, loyalty tiers, incidents and roles.

Semantic events (track calls with certain names) and the API write the same tables. Readers get one
snapshot of an account as of a day, as it was known on that day.

Entry points: ``apply_events.apply_events`` (ingestion), ``endpoints`` and ``case_endpoints``
(HTTP), ``queries.load_engagement`` (signals, features, reviews), ``onboarding.refresh`` (pipeline),
``erasure.erase_people``. Answers, feedback, goals and incidents are versions that are computed from
facts: ``record_facts`` stores both, ``objects`` reads the present version. ``facts``,
``parse_events``, ``snapshot`` and ``summaries`` are pure.

Tables: see ``tables``; SQL also reads ``daily_usage``, ``daily_reach`` and ``first_use``. May
import ``accounts``, ``webhooks``, ``jobs``, ``workspaces`` and ``core``. Tests:
``tests/engagement``. Reference: ``docs/engagement.md``.
"""
