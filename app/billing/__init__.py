"""Billing: Stripe's webhook events become subscription periods and invoices of accounts.

An event is verified, parsed and stored; then everything stored about its customer is replayed, so
that the order of deliveries does not matter. Entry points: ``endpoints`` (HTTP),
``service.receive_event``, ``service.reconcile_waiting`` (worker),
``queries.load_failed_payments`` (signals).

Flow: ``stripe_events`` and ``stripe_objects`` (parse) → ``account_matching`` (which account pays) →
``timeline`` and ``amounts`` (periods and prices) → ``reconcile`` (write). Tables:
``billing_source``, ``billing_event``, ``billing_customer``, ``billing_subscription``, ``invoice``.
May import ``accounts``, ``workspaces`` and ``core``. Tests: ``tests/billing``. Reference:
``docs/billing.md``.
"""
