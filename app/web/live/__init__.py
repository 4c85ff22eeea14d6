"""Open pages learn what changed: server-sent events from the change feed.

One reader in each process looks for new changes of all workspaces that have an open page, and tells
each page the accounts; the page reads itself again if it shows one of them. ``hub`` has the reader
and the streams, ``endpoints`` the route. A stream ends with the session that opened it and with the
process. Tests: ``tests/web/live``.
"""
