"""The lowest layer: what every package needs and what knows nothing of the product.

- Database: ``db`` (sessions, transactions, column types), ``query_helpers``, ``migrations``,
  ``partitions``, ``embedded_postgres``.
- HTTP: ``errors``, ``schemas``, ``pagination`` and the sub-package ``http``.
- The filter language: the sub-package ``filters``.
- Process: ``settings``, ``clock``, ``logs``, ``metrics``, ``encryption``, ``parent_process``.
- Text: ``languages``, ``number_format``, ``catalogue`` (sentences).

It has no tables and imports no other package of the app. Tests: ``tests/core``.
"""
