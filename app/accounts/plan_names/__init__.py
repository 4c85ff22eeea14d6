"""The names of product features in a plan: refused if no product feature has them.

Entry function: ``service.check_plan``. Tests: ``tests/accounts/test_catalog_endpoints.py``.
"""
