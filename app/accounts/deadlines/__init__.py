"""Deadlines of accounts: times at which the passage of time alone changes what is derived.

A refresh stores the next deadline of each kind (``schedule.schedule``). When it has passed, a
worker marks the account due (``schedule.mark_overdue_accounts_due``). Days need no deadline: the
daily sweep marks every account due. Table: ``account_deadline``; SQL also writes ``due``. Tests:
``tests/accounts/test_deadlines.py``, ``tests/test_deadlines.py``.
"""
