"""Where the sentiment of owners and the bands of scores disagree, and who was right.

Entry: ``service.load_report``. The outcome of a disagreement is whether the account had left a
horizon later; ``verdicts`` counts who was right, with an exact interval.

May import the shared files of ``app.reports``, and the packages below. Tests:
``tests/reports/sentiment``.
"""
