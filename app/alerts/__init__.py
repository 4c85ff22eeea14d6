"""Alerts: rules that watch a number of each account, and alerts that open at a threshold.

Entry functions: ``service.refresh`` evaluates all rules in the transaction that writes the scores,
``service.mark_waiting_accounts_due`` and ``service.send_held_notifications`` are worker tasks,
``actions`` holds what people do with alerts, ``rule_service`` changes rules, ``backtest`` and
``preview`` try a rule without storing anything. Pure: ``rules``, ``rule_values`` (which number a
rule reads), ``state_machine`` (when an alert opens and is resolved), ``evaluation`` (both applied
to many accounts).
Tables: ``alert_rule``, ``alert_state``, ``alert``; the sequence ``alert_evaluation``.
May import every package below it in pyproject.toml (portfolio, health, churn, signals, webhooks,
...), but not interventions, reports or pipeline. Tests: tests/alerts. Guide: docs/alerts.md.
"""
