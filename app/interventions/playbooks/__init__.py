"""Playbooks: the actions that can be suggested, shipped or a workspace's own, and their texts.

Entry functions: ``service.load_playbooks`` returns the playbooks of a workspace, ``service.put``,
``patch`` and ``delete`` change them. Pure: ``definition`` (the format), ``catalogue`` (the shipped
playbooks, read from ``catalogue/*.toml``), ``templates`` and ``template_fields`` (texts with
placeholders). ``audience`` applies the filters of playbooks and experiments to accounts.
Table: ``own_playbook`` in interventions/tables.py. Imports from interventions only ``tables``.
Tests: tests/interventions/playbooks. Guide: docs/playbooks.md.
"""
