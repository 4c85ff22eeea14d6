"""The definition of a score: what is measured, how it is weighted and compared, all versioned.

Pure classes: ``scorecard`` and ``measures`` (configuration), ``metrics`` (numbers of an account),
``entitlement`` (offer, adoption, value leak), ``benchmark`` (peers), ``score_definition`` (all of
it under one hash). ``scorecard_queries`` and ``benchmark_queries`` store and load them.

Tables: scorecard, score_definition, benchmark. Endpoints: ``/benchmarks``.
Imports nothing of the other sub-packages of health, only its ``tables``.
Tests: ``tests/health/definition``.
"""
