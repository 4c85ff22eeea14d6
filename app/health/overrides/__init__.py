"""Overrides: a person's value that replaces the score of an account until it expires.

Entry: ``service.put_override``, ``service.end_override``; ``service.expire_overrides`` for the
worker. How an override changes a score is in ``health.scoring.post_processing``.

Table: score_override. Endpoints: ``/accounts/{account_id}/health/override``, ``/health-overrides``.
May import ``health.scoring`` and ``health.definition``. Tests: ``tests/health/overrides``.
"""
