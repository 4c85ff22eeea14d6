"""The change feed: what changed about scores, alerts and interventions, for polling readers.

``queries.record_changes`` writes changes in the transaction of a stage above;
``GET /api/v1/changes`` reads them in commit order, with a cursor (``feed.FeedPosition``).

``sort_change_queries`` keeps lists stable while they are paged: it places rows by the values that
they had on the first page (``snapshots.ListSnapshot``).

Tables: ``change``, ``sort_change``. May import ``jobs``, ``workspaces`` and ``core`` only; it is
independent of ``webhooks``, which lies beside it. Tests: ``tests/changes``.
"""
