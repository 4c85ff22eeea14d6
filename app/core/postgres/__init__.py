"""The PostgreSQL server: connection pools, migrations, partitions, the private server.

Entry points: ``engines.open_engine``, ``migrations.upgrade``, ``embedded_postgres``. It may import
``app.core`` modules outside of ``app.core.http``. Tests: ``tests/core/postgres``.
"""
