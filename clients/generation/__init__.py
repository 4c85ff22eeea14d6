"""Generates models and operations of the clients from the OpenAPI document of the service.

``make clients`` writes them, and ``tests/test_openapi.py`` fails when they are stale. Only shapes
and names enter: a changed description makes nothing stale.
"""
