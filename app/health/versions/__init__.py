"""Versions of the scorecard: draft, simulate, activate and discard.

Entry: ``service`` changes versions, ``simulation_service`` compares a version with the active one
on today's accounts without writing scores; ``simulation`` is its pure maths.

Table: scorecard (queries are in ``health.definition.scorecard_queries``).
Endpoints: ``/scorecards``. May import ``health.scoring`` and ``health.definition``.
Tests: ``tests/health/versions``.
"""
