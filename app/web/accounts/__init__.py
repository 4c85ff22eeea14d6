"""The list of accounts and the page of one account.

``list_state`` is the state of the list as its URL has it, ``chips`` its filter as parts that people
add and remove, ``list_view`` and ``account_view`` read what a page shows from the services of the
API. Acts are those of the API. Tests: ``tests/web/accounts``.
"""
