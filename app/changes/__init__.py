"""The change feed: what changed about scores, alerts and interventions, for polling readers.

``queries.record_changes`` writes changes in the transaction of a stage above;
``GET /api/v1/changes`` reads them in commit order, with a cursor (``feed.FeedPosition``).

Table: ``change``. May import ``jobs``, ``workspaces`` and ``core`` only; it is independent of
``webhooks``, which lies beside it. Tests: ``tests/changes``.
"""
