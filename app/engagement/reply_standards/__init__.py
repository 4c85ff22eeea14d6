"""Reply standards: within how many minutes the first reply to a ticket is due.

Settings of a workspace. Entry points: ``endpoints`` (HTTP), ``service`` (the standards of a
workspace, and when the replies to tickets are due); ``standards`` is pure. Table:
``reply_standards``. Tests: ``tests/engagement/test_reply_standards.py``. Reference:
``docs/engagement.md``.
"""
