"""Facts about answers, feedback, goals and incidents, and the versions that follow from them.

Entry points: ``record_facts`` stores facts and computes versions, ``objects`` handles API calls,
``merges`` the merge of accounts; ``facts`` is pure. Tables: ``engagement.tables``. Tests:
``tests/engagement``.
"""
