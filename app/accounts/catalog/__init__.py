"""Plans, product features and exchange rates: what a workspace configures about its offer.

Entry points: ``service``, ``endpoints``. Tests: ``tests/accounts``.
"""
