"""Adoption: which accounts may use a product feature, use it, or pay for it without using it.

``queries.load_adoption`` counts the accounts by segment and plan and lists those of one status. It
owns no tables: it reads the inputs that were stored with the newest scores in ``health_score``.
May import ``definition`` and the packages below ``health``. Tests: tests/health/adoption.
"""
