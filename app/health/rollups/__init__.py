"""Rollups: the scores of a parent account and of all accounts below it as one score.

``queries.roll_up_account`` computes it on request from the newest scores; ``rollup`` holds the
methods (by revenue, worst child, mean, own). ``queries`` also lists the child accounts. It owns no
tables: it reads ``account`` and ``health_score``. May import ``definition``, ``scoring`` and the
packages below ``health``. Tests: tests/health/rollups.
"""
