"""Scoring: computes, stores and reads health scores.

Entry: ``service.refresh`` scores a set of accounts and writes scores and history;
``service.load_assessments`` does the same without writing; ``service.refresh_signals`` updates
signals from scores. ``scoring_context`` loads settings and peers and fits missing benchmarks.
Pure: ``maths``, ``evaluate`` (one card), ``assess`` (all accounts), ``post_processing``.

Tables: health_score, health_history; reads score_override.
May import ``health.definition``, not the other sub-packages. Tests: ``tests/health/scoring``.
"""
