"""What goes with churn: tenure of churned accounts, conditions with more churn, stated reasons.

``service.churn_causes`` compares, for each signal, unused product feature and unfinished
onboarding step, the churn rate while the condition was met with the rate while it was not;
``association`` is the pure statistics. All findings are associations, not causes.

May import the shared files of ``app.reports``, and the packages below. Tests:
``tests/reports/churn_causes``. Definitions and sources: docs/reports.md.
"""
