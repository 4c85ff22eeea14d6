"""Accounts, users and what accounts pay: the master data that every other package reads.

Entry points: ``endpoints`` (HTTP), ``service`` (write accounts and users), ``subscription_service``
(write subscriptions), ``catalog`` (plans, product features, exchange rates), ``links`` (parents and
external ids), ``aliases`` (renamed and merged accounts), ``tombstones`` (erased ids),
``refresh_queue`` (which accounts must be scored again) and ``deadlines`` (when they wake without
data).

Tables: ``account``, ``external_id``, ``user``, ``user_alias``, ``subscription``, ``plan``,
``product_feature``, ``exchange_rate``, ``due``, ``account_deadline``, ``parked_account``,
``account_alias``, ``tombstone``. May import ``workspaces`` and ``core``. Tests: ``tests/accounts``;
the queue under load: ``tests/test_refresh_queue.py``. Reference: ``docs/accounts.md``.
"""
