"""Backtests: how well a model, scorecard or alert rule would have predicted churn on past days.

``service`` enqueues them as durable jobs: on request, and once for each model, scorecard or rule
that becomes active. ``job`` runs them page by page; ``ranking_metrics`` is the pure evaluation.
Results are stored in the progress of the job.

No table of its own. May import the shared files of ``app.reports``, and the packages below. Tests:
``tests/reports/backtests``. What is reported: docs/churn.md.
"""
