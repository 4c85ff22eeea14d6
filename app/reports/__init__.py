"""Reports over many accounts, and the review of one account. Read only, except for backtest jobs.

Sub-packages, none of which imports another: ``at_risk`` (the at-risk list, ARR at risk by renewal
quarter), ``backtests`` (models, scorecards and alert rules tried on past days), ``churn_causes``
(what goes with churn), ``kpis`` (retention, NPS, lifetime value, cohorts, feedback) and ``review``
(the account review, as JSON or one printable page). What they share is here: ``endpoints`` (the
routes of ``at_risk``, ``churn_causes`` and ``kpis``), ``kpi`` (the period of a report, its query
parameters, the KPI) and ``queries``.

No tables of its own; reads those of the packages below, which it may all import. Tests:
``tests/reports``. Formulas: docs/reports.md.
"""
