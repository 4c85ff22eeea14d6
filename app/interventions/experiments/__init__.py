"""Experiments: assign accounts to arms, count outcomes, compare the arms, roll the winner out.

Entry functions: ``service.assign_accounts`` (called by each refresh of suggestions),
``service.measured_uplifts`` (for the ranking), ``service.start``, ``stop`` and ``roll_out``. Pure:
``design`` (the format), ``assignment`` (which arm), ``sequential`` (always-valid intervals),
``results`` and ``uplift``.
Tables: ``experiment`` and ``assignment`` in interventions/tables.py. Imports from interventions
only ``playbooks`` and ``tables``. Tests: tests/interventions/experiments.
Guide: docs/interventions.md, docs/adr/0023-experiments-that-may-be-read-at-any-time.md.
"""
