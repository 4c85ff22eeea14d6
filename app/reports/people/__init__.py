"""The people of an account: who speaks for us, who uses the product, who joined and who stopped.

Entry: ``service.load_people``. May import ``reports.timeline``, whose rule says when a person has
stopped, and the packages below. Tests: ``tests/reports/people``.
"""
