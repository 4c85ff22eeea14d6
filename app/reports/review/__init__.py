"""The review of one account: what it got for its price, what was done, and what comes next.

``service.build_review`` builds the internal review; ``schemas.for_customer`` cuts the customer's
version out of it; ``page`` renders either as one printable HTML page (``review.html``, texts in
``page.*.ftl``).

May import the shared files of ``app.reports``, and the packages below. Tests:
``tests/reports/review``.
"""
