"""The inbox of alerts: what needs an answer, most money first, and the acts of people on it.

It shows the list of ``GET /api/v1/alerts``. One form acts on the alerts that are chosen, or on the
one of a row; acts are the functions that the API calls. Tests: ``tests/web/alerts``.
"""
