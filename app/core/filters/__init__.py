"""The filter language of lists, saved segments, scorecards and webhooks (docs/lists.md).

``parser.parse_filter`` reads JSON into the tree of ``tree``; ``matching.matches`` evaluates a tree
in Python and ``sql.sql_condition`` turns it into SQL with the same result; ``openapi.add_filter``
documents the language. ``tree``, ``parser`` and ``matching`` are pure. It has no tables and imports
nothing else of the app. Order of imports: tree, parser, matching, then sql and openapi.
Tests: ``tests/core/filters``; ``test_sql`` compares SQL and Python on random filters.
"""
