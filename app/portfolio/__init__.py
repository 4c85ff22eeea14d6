"""All accounts at once: lists, saved segments, and the health and churn risk of an account.

Entry points: ``endpoints.routers`` (lists of accounts, segments and the envelope
``GET /accounts/{account_id}/health`` in ``health_endpoints``; ``churn_risk_endpoints``),
``revenue_at_risk_queries``, ``past_account_queries`` (filters on past days),
``account_queries.list_accounts``,
``load_totals`` and ``load_matching_ids``, ``segment_service.resolve_filter`` (a filter, a saved
segment or both become one filter), ``fields.FIELDS`` (what accounts can be filtered by).
Table: saved_segment. It may import ``health``, ``churn`` and the packages below them.
Tests: ``tests/portfolio``.
"""
