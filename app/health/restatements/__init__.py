"""Restatements: past days scored again under the active scorecard; the original rows stay.

Entry: ``restate.request_restatement`` queues a job; ``restate.restate_page`` is its handler.

Table: restatement; adds rows to health_history. Endpoints: ``/scorecards/{version}/restate``,
``/restatements``. May import ``health.versions``, ``health.scoring`` and ``health.definition``.
Tests: ``tests/health/restatements``.
"""
