"""Explanations: what each measure gives to a score, and why the score moved between two days.

``service.explain_score`` answers the API; ``service.driver_sentences`` gives alerts their reasons.
``explain.explain_change`` splits a difference into effects that add up exactly (pure, ADR 0021);
``snapshots`` loads past scores with their definition and benchmarks; ``sentences`` and ``phrases``
write the sentences, with the texts of ``sentences.*.ftl``. It owns no tables: it reads
``health_history``, ``score_definition`` and ``benchmark``. May import ``definition``, ``scoring``
and the packages below ``health``. Tests: tests/health/explanations.
"""
