"""Movers: the accounts whose score rose or fell the most in some days, each with its main reason.

Entry: ``service.load_movers``. The change is the trend that each score carries; the reason is the
first effect of its explanation (``health.explanations``).

May import the shared files of ``app.reports``, and the packages below. Tests:
``tests/reports/movers``.
"""
