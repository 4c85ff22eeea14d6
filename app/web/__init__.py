"""The page: what people see in a browser. It calls the services that the endpoints of the API call.

It has no SQL and no rule of its own. ``frame`` has what all screens share: templates, the check of
sessions and forms, error pages, static files; ``charts`` draws; ``people`` signs members in and
manages them; ``today`` is the first page; ``accounts`` has the lists and the page of an account;
``alerts`` is the inbox. Every state is in the URL, and every page works without JavaScript; htmx
only replaces what changed (docs/page.md).
Its routes are not part of the API: they are not in the OpenAPI document.
Tests: ``tests/web``; in a real browser: ``tests/browser`` (``make browser``).
"""
