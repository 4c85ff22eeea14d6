"""Workspaces (tenants), their API keys, authentication and the audit log.

``auth`` has the FastAPI dependencies of every endpoint: ``Reader``, ``Admin`` and others return the
``Caller``; ``AccountActor``, ``AdminActor`` and others return the ``Actor`` (author, workspace and
time of a change), whose method ``audit`` adds the audit entry.
``service`` changes workspaces and keys, ``keys`` generates and checks the text of keys,
``semantic_events`` lists the track events with a meaning of their own.
``idempotency`` has the class of routes whose POST is carried out once for each key.
Tables: workspace, api_key, audit_entry, idempotency_key. It may import ``app.core`` only.
Tests: ``tests/workspaces``, and ``tests/test_tenants.py`` for the isolation of tenants.
"""
