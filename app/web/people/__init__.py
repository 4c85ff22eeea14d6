"""Signing in and out, the own profile, and the members of the workspace.

A link in the address only shows a button: programs that look at links in mails would use it up.
Tests: ``tests/web/people``.
"""
