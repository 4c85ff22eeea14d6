"""Digests: one message for each owner, daily or weekly at a time of their zone.

Entry: ``service.send_due_digests`` for the worker, ``endpoints`` for the settings of an owner and a
preview. A digest holds what ``GET /today`` lists for the owner, and the movers. It is published in
the transaction that sets the time of the next one, so that each period has exactly one. On a quiet
day nothing is published.

Table: digest. May import ``app.reports`` and the packages below. Tests: ``tests/digests``.
"""
