"""Webhooks: messages to other systems, from the outbox to the receiver's answer.

Message, delivery, attempt: a publisher writes a message in the transaction of its change
(``outbox.publish``), with one delivery for each endpoint that wants it; the worker
(``delivery_worker``) claims due deliveries, posts them (``http_client``) and records each attempt
with its effect on the endpoint (``delivery_results``). ``service`` manages endpoints, ``recovery``
is the job that sends missed messages again, ``message_schemas`` is the catalogue of message types.

Tables: ``message``, ``message_sequence``, ``webhook_endpoint``, ``delivery``, ``attempt``.
May import ``jobs``, ``workspaces`` and ``core`` only, so that every stage can publish.
Tests: ``tests/webhooks``, with real worker processes in ``tests/servers/test_webhooks.py``.
"""
