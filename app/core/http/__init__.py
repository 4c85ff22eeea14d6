"""HTTP concerns that are the same for every route: bodies, CSV, ETags, language, logs, checks.

Entry points: ``csv_responses``, ``etags`` and ``request_log`` (a middleware each),
``request_checks`` (called by ``workspaces.auth``), ``request_checks.read_body``,
``language.LanguageDep``. It has no tables. It may import ``app.core`` modules outside of
``app.core.filters``. Errors and wire types that other layers need too are in ``app.core.errors``,
``app.core.schemas`` and ``app.core.pagination``. Tests: ``tests/core/http``.
"""
