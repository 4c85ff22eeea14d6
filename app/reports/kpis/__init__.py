"""KPIs of a period: retention, repurchase, NPS, first value, lifetime value, cohorts, feedback.

``endpoints`` serves ``GET /api/v1/reports/…``; the services build each answer from one SQL
statement in ``statements``. ``lifetime`` is the pure survival analysis (Kaplan-Meier).

May import the shared files of ``app.reports``, and the packages below. Tests:
``tests/reports/kpis``. Formulas: docs/reports.md.
"""
