"""The timeline of an account: what happened to it and what people did, newest first.

Entry: ``service.load_page``. Each kind of entry is a part of one statement (``queries.sql``) that
returns the newest entries of the kind after a position; the page is the newest of all of them.
``sentences`` writes one sentence for each.

May import the shared files of ``app.reports``, and the packages below. Tests:
``tests/reports/timeline``.
"""
