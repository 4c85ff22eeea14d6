"""The first page: the accounts that need something now, and those whose score moved.

It shows the two lists of ``reports.today`` and ``reports.movers``. Acts are those of the page of an
account, and return here. Tests: ``tests/web/today``.
"""
