"""KPIs of a period: retention, repurchase, NPS, first value, lifetime value, cohorts, feedback.

``service`` and ``value_service`` build each answer of ``GET /api/v1/reports/…`` from one SQL
statement in ``service.sql``, and count later changes of past figures. ``lifetime`` is the pure
survival analysis (Kaplan-Meier).

May import the shared files of ``app.reports``, and the packages below. Tests:
``tests/reports/kpis``. Formulas: docs/reports.md.
"""
