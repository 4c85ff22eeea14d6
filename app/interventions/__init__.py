"""Interventions: what to do about an account, what was done, and whether it helped.

Entry functions: ``suggestion_service.refresh`` updates suggestions in the transaction that writes
the scores, ``intervention_service`` holds the actions of people, ``outcome_job.evaluate_outcomes``
is a worker task, ``load_treated_days`` in ``queries`` serves training. Pure:
``ranking``, ``states``, ``outcome``, ``suggestion_text``.
Sub-packages: ``playbooks`` (what can be suggested) and above it ``experiments`` (does it help?);
they import each other in this order only, and of this level nothing but ``tables``.
Tables: ``intervention``, ``own_playbook``, ``experiment``, ``assignment``.
May import alerts and every package below it in pyproject.toml. Tests: tests/interventions.
Guides: docs/interventions.md, docs/playbooks.md.
"""
