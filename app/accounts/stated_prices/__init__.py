"""Prices that ``group`` calls and B2B events state, and the periods that follow from them.

What an account's events state is stored by day (``PriceStatement``), and the periods of the
subscription ``traits`` are computed again from all of it: the order in which events arrive does not
matter. Entry functions: ``service.apply_statements``, ``replay.replay``. Tests:
``tests/accounts/test_stated_prices.py``.
"""
